// Words that many people choose as passwords: what both password profiles compare with (NIST SP 800-63B-4, 3.1.1.2).
#pragma once

#include <string_view>

namespace sallyport::control {

// Separated by one space, longest first; lower case, letters and digits, 5 bytes or more each.
[[nodiscard]] std::string_view common_passwords() noexcept;

}  // namespace sallyport::control
