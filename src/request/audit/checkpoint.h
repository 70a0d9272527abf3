// A checkpoint as a signed line. Internal to the audit stage.
//
//   {"number":7,"timestamp":"...","kind":"tick","previous":"<hash of the line before>","segments":[{"name":"...",
//    "count":12,"head":"<hex>","finished":false}],"retired":["..."],"signature":"<128 hex digits>"}
//
// Kinds: `start` and every 1,000th `full` name every segment that is kept, `tick` those that changed, `close` ends a run.
// The signature (Ed25519) is over kCheckpointContext and the object without it; `previous` is over the whole line, so that
// one valid signature at the end vouches for everything before.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "crypto/signature.h"
#include "request/audit/log.h"

namespace sallyport::audit {

inline constexpr std::string_view kCheckpointContext = "sallyport audit checkpoint v1\n";

struct CheckpointBody {
  std::uint64_t number = 0;
  WallTime at{};  // written only; readers do not need it
  std::string kind;
  std::string previous;
  std::vector<SegmentState> segments;
  std::vector<std::string> retired;
};

std::string no_previous();                            // 64 zeros
std::string checkpoint_hash(std::string_view line);   // SHA-256, hex
Result<Checkpoint> sign_checkpoint(const CheckpointBody& body, const crypto::SigningKey& key);
std::optional<CheckpointBody> parse_checkpoint(std::string_view line);
bool signature_holds(std::string_view line, const crypto::PublicKey& key);

}  // namespace sallyport::audit
