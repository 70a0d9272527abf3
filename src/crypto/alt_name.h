// The names in a certificate (subjectAltName, RFC 5280 4.2.1.6) as plain values: whatever is not one of these four, in
// strict form, is put into no certificate of ours. Plain functions, any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.h"

namespace sallyport::crypto {

enum class AltNameKind : std::uint8_t { dns, ip, uri, email };

struct AltName {
  AltNameKind kind = AltNameKind::dns;
  std::string value;
  friend bool operator==(const AltName&, const AltName&) = default;
};

inline constexpr std::size_t kAltNamesMax = 100;  // of one certificate
inline constexpr std::size_t kCommonNameBytesMax = 64;  // RFC 5280 appendix A, ub-common-name

// "dns", "ip", "uri", "email".
[[nodiscard]] std::string_view name_of(AltNameKind kind) noexcept;

// The name as it is written into a certificate; Code::validation saying what is wrong with it.
//   dns    ASCII, in small letters: labels of letters, digits and inner hyphens, 63 bytes each and 253 in all (RFC 1123
//          2.1); "*." may stand before two labels or more; the last label has a letter, so that no address passes as a name
//   ip     an address in its shortest form, IPv4 or IPv6
//   uri    a scheme, a colon and 1 to 255 printable ASCII characters (RFC 3986), no blank
//   email  local part of dot-atoms, and a domain (RFC 5321), 254 bytes
[[nodiscard]] Result<AltName> alt_name(AltNameKind kind, std::string_view text);

// What a server is reached by: an address (in brackets or not) as `ip`, all else as `dns`.
[[nodiscard]] Result<AltName> host_name(std::string_view text);

// "dns:gateway.example"; for lists that people read.
[[nodiscard]] std::string to_string(const AltName& name);

// The other way; Code::validation.
[[nodiscard]] Result<AltName> read_alt_name(std::string_view text);

// 1 to 64 bytes of UTF-8 without control characters, that neither begin nor end with a blank; Code::validation.
[[nodiscard]] Result<void> check_common_name(std::string_view text);

}  // namespace sallyport::crypto
