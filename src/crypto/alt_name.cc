#include "crypto/alt_name.h"

#include <algorithm>
#include <array>

#include "core/ip_address.h"

namespace sallyport::crypto {
namespace {

constexpr std::array<std::string_view, 4> kKinds{"dns", "ip", "uri", "email"};

bool is_letter(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
bool is_alnum(char c) noexcept { return is_letter(c) || is_digit(c); }

std::unexpected<Error> refused(std::string_view text, std::string_view why) {
  return fail(Code::validation, "'" + std::string(text.substr(0, 100)) + "': " + std::string(why));
}

bool is_label(std::string_view label) noexcept {
  const auto inner = [](char c) { return is_alnum(c) || c == '-'; };
  return !label.empty() && label.size() <= 63 && std::ranges::all_of(label, inner) && label.front() != '-' &&
         label.back() != '-';
}

// Says how many labels; 0: it is no name.
std::size_t labels_of(std::string_view name) noexcept {
  std::size_t count = 0;
  for (;;) {
    const std::size_t dot = name.find('.');
    const std::string_view label = name.substr(0, dot);
    if (!is_label(label)) return 0;
    ++count;
    if (dot == std::string_view::npos) return std::ranges::any_of(label, is_letter) ? count : 0;
    name.remove_prefix(dot + 1);
  }
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return out;
}

Result<AltName> dns_name(std::string_view text) {
  const bool wildcard = text.starts_with("*.");
  const std::size_t labels = labels_of(wildcard ? text.substr(2) : text);
  if (text.size() > 253 || labels == 0) {
    return refused(text, "no host name: labels of letters, digits and inner hyphens with full stops between");
  }
  if (wildcard && labels < 2) return refused(text, "a wildcard needs two labels behind it");
  return AltName{AltNameKind::dns, lower(text)};
}

Result<AltName> ip_name(std::string_view text) {
  const auto address = IpAddress::parse(text);
  if (!address) return refused(text, "no IP address");
  return AltName{AltNameKind::ip, address->text()};
}

Result<AltName> uri_name(std::string_view text) {
  const std::size_t colon = text.find(':');
  const auto scheme = text.substr(0, colon);
  const bool good_scheme =
      colon != std::string_view::npos && !scheme.empty() && is_letter(scheme.front()) &&
      std::ranges::all_of(scheme, [](char c) { return is_alnum(c) || c == '+' || c == '-' || c == '.'; });
  const auto rest = good_scheme ? text.substr(colon + 1) : std::string_view();
  constexpr std::string_view kNever = "\"<>\\^`{|}";
  const auto fits = [&](char c) { return c > ' ' && c < '\x7f' && kNever.find(c) == std::string_view::npos; };
  if (rest.empty() || text.size() > 255 || !std::ranges::all_of(rest, fits)) {
    return refused(text, "no URI of at most 255 bytes");
  }
  return AltName{AltNameKind::uri, std::string(text)};
}

Result<AltName> email_name(std::string_view text) {
  const std::size_t at = text.find('@');
  const std::string_view local = text.substr(0, at);
  constexpr std::string_view kAtom = "!#$%&'*+-/=?^_`{|}~";
  const auto fits = [&](char c) { return is_alnum(c) || c == '.' || kAtom.find(c) != std::string_view::npos; };
  const bool good_local = at != std::string_view::npos && !local.empty() && local.size() <= 64 &&
                          std::ranges::all_of(local, fits) && local.front() != '.' && local.back() != '.' &&
                          local.find("..") == std::string_view::npos;
  if (!good_local || text.size() > 254 || labels_of(text.substr(at + 1)) == 0)
    return refused(text, "no e-mail address");
  return AltName{AltNameKind::email, std::string(local) + "@" + lower(text.substr(at + 1))};
}

}  // namespace

std::string_view name_of(AltNameKind kind) noexcept { return kKinds[static_cast<std::size_t>(kind)]; }

Result<AltName> alt_name(AltNameKind kind, std::string_view text) {
  switch (kind) {
    case AltNameKind::dns: return dns_name(text);
    case AltNameKind::ip: return ip_name(text);
    case AltNameKind::uri: return uri_name(text);
    case AltNameKind::email: return email_name(text);
  }
  return fail(Code::validation, "no such kind of name");
}

Result<AltName> host_name(std::string_view text) {
  const bool bracketed = text.size() > 2 && text.front() == '[' && text.back() == ']';
  const std::string_view bare = bracketed ? text.substr(1, text.size() - 2) : text;
  if (bracketed || IpAddress::parse(bare)) return ip_name(bare);
  return dns_name(text);
}

std::string to_string(const AltName& name) { return std::string(name_of(name.kind)) + ":" + name.value; }

Result<AltName> read_alt_name(std::string_view text) {
  const std::size_t colon = text.find(':');
  const auto kind = std::ranges::find(kKinds, text.substr(0, colon));
  if (colon == std::string_view::npos || kind == kKinds.end()) return refused(text, "dns:, ip:, uri: or email: first");
  return alt_name(static_cast<AltNameKind>(kind - kKinds.begin()), text.substr(colon + 1));
}

Result<void> check_common_name(std::string_view text) {
  const bool control = std::ranges::any_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
  if (text.empty() || text.size() > kCommonNameBytesMax || control || text.front() == ' ' || text.back() == ' ') {
    return refused(text, "a name has 1 to 64 bytes, no control characters and no blank at either end");
  }
  return {};
}

}  // namespace sallyport::crypto
