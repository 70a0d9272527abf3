// What the control plane keeps for good, as plain values of model/. The control plane owns the repository and calls it on
// its own thread only (the control executor); back ends live in storage/. Each mutating call is one transaction
// that is committed (durably) before it returns: publish a snapshot only after it did. Errors: `already_exists` (a unique
// name is taken), `not_found` (nothing to delete or to refer to), `storage` (anything else; no value is in its detail).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "control/certificate_desk.h"
#include "control/label_desk.h"
#include "control/stored.h"
#include "core/result.h"
#include "model/access_uses.h"

namespace sallyport::control {

class Repository : public SessionStore, public LabelStore, public PolicyStore, public CertificateStore {
 public:
  virtual Result<StoredState> load() = 0;

  // Inserts, or replaces the record of the same id. A name that another id holds is `already_exists`.
  virtual Result<void> put_user(const UserRecord& user) = 0;
  virtual Result<void> delete_user(
      std::string_view id) = 0;  // with the keys it owns, and labels and certificates of all these

  // An owner that does not exist is `not_found`. The use stands as it was stored before.
  virtual Result<void> put_key(const KeyRecord& key) = 0;
  virtual Result<void> delete_key(std::string_view id) = 0;  // with its labels and certificates
  // Keys that are gone by now are passed over; neither value moves backwards. Written behind, by 5 s at most.
  virtual Result<void> touch_keys(std::span<const KeyUse> uses) = 0;

  virtual Result<void> add_revoked_token(std::string_view jti, WallTime expires_at) = 0;
  // Forgets revocations whose token expired before `now`; says how many.
  virtual Result<std::uint64_t> prune_revoked_tokens(WallTime now) = 0;

  // Replaces the whole set.
  virtual Result<void> put_token_keys(std::span<const StoredTokenKey> keys) = 0;

  virtual Result<void> put_server(const ServerRecord& server) = 0;  // its tools stay as they are
  virtual Result<void> delete_server(std::string_view name) = 0;  // with its tools
  // The tools of `server` are these and no others. Each must name it; an unknown server is `not_found`.
  virtual Result<void> replace_tools(std::string_view server, std::span<const ToolRecord> tools) = 0;

  // As touch_keys; registered ones by kRegistry.
  virtual Result<void> touch_tools(std::span<const ToolUse> uses) = 0;

  // Registered tools, by name; what they are bound to is not looked up.
  virtual Result<void> put_registered_tool(const ToolRecord& tool) = 0;
  virtual Result<void> delete_registered_tool(std::string_view name) = 0;
  // Tools of servers and registered ones that have every word of `words` (the beginning of a word will do) in name, title,
  // description, category or tag, the best match first, `most` of them. Words are words: no operator is read in them.
  virtual Result<std::vector<ToolHit>> search_tools(std::string_view words, std::uint32_t most) = 0;

  virtual Result<void> put_role(const Role& role) = 0;
  virtual Result<void> delete_role(std::string_view name) = 0;

  virtual Result<void> put_toolset(const Toolset& toolset) = 0;  // its tools are these and no others
  virtual Result<void> delete_toolset(std::string_view name) = 0;
  // Adds to what is stored; the last use never moves backwards. At most 200,000 pairs are kept, those used longest ago go first;
  // those of a user, key or server that is deleted go with it.
  virtual Result<void> add_access_uses(std::span<const AccessUse> uses) = 0;
  // Sets `last` and `count` of each; the epoch and 0 where there is none.
  virtual Result<void> find_access_uses(std::span<AccessUse> wanted) = 0;

  // Who is in a group stands with the user.
  virtual Result<void> put_group(const Group& group) = 0;
  virtual Result<void> delete_group(std::string_view name) = 0;

  // Small values: settings changed at run time, flags of the first start.
  virtual Result<void> put_meta(std::string_view name, std::string_view value) = 0;
  virtual Result<std::optional<std::string>> get_meta(std::string_view name) = 0;

  // Numbers only rise: an equal or smaller one is `conflict`. The last 1,000 are kept.
  virtual Result<void> put_checkpoint(const StoredCheckpoint& checkpoint) = 0;
  virtual Result<std::vector<StoredCheckpoint>> last_checkpoints(std::uint32_t count) = 0;  // newest last
};

}  // namespace sallyport::control
