// Inside cli only: what differs between two texts, as `diff -u` shows it. Pure.
#pragma once

#include <string>
#include <string_view>

namespace sallyport::cli {

// Empty where they are equal. The two names stand in the head ("--- before", "+++ after"), three lines of what is the same
// around each change. The fewest changed lines (Myers 1986), found within a bound: of texts that differ in more than 2,000
// lines the part between their equal beginning and end is shown as replaced.
std::string line_diff(std::string_view before, std::string_view after, std::string_view name_before,
                      std::string_view name_after);

}  // namespace sallyport::cli
