// The immutable state that workers decide by, made of shared parts so that changing one user copies one part (design,
// principle 3). The control plane makes a new one and hands it to each worker's executor; a worker holds its own pointer.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "model/client_certificate.h"
#include "model/login_session.h"
#include "model/permission.h"
#include "model/principal.h"
#include "model/server.h"

namespace sallyport::token {
class KeyRing;  // engines/token: the keys of access tokens
}

namespace sallyport::crypto {
class HashKeys;  // crypto/hash_keys.h: what API keys are hashed under
}

namespace sallyport::policy {
class Compiled;  // engines/policy: modules that are ready to decide
}

namespace sallyport {

struct Role {
  std::string name;
  PermissionSet permissions;
  std::vector<Grant> grants;
  std::vector<std::string> dotted;
  std::vector<std::string> inherits = {};  // names; in force: all of them, those that they inherit too
};

using Roles = std::map<std::string, Role, std::less<>>;

// The Rego modules in force. `epoch` rises with each change; a worker takes over a copy of `compiled` when it differs from
// its own.
struct PolicySet {
  std::uint64_t epoch = 0;
  std::vector<std::pair<std::string, std::string>> modules;  // file name, source
  std::shared_ptr<const policy::Compiled> compiled;  // null: each worker compiles for itself
  // Where it came from. `version` counts the sets that this gateway has known; 0: nobody keeps count.
  std::uint64_t version = 0;
  std::string source;  // "shipped", "folder", "activated"
  std::string author;  // principal id
  std::string reason;
  WallTime created_at{};
};

// What calls have left with a principal, by its id: it stays whatever session, token or protocol comes next.
struct Label {
  WallTime until{};
  std::string set_by;  // "server/tool"
};
using LabelsOfOne = std::map<std::string, Label, std::less<>>;  // by name
using Labels = std::map<std::string, std::shared_ptr<const LabelsOfOne>, std::less<>>;

// One class of limit: refill `requests` a `window`, capacity `requests + burst` (ruling C4).
struct LimitClass {
  std::uint32_t requests = 100;
  std::chrono::seconds window{60};
  std::uint32_t burst = 10;
  friend bool operator==(const LimitClass&, const LimitClass&) = default;
};

struct Limits {
  // "default", "address", "tls_address", "tls_all", "mcp", "tool", "public", "read", "write", "admin", "delete", "execute", "login":
  // what they mean and begin with stands in config::rate_defaults().
  std::map<std::string, LimitClass, std::less<>> classes;
};

struct Snapshot {
  std::uint64_t epoch = 0;  // rises with every change
  std::shared_ptr<const Principals> principals = std::make_shared<const Principals>();
  std::shared_ptr<const CertificateMappings> certificates = std::make_shared<const CertificateMappings>();
  std::shared_ptr<const LoginSessions> sessions = std::make_shared<const LoginSessions>();
  std::shared_ptr<const Roles> roles = std::make_shared<const Roles>();  // in force, with what they inherit
  std::shared_ptr<const Roles> written_roles = std::make_shared<const Roles>();  // for those who look at them
  std::shared_ptr<const PolicySet> policy = std::make_shared<const PolicySet>();
  bool policy_elsewhere = false;  // an OPA server decides: what its rules read is not known here
  std::shared_ptr<const PolicySet> shadow;  // a candidate, evaluated beside and never obeyed; null: none
  std::shared_ptr<const Labels> labels = std::make_shared<const Labels>();
  std::shared_ptr<const Catalogue> catalogue = std::make_shared<const Catalogue>();
  std::shared_ptr<const Limits> limits = std::make_shared<const Limits>();
  std::shared_ptr<const token::KeyRing> token_keys;  // null: no token is issued or accepted
  std::shared_ptr<const crypto::HashKeys> hash_keys;  // null: no API key is made or accepted
};

using SnapshotPtr = std::shared_ptr<const Snapshot>;

}  // namespace sallyport
