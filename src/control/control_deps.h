// What the composition root hands down to the control plane. Plain values and references, filled once by app.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "control/catalogue.h"
#include "control/hash_key_desk.h"
#include "control/label_desk.h"
#include "control/repository.h"
#include "control/token_keys.h"
#include "core/random.h"
#include "core/task.h"
#include "crypto/key_store.h"
#include "model/snapshot.h"

namespace sallyport::control {

// All of it outlives the control plane.
struct ControlDeps {
  Repository& repository;
  const crypto::KeyStore& keys;
  const Clock& clock;
  Random& random;
  // Returns when every worker has taken the snapshot.
  std::function<Task<void>(SnapshotPtr)> publish;
  // Starts the server once, lists its tools, stops it (request/upstream; run where upstreams live).
  std::function<Task<Result<ProbeResult>>(ServerRecord)> probe;
  // Ends every session with that server, on every worker.
  std::function<Task<void>(std::string)> restart;
  TokenKeyRules token_keys{};
  HashKeyRules hash_keys{};
  LabelRules labels{};
  bool policy_elsewhere = false;  // Snapshot::policy_elsewhere
  // A key was disabled unasked, since its owner does not hold what it may; `why` names the first thing that is missing.
  std::function<void(const KeyRecord& key, std::string_view why)> key_disabled = {};
};

}  // namespace sallyport::control
