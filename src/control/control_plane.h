// The one writer: it owns the repository and the newest Snapshot. Every change is durable, then published to every
// worker, and only then answered (design, principles 3 and 7). Its coroutines run on the control executor (one thread):
// workers call them through run_on. Owned by app.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "control/accounts.h"
#include "control/catalogue.h"
#include "control/control_deps.h"
#include "control/hash_key_desk.h"
#include "control/key_changes.h"
#include "control/label_desk.h"
#include "control/login_desk.h"
#include "control/policy_shelf.h"
#include "control/token_key_desk.h"
#include "control/tool_change.h"
#include "control/user_changes.h"
#include "core/task.h"
#include "model/snapshot.h"

namespace sallyport::control {

class ControlPlane final : public AccountStore {
 public:
  ControlPlane(Executor executor, ControlDeps deps);

  // Before any worker runs. `policy`: what the folder or what ships holds. The id of the key made to sign tokens; empty: none.
  Result<std::string> load(PolicySet policy, Limits limits, SessionRules sessions = {});
  [[nodiscard]] Executor executor() const noexcept { return executor_; }
  [[nodiscard]] LoginDesk& logins() noexcept { return logins_; }  // on the control executor, as everything here
  [[nodiscard]] LabelDesk& labels() noexcept { return labels_; }
  [[nodiscard]] CertificateDesk& certificates() noexcept { return certificates_; }
  [[nodiscard]] HashKeyDesk& hash_keys() noexcept { return hash_keys_; }
  [[nodiscard]] PolicyShelf& policies() noexcept { return policies_; }
  [[nodiscard]] TokenKeyDesk& token_keys() noexcept { return token_keys_; }

  // AccountStore. snapshot() on the control thread, or before workers run.
  SnapshotPtr snapshot() const override { return snapshot_; }
  Task<Result<void>> save(UserRecord user) override;

  // People. `giver` (null: the first set-up) holds all that the user holds, before and after (check_user_gift).
  Task<Result<UserRecord>> create_user(NewUser user, PrincipalPtr giver = nullptr);  // already_exists, validation
  // `who`: an id or a name. validation: it is oneself; conflict: the last enabled admin (S1-17). Without `enabled`: the other state.
  Task<Result<UserRecord>> set_user_enabled(std::string who, std::optional<bool> enabled, PrincipalPtr giver);
  Task<Result<UserRecord>> set_user_password(std::string who, std::string hash, bool must_change, PrincipalPtr giver);
  Task<Result<UserRecord>> update_user(std::string who, UserChange change, PrincipalPtr giver);
  Task<Result<void>> delete_user(std::string who, PrincipalPtr giver);  // with its keys

  // Roles and groups, in force from the next request on; `fresh`: it must not be there yet. None that may more than `giver`
  // (check_role_gift). Keys that may more than their owner then are disabled. Errors: also limit; conflict: somebody has it.
  Task<Result<Role>> put_role(Role role, bool fresh, PrincipalPtr giver);
  Task<Result<Group>> put_group(Group group, bool fresh, PrincipalPtr giver);
  Task<Result<void>> delete_role(std::string name, PrincipalPtr giver);
  Task<Result<void>> delete_group(std::string name, PrincipalPtr giver);
  Task<Result<Group>> set_member(std::string group, std::string who, bool member, PrincipalPtr giver);

  // Keys. `giver` may not give more than they hold (check_gift); null: the gateway itself. `enabled` as of users. What a change takes
  // away, or the end of a secret, ends streams, calls and tokens of before, on every worker, before it is answered.
  Task<Result<NewKey>> create_key(KeyRecord spec, PrincipalPtr giver = nullptr);  // id and hash are made here
  Task<Result<KeyRecord>> update_key(std::string id, KeyChange change, PrincipalPtr giver);
  Task<Result<KeyRecord>> set_key_enabled(std::string id, std::optional<bool> enabled, PrincipalPtr giver);
  Task<Result<NewKey>> rotate_key(std::string id, std::chrono::seconds grace, PrincipalPtr giver);
  Task<Result<void>> delete_key(std::string id, PrincipalPtr giver);
  Task<Result<void>> forget_old_secrets(WallTime now);  // this and the next every few seconds
  Task<Result<void>> ask_store();  // does it answer?
  Result<void> write_uses();  // of keys and tools
  Task<Result<void>> revoke_token(std::string jti, WallTime expires_at);  // in force even where the store fails
  Task<Result<PolicyReading>> replace_rules(PolicySet policy, Limits limits);  // what a reload may change

  // Checks the record, resolves argv[0], probes, stores. `caller` (null: the settings) must still stand after the probe.
  Task<Result<ProbeReport>> add_server(ServerRecord server, bool probe, PrincipalPtr caller = nullptr);
  Task<Result<void>> remove_server(std::string name);
  Task<Result<void>> restart_server(std::string name);
  Task<Result<ProbeReport>> probe_server(std::string name, bool accept, PrincipalPtr caller);
  Task<Result<ServerPtr>> set_server_tls(std::string name, UpstreamTls tls);  // its sessions end
  // What calls of all of a server's tools, or of one tool, leave with their callers; in place of what was there. not_found.
  Task<Result<ServerPtr>> label_server(std::string name, std::vector<std::string> labels);
  Task<Result<ToolPtr>> label_tool(std::string server, std::string name, std::vector<std::string> labels);

  // Registered tools (S1-15, S1-19). already_exists: the name is taken, on /mcp too; validation; limit; not_found.
  Task<Result<ToolPtr>> register_tool(std::string name, std::string owner, ToolChange what);
  Task<Result<ToolPtr>> update_tool(std::string name, ToolChange what);
  Task<Result<void>> unregister_tool(std::string name);
  // Toolsets; `fresh`: it must not be there yet. Errors: validation, already_exists, not_found, limit.
  Task<Result<ToolsetPtr>> put_toolset(Toolset toolset, bool fresh);
  Task<Result<void>> delete_toolset(std::string name);
  // Of every tool, whoever may read it: the caller filters. The `most` best matches, the best first.
  Task<Result<std::vector<ToolHit>>> search_tools(std::string words, std::uint32_t most);

 private:
  Task<Result<void>> publish(Snapshot next);
  Task<Result<void>> publish_roles(Roles written, Roles in_force);
  [[nodiscard]] Result<const UserRecord*> user_for(const std::string& who, const PrincipalPtr& giver) const;
  Task<Result<void>> save_key(KeyRecord key);
  Task<Result<void>> end_keys_beyond(std::string owner_user_id);
  Task<Result<void>> publish_groups(std::shared_ptr<Principals> principals);
  std::shared_ptr<const Catalogue> catalogue();
  Task<Result<ToolPtr>> put_registered(ToolRecord tool);
  Result<std::vector<ToolRecord>> store_tools(const ServerRecord& server, const std::vector<pin::Definition>& listed);

  Executor executor_;
  ControlDeps deps_;
  SnapshotPtr snapshot_ = std::make_shared<const Snapshot>();
  std::map<std::string, ServerPtr, std::less<>> servers_;
  std::map<std::string, std::vector<ToolRecord>, std::less<>> tools_;
  std::map<std::string, ToolsetPtr, std::less<>> toolsets_;
  CatalogueBuilder builder_;
  LoginDesk logins_;
  LabelDesk labels_;
  CertificateDesk certificates_;
  HashKeyDesk hash_keys_;
  PolicyShelf policies_;
  TokenKeyDesk token_keys_;
};

}  // namespace sallyport::control
