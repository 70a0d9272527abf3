#include "crypto/known_secrets.h"

#include <algorithm>
#include <array>
#include <string>

#include "core/secret.h"

namespace sallyport::crypto {
namespace {

// Compared without case, spaces and punctuation. Whole ones are short words; parts mark a placeholder wherever they
// stand.
constexpr std::array<std::string_view, 21> kWhole{
    "admin",  "adminadmin", "administrator", "password", "passw0rd",  "password1",     "password123",
    "secret", "changeme",   "letmein",       "qwerty",   "root",      "default",       "test",
    "guest",  "welcome",    "sallyport",     "user",     "masterkey", "adminpassword", "welcome123"};
constexpr std::array<std::string_view, 20> kParts{
    "changeme",         "changethis",         "changein",       "yoursecret",   "yoursuper",
    "yourjwt",          "secretkeyhere",      "supersecretkey", "replaceme",    "replacethis",
    "placeholder",      "yourkeyhere",        "insertyour",     "devsecret",    "insecuresecret",
    "your256bitsecret", "atleast256bitslong", "notasecret",     "yourpassword", "defaultsecret"};
constexpr std::array<std::string_view, 7> kRuns{"0123456789",       "1234567890",   "abcdefghijklmnop", "qwertyuiop",
                                                "passwordpassword", "secretsecret", "adminadminadmin"};

std::string plain(std::string_view secret) {
  std::string out;
  out.reserve(secret.size());
  for (const char c : secret) {
    if (c >= 'A' && c <= 'Z') out += static_cast<char>(c - 'A' + 'a');
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) out += c;
  }
  return out;
}

}  // namespace

bool is_known_secret(std::string_view secret) {
  if (secret.find(kPublishedApiKey.substr(4)) != std::string_view::npos) return true;
  std::string text = plain(secret);
  const auto is_part = [&](std::string_view part) { return text.find(part) != std::string::npos; };
  const bool known = std::ranges::find(kWhole, std::string_view(text)) != kWhole.end() ||
                     std::ranges::any_of(kParts, is_part) || std::ranges::any_of(kRuns, is_part);
  wipe(text);
  return known;
}

bool is_low_variety(std::string_view secret) noexcept {
  std::array<bool, 256> seen{};
  for (const char c : secret) seen[static_cast<unsigned char>(c)] = true;
  if (std::ranges::count(seen, true) < 8) return true;
  for (std::size_t unit = 1; unit <= secret.size() / 2; ++unit) {
    if (secret.substr(unit) == secret.substr(0, secret.size() - unit)) return true;
  }
  return false;
}

}  // namespace sallyport::crypto
