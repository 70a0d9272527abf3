// Reading for people: the last records over all segments, merged by time, and the guides' own formats (ruling C10). Reads files
// only and from their ends, so that the cost follows what is asked for. Proves nothing: that is verify(). One thread.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/result.h"

namespace sallyport::audit {

// Empty members match everything; others must be equal.
struct Filter {
  std::string kind;
  std::string event_type;
  std::string principal;
  std::string user_id;
  std::string server;
  std::string tool;
  std::string result;
  std::string request_id;
  std::optional<WallTime> since;  // included
  std::optional<WallTime> until;  // not included
};

inline constexpr std::size_t kTailMax = 100'000;

// The last `count` (at most kTailMax) records that match, newest last. Lines that cannot be read are passed over; sealed
// ones are opened with `key` (Purpose::audit_encryption), Code::crypto where it does not open them.
Result<std::vector<std::string>> tail(const std::string& dir, const Filter& filter, std::size_t count,
                                      std::span<const std::byte> key = {});

// record: the line itself. guide_s0: S0-16. guide_s1: S1-27. guide_s3: S3-14 and, for errors, S3-15. guide_s4: S4-19.
enum class Format { record, guide_s0, guide_s1, guide_s3, guide_s4 };

std::optional<Format> format_from_name(std::string_view name);  // "record", "guide-s0", ...
// One line of JSON without LF; empty where the line is no record.
std::string view(std::string_view record_line, Format format);

}  // namespace sallyport::audit
