#include "request/audit/redact.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>

#include "core/encoding.h"
#include "crypto/hash.h"
#include "crypto/jws.h"
#include "request/audit/scan.h"

namespace sallyport::audit {
namespace {

constexpr auto kNone = std::string_view::npos;

// Parts of names, in the normal form of NormalName: anywhere in the name they make it secret (ruling C12).
constexpr std::array<std::string_view, 24> kParts{
    "password", "passwd", "passphrase", "passcode", "secret", "token", "authorization", "cookie",
    "apikey", "privatekey", "accesskey", "signingkey", "encryptionkey", "masterkey", "sshkey", "clientkey",
    "credential", "bearer", "sessionid", "connectionstring", "assertion", "onetimecode", "securitycode", "signature"};
// Too short to be looked for inside other words: the whole name.
constexpr std::array<std::string_view, 12> kWhole{"pwd", "pass", "pin", "otp", "cvv", "cvc", "csc", "ssn", "auth", "jwt",
                                                  "sid", "creds"};
constexpr std::size_t kWholeBytesMax = 5;

constexpr std::size_t kCredentialBytesMin = 40;  // ours have 43 characters and more after the prefix

// Of a letter or digit its lower case, of anything else 0: names are compared without case and format.
constexpr std::array<char, 256> kNormal = [] {
  std::array<char, 256> table{};
  for (char c = '0'; c <= '9'; ++c) table[static_cast<unsigned char>(c)] = c;
  for (char c = 'a'; c <= 'z'; ++c) {
    table[static_cast<unsigned char>(c)] = table[static_cast<unsigned char>(c - 32)] = c;
  }
  return table;
}();

// "X-Api_Key" -> "xapikey". What fits is kept here, what is longer on the heap.
class NormalName {
 public:
  explicit NormalName(std::string_view name) {
    char* at = name.size() <= here_.size() ? here_.data() : (heap_.resize(name.size()), heap_.data());
    char* const begin = at;
    for (const char c : name) {
      *at = kNormal[static_cast<unsigned char>(c)];
      at += *at != 0 ? 1 : 0;
    }
    text_ = {begin, at};
  }
  NormalName(const NormalName&) = delete;
  NormalName& operator=(const NormalName&) = delete;
  [[nodiscard]] std::string_view text() const noexcept { return text_; }

 private:
  std::array<char, 64> here_;
  std::string heap_;
  std::string_view text_;
};

// Which pairs of characters a part begins with: almost no position of a harmless name needs a closer look.
constexpr std::uint32_t pair_bit(char first, char second) noexcept {
  return ((static_cast<unsigned char>(first) & 31U) << 5U) | (static_cast<unsigned char>(second) & 31U);
}
constexpr std::array<bool, 1024> kBeginnings = [] {
  std::array<bool, 1024> table{};
  for (const std::string_view part : kParts) table[pair_bit(part[0], part[1])] = true;
  return table;
}();

bool is_number(std::string_view value) noexcept {
  return !value.empty() && (value[0] == '-' || (value[0] >= '0' && value[0] <= '9'));
}

// One pass over a document: copies it without whitespace, with what must not be seen replaced. What stays as it is goes
// out in stretches: `kept_` is where the one that is not yet copied begins.
class Walk {
 public:
  Walk(const Redactor& redactor, const RedactLimits& limits, std::string_view in)
      : redactor_(redactor), limits_(limits), in_(in) {
    out_.reserve(std::min(in.size(), limits.output_bytes_max) + 64);
  }

  bool document() {
    if (!value(0)) return false;
    space();
    copy(at_);
    return at_ == in_.size();
  }
  [[nodiscard]] bool too_long() const noexcept { return out_.size() + (at_ - kept_) > limits_.output_bytes_max; }
  std::string take() { return std::move(out_); }

 private:
  void copy(std::size_t end) {
    out_.append(in_, kept_, end - kept_);
    kept_ = end;
  }

  // Instead of what stands between here and `end`.
  void put(std::string_view text, std::size_t end) {
    copy(at_);
    out_ += text;
    at_ = kept_ = end;
  }

  void space() {
    if (at_ >= in_.size() || static_cast<unsigned char>(in_[at_]) > ' ') return;
    copy(at_);
    while (at_ < in_.size() && (in_[at_] == ' ' || in_[at_] == '\t' || in_[at_] == '\n' || in_[at_] == '\r')) ++at_;
    kept_ = at_;
  }

  bool value(std::size_t depth) {
    space();
    if (at_ >= in_.size() || too_long()) return false;
    const char c = in_[at_];
    if (c == '"') return string(skip_string(in_, at_));
    if (c != '{' && c != '[') return literal();
    if (depth >= limits_.depth_max) return deep();
    return c == '{' ? container(depth, '}', true) : container(depth, ']', false);
  }

  bool container(std::size_t depth, char close, bool object) {
    ++at_;
    space();
    if (at_ < in_.size() && in_[at_] == close) return ++at_, true;
    for (;;) {
      if (!(object ? member(depth) : value(depth + 1))) return false;
      space();
      if (at_ >= in_.size() || (in_[at_] != ',' && in_[at_] != close)) return false;
      if (in_[at_++] == close) return true;
    }
  }

  bool member(std::size_t depth) {
    space();
    if (at_ >= in_.size() || in_[at_] != '"') return false;
    const std::size_t end = skip_string(in_, at_);
    if (end == kNone) return false;
    const std::string_view raw = in_.substr(at_ + 1, end - at_ - 2);
    const bool secret = raw.contains('\\') ? is_secret_name(unescape(raw)) : is_secret_name(raw);
    if (!string(end)) return false;
    space();
    if (at_ >= in_.size() || in_[at_] != ':') return false;
    ++at_;
    if (!secret) return value(depth + 1);
    return hidden(depth, raw);
  }

  // A value under a secret name. true, false and null tell nothing; neither do counts of tokens.
  bool hidden(std::size_t depth, std::string_view raw_name) {
    space();
    copy(at_);
    const std::size_t start = at_;
    const std::size_t out_start = out_.size();
    if (!value(depth + 1)) return false;
    const std::string_view shown = in_.substr(start, at_ - start);
    const bool count = is_number(shown) && NormalName(raw_name).text().ends_with("tokens");
    if (count || shown == "true" || shown == "false" || shown == "null") return true;
    out_.resize(out_start);
    kept_ = at_;
    out_ += "\"[redacted:" + redactor_.short_digest(shown) + "]\"";
    return true;
  }

  bool string(std::size_t end) {
    if (end == kNone) return false;
    const std::string_view raw = in_.substr(at_ + 1, end - at_ - 2);
    if (is_credential(raw)) return put("\"[redacted:" + redactor_.short_digest(raw) + "]\"", end), true;
    if (raw.size() <= limits_.string_bytes_max) return at_ = end, true;
    ++at_;  // the quotes stay
    at_ += boundary(raw);
    put("[cut:" + std::to_string(raw.size()) + ":" + redactor_.short_digest(raw) + "]", end - 1);
    return at_ = end, true;
  }

  // The last place at or before the limit that is inside neither an escape nor a character.
  [[nodiscard]] std::size_t boundary(std::string_view raw) const noexcept {
    std::size_t at = 0;
    for (std::size_t next = 0; next <= limits_.string_bytes_max;) {
      at = next;
      if (raw[next] != '\\') {
        ++next;
        while (next < raw.size() && (static_cast<unsigned char>(raw[next]) & 0xC0U) == 0x80) ++next;
      } else {
        // A surrogate pair is one character of twelve bytes.
        const bool high = (raw.substr(next, 3) == "\\ud" || raw.substr(next, 3) == "\\uD") && raw.substr(next + 6, 2) == "\\u";
        next += raw.substr(next, 2) != "\\u" ? 2 : high ? 12 : 6;
      }
    }
    return at;
  }

  bool literal() {
    const std::size_t end = std::min(in_.find_first_not_of("+-.0123456789Eaeflnrstu", at_), in_.size());
    const std::string_view text = in_.substr(at_, end - at_);
    if (text != "true" && text != "false" && text != "null" && !is_number(text)) return false;
    if (is_number(text) && text.find_first_not_of("+-.0123456789Ee") != kNone) return false;
    if (text.size() > limits_.string_bytes_max) put(text.substr(0, limits_.string_bytes_max), end);
    return at_ = end, true;
  }

  bool deep() {
    const std::size_t end = skip_value(in_, at_);
    if (end == kNone) return false;
    put("\"[deep:" + redactor_.short_digest(in_.substr(at_, end - at_)) + "]\"", end);
    return true;
  }

  const Redactor& redactor_;
  const RedactLimits& limits_;
  std::string_view in_;
  std::size_t at_ = 0, kept_ = 0;
  std::string out_;
};

int hex_value(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// Percent-decoding for the name's sake only: what is malformed stays as it is.
std::string percent_decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 && hex_value(text[i + 2]) >= 0) {
      out.push_back(static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2])));
      i += 2;
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

}  // namespace

bool is_secret_name(std::string_view decoded_name) {
  const NormalName normal(decoded_name);
  const std::string_view name = normal.text();
  if (name.size() <= kWholeBytesMax && std::ranges::find(kWhole, name) != kWhole.end()) return true;
  for (std::size_t at = 0; at + 1 < name.size(); ++at) {
    if (!kBeginnings[pair_bit(name[at], name[at + 1])]) continue;
    const std::string_view rest = name.substr(at);
    if (std::ranges::any_of(kParts, [rest](std::string_view part) { return rest.starts_with(part); })) return true;
  }
  return false;
}

bool is_credential(std::string_view value) noexcept {
  if (value.size() < kCredentialBytesMin) return false;
  if (value.starts_with("eyJ")) return crypto::looks_like_jws(value);
  if (!value.starts_with("mcp_") && !value.starts_with("mcpr_")) return false;
  bool upper = false, lower = false;  // random letters have both, names of tools hardly ever
  for (const char c : value.substr(5)) {
    upper |= c >= 'A' && c <= 'Z';
    lower |= c >= 'a' && c <= 'z';
    if (kNormal[static_cast<unsigned char>(c)] == 0 && c != '_' && c != '-') return false;
  }
  return upper && lower;
}

std::string Redactor::json(std::string_view minified) const { return within(limits_, minified); }

std::string Redactor::whole(std::string_view minified) const {
  std::string out = within({.string_bytes_max = 16U << 10U, .output_bytes_max = 60U << 10U}, minified);
  return out.starts_with(R"({"_cut":)") ? json(minified) : out;
}

std::string Redactor::secrets(std::string_view minified) const {
  const std::size_t any = minified.size() + 1;  // a string is no longer than the text it stands in
  return within({.string_bytes_max = any, .output_bytes_max = std::numeric_limits<std::size_t>::max()}, minified);
}

std::string Redactor::within(const RedactLimits& limits, std::string_view minified) const {
  if (!valid_utf8(minified)) {
    return "{\"_unreadable\":" + std::to_string(minified.size()) + ",\"_digest\":\"" + digest(minified) + "\"}";
  }
  Walk walk(*this, limits, minified);
  const bool whole = walk.document();
  if (whole && !walk.too_long()) return walk.take();
  const char* why = walk.too_long() ? "_cut" : "_unreadable";
  return std::string("{\"") + why + "\":" + std::to_string(minified.size()) + ",\"_digest\":\"" + digest(minified) + "\"}";
}

std::string Redactor::query(std::string_view query) const {
  std::string out;
  for (std::size_t at = 0; at <= query.size() && !query.empty();) {
    const std::size_t end = std::min(query.find_first_of("&;", at), query.size());
    const std::string_view pair = query.substr(at, end - at);
    const std::size_t equals = pair.find('=');
    const std::string_view name = pair.substr(0, equals);
    out += name.substr(0, limits_.string_bytes_max);
    if (equals != kNone) {
      const std::string_view value = pair.substr(equals + 1);
      const bool hide =
          is_secret_name(percent_decode(name)) || is_credential(value) || value.size() > limits_.string_bytes_max;
      out += hide ? "=[redacted:" + short_digest(value) + "]" : "=" + std::string(value);
    }
    if (out.size() > limits_.output_bytes_max) return "[cut:" + short_digest(query) + "]";
    if (end < query.size()) out.push_back(query[end]);
    at = end + 1;
  }
  return out;
}

std::string Redactor::path(std::string_view path) const {
  if (path.size() < kCredentialBytesMin) return std::string(path);
  std::string out;
  for (std::size_t at = 0; at <= path.size();) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    const std::string_view segment = path.substr(at, end - at);
    out += is_credential(segment) ? "[redacted:" + short_digest(segment) + "]" : std::string(segment);
    if (end < path.size()) out.push_back('/');
    at = end + 1;
  }
  return out;
}

std::string Redactor::short_digest(std::string_view bytes) const { return digest(bytes).substr(0, 16); }

std::string Redactor::digest(std::string_view bytes) const {
  return hex_encode(crypto::keyed_digest(as_bytes(key_.reveal()), bytes));
}

}  // namespace sallyport::audit
