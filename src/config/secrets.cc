// What looks like a secret in the clear, and which secrets are too weak to sign with. A false alarm costs its owner a
// reference; a miss costs a leaked credential.
#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "config/config.h"

namespace sallyport::config {
namespace {

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

// "GITHUB_apiKey-2" -> github, api, key, 2
std::vector<std::string> words_of(std::string_view name) {
  std::vector<std::string> words(1);
  char before = 0;
  for (const char c : name) {
    const bool letter = is_upper(c) || is_lower(c) || is_digit(c);
    if ((!letter || (is_upper(c) && is_lower(before))) && !words.back().empty()) words.emplace_back();
    if (letter) words.back() += static_cast<char>(is_upper(c) ? c + 32 : c);
    before = c;
  }
  if (words.back().empty()) words.pop_back();
  return words;
}

bool any_of_words(const std::vector<std::string>& words, std::initializer_list<std::string_view> set) {
  return std::ranges::any_of(words, [&](const std::string& w) { return std::ranges::find(set, w) != set.end(); });
}

// The forms of well-known services: what they begin with.
constexpr std::array<std::string_view, 26> kPrefixes{
    "sk-",    "sk_",   "pk_live", "rk_live", "ghp_", "gho_",  "ghu_",    "ghs_",    "github_pat_",
    "glpat-", "xoxb-", "xoxp-",   "xapp-",   "AKIA", "ASIA",  "AIza",    "ya29.",   "hf_",
    "npm_",   "pypi-", "ntn_",    "secret_", "mcp_", "tvly-", "dop_v1_", "lin_api_"};

bool has_known_form(std::string_view value) {
  if (value.find("-----BEGIN") != std::string_view::npos) return true;
  for (const std::string_view scheme : {"Bearer ", "bearer ", "Basic ", "basic ", "token "}) {
    if (value.starts_with(scheme) && value.size() > scheme.size() + 7) return true;
  }
  if (value.size() < 16 || value.find(' ') != std::string_view::npos) return false;
  if (value.starts_with("eyJ") && std::ranges::count(value, '.') == 2) return true;
  return std::ranges::any_of(kPrefixes, [&](std::string_view p) { return value.starts_with(p); });
}

// scheme://user:password@host
bool has_password_in_url(std::string_view value) {
  const auto scheme = value.find("://");
  if (scheme == std::string_view::npos) return false;
  const std::string_view rest = value.substr(scheme + 3);
  const std::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
  const auto at = authority.rfind('@');
  return at != std::string_view::npos && authority.substr(0, at).find(':') != std::string_view::npos;
}

// Long, one word, and as mixed as random bytes are.
bool looks_random(std::string_view value) {
  if (value.size() < 32 || value.size() > 512) return false;
  std::array<int, 256> seen{};
  bool digit = false;
  bool hex = true;
  for (const char c : value) {
    const bool good = is_upper(c) || is_lower(c) || is_digit(c) || c == '_' || c == '-' || c == '+' || c == '=';
    if (!good) return false;
    digit = digit || is_digit(c);
    hex = hex && (is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'));
    ++seen[static_cast<unsigned char>(c)];
  }
  double entropy = 0;
  for (const int n : seen) {
    if (n > 0) entropy -= n * std::log2(static_cast<double>(n) / static_cast<double>(value.size()));
  }
  return digit && entropy / static_cast<double>(value.size()) > (hex ? 3.0 : 4.0);
}

bool is_harmless(std::string_view value) {
  static constexpr std::array<std::string_view, 9> kWords{"",   "true", "false", "yes", "no",
                                                          "on", "off",  "none",  "null"};
  return std::ranges::find(kWords, value) != kWords.end();
}

constexpr std::array<std::string_view, 22> kKnownWeak{
    "change-me",
    "changeme",
    "change_me",
    "change-this",
    "change_this",
    "changethis",
    "change-in-production",
    "your-secret",
    "your_secret",
    "yoursecret",
    "secret-key",
    "secret_key",
    "supersecret",
    "super-secret",
    "example",
    "placeholder",
    "default",
    "password",
    "insecure",
    "qwerty",
    "12345678901234567890",
    "-tn1xqqtdgub5nazzn_qsolrvjv9gmmwb0y-kfldsak"};  // the last: the published key of S1-7

}  // namespace

bool is_secret_name(std::string_view name) {
  const std::vector<std::string> words = words_of(name);
  if (words.empty()) return false;
  // API_KEY_FILE, TOKEN_URL, AUTH_TYPE, CLIENT_ID: about a secret, not one.
  static constexpr std::array<std::string_view, 24> kAbout{
      "file",    "path",    "dir",    "url",    "uri",  "endpoint", "id",     "name",
      "type",    "limit",   "count",  "max",    "min",  "ttl",      "expiry", "expires",
      "timeout", "enabled", "header", "prefix", "mode", "method",   "host",   "port"};
  if (std::ranges::find(kAbout, words.back()) != kAbout.end()) return false;
  if (any_of_words(words,
                   {"token", "secret", "secrets", "password", "passwd", "passphrase", "pwd", "pass", "apikey",
                    "credential", "credentials", "authorization", "cookie", "pat", "jwt", "bearer", "auth", "dsn"})) {
    return true;
  }
  return words.back() == "key" && words.size() > 1;
}

bool looks_like_secret(std::string_view name, std::string_view value) {
  if (has_reference(value) || is_harmless(value)) return false;
  if (has_known_form(value) || has_password_in_url(value) || looks_random(value)) return true;
  return is_secret_name(name);
}

std::string weak_secret_reason(std::string_view secret) {
  if (secret.size() < 32) return "is shorter than 32 bytes (RFC 7518 3.2)";
  std::string low(secret);
  for (char& c : low) c = static_cast<char>(is_upper(c) ? c + 32 : c);
  const bool known =
      std::ranges::any_of(kKnownWeak, [&](std::string_view w) { return low.find(w) != std::string::npos; });
  const std::size_t distinct = std::set<char>(low.begin(), low.end()).size();
  wipe(low);
  if (known) return "is a placeholder or a published secret";
  return distinct < 10 ? "has too few different characters" : "";
}

}  // namespace sallyport::config
