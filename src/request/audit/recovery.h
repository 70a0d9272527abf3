// What the last run left behind: reads the end of the checkpoints and the segments that were open, cuts torn lines off.
// Internal to the audit stage; runs once, before any writer exists.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "request/audit/log.h"

namespace sallyport::audit {

struct Recovered {
  std::map<std::string, SegmentState> segments;  // kept ones, all finished; as signed where they do not match any more
  std::uint64_t number = 0;
  std::string previous;  // hash of the last checkpoint line
  std::uint64_t checkpoint_bytes = 0;
  std::vector<std::string> retired;  // signed as retired, but still there
  std::vector<std::string> notices;
};

Result<Recovered> recover_dir(const std::string& dir, const std::optional<KnownCheckpoint>& known);

}  // namespace sallyport::audit
