// A repository that keeps nothing, for tests of the control plane that keep the one thing they are about.
#pragma once

#include "control/repository.h"

namespace sallyport::control::testing {

class NoRepository : public Repository {
 public:
  Result<StoredState> load() override { return StoredState{}; }
  Result<void> put_token_keys(std::span<const StoredTokenKey>) override { return {}; }
  Result<void> put_session(const StoredSession&) override { return {}; }
  Result<void> delete_sessions(std::span<const std::string>) override { return {}; }
  Result<void> touch_sessions(std::span<const LoginSessionPtr>) override { return {}; }
  Result<void> put_user(const UserRecord&) override { return {}; }
  Result<void> delete_user(std::string_view) override { return {}; }
  Result<void> put_key(const KeyRecord&) override { return {}; }
  Result<void> delete_key(std::string_view) override { return {}; }
  Result<void> touch_keys(std::span<const KeyUse>) override { return {}; }
  Result<void> add_revoked_token(std::string_view, WallTime) override { return {}; }
  Result<std::uint64_t> prune_revoked_tokens(WallTime) override { return 0; }
  Result<void> put_server(const ServerRecord&) override { return {}; }
  Result<void> delete_server(std::string_view) override { return {}; }
  Result<void> replace_tools(std::string_view, std::span<const ToolRecord>) override { return {}; }
  Result<void> touch_tools(std::span<const ToolUse>) override { return {}; }
  Result<void> put_registered_tool(const ToolRecord&) override { return {}; }
  Result<void> delete_registered_tool(std::string_view) override { return {}; }
  Result<std::vector<ToolHit>> search_tools(std::string_view, std::uint32_t) override { return std::vector<ToolHit>(); }
  Result<void> put_certificate(const CertificateMapping&) override { return {}; }
  Result<void> delete_certificate(std::string_view) override { return {}; }
  Result<void> put_labels(std::string_view, const LabelsOfOne&) override { return {}; }
  Result<void> prune_labels(WallTime) override { return {}; }
  Result<void> put_role(const Role&) override { return {}; }
  Result<void> delete_role(std::string_view) override { return {}; }
  Result<void> put_group(const Group&) override { return {}; }
  Result<void> delete_group(std::string_view) override { return {}; }
  Result<void> add_access_uses(std::span<const AccessUse>) override { return {}; }
  Result<void> find_access_uses(std::span<AccessUse>) override { return {}; }
  Result<void> put_toolset(const Toolset&) override { return {}; }
  Result<void> delete_toolset(std::string_view) override { return {}; }
  Result<void> write_policies(const PolicyWrite&) override { return {}; }
  Result<PolicyModules> policy_modules(std::uint64_t) override { return PolicyModules{}; }
  Result<void> put_meta(std::string_view, std::string_view) override { return {}; }
  Result<std::optional<std::string>> get_meta(std::string_view) override { return std::nullopt; }
  Result<void> put_checkpoint(const StoredCheckpoint&) override { return {}; }
  Result<std::vector<StoredCheckpoint>> last_checkpoints(std::uint32_t) override {
    return std::vector<StoredCheckpoint>();
  }
};

}  // namespace sallyport::control::testing
