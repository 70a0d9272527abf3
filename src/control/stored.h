// The values that pass between the control plane and its Repository beside those of model/. Plain values.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "control/login_desk.h"
#include "control/policy_store.h"
#include "model/principal.h"
#include "model/server.h"
#include "model/snapshot.h"

namespace sallyport::control {

// A key that signs or verifies access tokens. `sealed`: base64url, under KeyStore purpose token_keys: the private half
// while it signs, afterwards the public half alone (a symmetric one stays what it is until it is forgotten).
struct StoredTokenKey {
  std::string id;  // kid
  std::string algorithm;  // "EdDSA"
  std::string sealed;
  WallTime created_at{};
  std::chrono::seconds token_lifetime{};  // the longest that a token under it was given
  std::optional<WallTime> retired_at;  // signs no more
  bool revoked = false;  // verifies no more either
};

// Everything at start. Lists are ordered by id or name. `tools` carry no compiled schemas.
struct StoredState {
  std::vector<UserRecord> users;
  std::vector<KeyRecord> keys;
  std::map<std::string, WallTime, std::less<>> revoked_tokens;  // jti -> when its token expires
  std::vector<StoredSession> sessions;
  std::vector<ServerRecord> servers;
  std::vector<ToolRecord> tools;  // of servers
  std::vector<ToolRecord> registered;
  std::vector<Role> roles;  // custom ones only
  std::vector<Toolset> toolsets;
  std::vector<Group> groups;
  std::vector<PolicyVersion> policies;  // by number
  PolicyState policy_state;
  std::map<std::string, std::string, std::less<>> meta;
  std::vector<StoredTokenKey> token_keys;  // newest first
  std::map<std::string, LabelsOfOne, std::less<>> labels;  // by principal id
  std::vector<CertificateMapping> certificates;  // by id
};

struct KeyUse {
  std::string key_id;
  WallTime at{};  // the last one
  std::uint64_t count = 0;  // of all so far
};

struct ToolUse {
  std::string server;
  std::string name;
  WallTime at{};
  std::uint64_t count = 0;
};

// A tool that a search by words found.
struct ToolHit {
  std::string server;
  std::string name;
  double score = 0;  // of this search: more is better, above 0
  friend bool operator==(const ToolHit&, const ToolHit&) = default;
};

// The audit's checkpoint, kept here too so that a roll-back of the audit folder shows (design, principle 7).
struct StoredCheckpoint {
  std::uint64_t number = 0;
  WallTime at{};
  std::string hash;  // of the line, hex
  std::string line;
};

}  // namespace sallyport::control
