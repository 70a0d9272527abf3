// The embedded back end: <home>/sallyport.db (0600). Made by `app` after the home's lock is held (home_lock.h); used by one
// thread at a time, the storage thread's. Every mutating call is one transaction, committed with synchronous=FULL.
#pragma once

#include <memory>
#include <string>

#include "control/approvals.h"
#include "control/repository.h"
#include "control/vault_store.h"
#include "core/clock.h"

namespace sallyport::storage {

class SqliteRepository final : public control::Repository, public control::ApprovalStore {
 public:
  // Opens or makes the database and brings its schema up to date. `storage`, with a sentence for the operator: damaged or
  // foreign file, newer schema, no permission. Wide permissions are narrowed to 0600; `narrowed()` tells, for the log.
  static Result<std::unique_ptr<SqliteRepository>> open(const std::string& path, const Clock& clock);
  // One that is there, to be looked at, beside whoever runs on it: nothing is changed, made or brought up to date, and calls that
  // write fail. Code::not_found: there is none. `storage`: as open().
  static Result<std::unique_ptr<SqliteRepository>> open_to_read(const std::string& path);
  ~SqliteRepository() override;

  [[nodiscard]] bool narrowed() const noexcept { return narrowed_; }
  // In the same file and on the same thread; lives as long as this.
  [[nodiscard]] control::VaultStore& vault() noexcept;
  // SQLite's own check of the whole file, for `doctor`: an error names the first damage's class.
  Result<void> check();
  Result<int> schema_version();
  static int newest_schema() noexcept;
  // The versions of the policies, by number, and what they are to the gateway. No other part of load() is read.
  Result<std::pair<std::vector<control::PolicyVersion>, control::PolicyState>> policies();

  Result<control::StoredState> load() override;
  Result<void> put_user(const UserRecord& user) override;
  Result<void> delete_user(std::string_view id) override;
  Result<void> put_key(const KeyRecord& key) override;
  Result<void> delete_key(std::string_view id) override;
  Result<void> touch_keys(std::span<const control::KeyUse> uses) override;
  Result<void> add_revoked_token(std::string_view jti, WallTime expires_at) override;
  Result<std::uint64_t> prune_revoked_tokens(WallTime now) override;
  Result<void> put_session(const control::StoredSession& session) override;
  Result<void> delete_sessions(std::span<const std::string> ids) override;
  Result<void> touch_sessions(std::span<const LoginSessionPtr> sessions) override;
  Result<void> put_token_keys(std::span<const control::StoredTokenKey> keys) override;
  Result<void> put_server(const ServerRecord& server) override;
  Result<void> delete_server(std::string_view name) override;
  Result<void> replace_tools(std::string_view server, std::span<const ToolRecord> tools) override;
  Result<void> put_registered_tool(const ToolRecord& tool) override;
  Result<void> touch_tools(std::span<const control::ToolUse> uses) override;
  Result<void> delete_registered_tool(std::string_view name) override;
  Result<std::vector<control::ToolHit>> search_tools(std::string_view words, std::uint32_t most) override;
  Result<void> put_certificate(const CertificateMapping& mapping) override;
  Result<void> delete_certificate(std::string_view id) override;
  Result<void> put_labels(std::string_view holder, const LabelsOfOne& labels) override;
  Result<void> prune_labels(WallTime now) override;
  Result<void> put_role(const Role& role) override;
  Result<void> delete_role(std::string_view name) override;
  Result<void> put_toolset(const Toolset& toolset) override;
  Result<void> delete_toolset(std::string_view name) override;
  Result<void> add_access_uses(std::span<const AccessUse> uses) override;
  Result<void> find_access_uses(std::span<AccessUse> wanted) override;
  Result<void> put_group(const Group& group) override;
  Result<void> delete_group(std::string_view name) override;
  Result<void> write_policies(const control::PolicyWrite& write) override;
  Result<control::PolicyModules> policy_modules(std::uint64_t version) override;
  Result<void> put_meta(std::string_view name, std::string_view value) override;
  Result<std::optional<std::string>> get_meta(std::string_view name) override;
  Result<void> put_checkpoint(const control::StoredCheckpoint& checkpoint) override;
  Result<std::vector<control::StoredCheckpoint>> last_checkpoints(std::uint32_t count) override;
  Result<std::vector<control::StoredApproval>> load_approvals() override;
  Result<void> put_approval(const control::StoredApproval& approval) override;
  Result<void> delete_approvals(std::span<const std::string> ids) override;

 private:
  struct Impl;
  SqliteRepository(std::unique_ptr<Impl> impl, bool narrowed);
  std::unique_ptr<Impl> impl_;
  bool narrowed_;
};

}  // namespace sallyport::storage
