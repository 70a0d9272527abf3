// What the names of people and of API keys may hold. Plain functions.
#pragma once

#include <string_view>

#include "core/result.h"

namespace sallyport::control {

// 1 to 255 bytes of UTF-8 without control characters, blanks at the ends, characters that are not seen (zero width,
// direction marks, soft hyphen) and blanks that are none (U+00A0, U+3000, ...); not "." or "..", which a path cannot name.
// Letters of every script may stand, so two names can still look alike: ids tell them apart. Code::validation; `what` begins the sentence.
Result<void> check_name(std::string_view name, std::string_view what);

}  // namespace sallyport::control
