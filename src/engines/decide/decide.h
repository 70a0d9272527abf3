// The one decision seam (design, principle 1): list, search, call, REST, CLI and console ask decide(). Allow = the roles
// grant it AND the policy allows it AND no rule denies it; an internal error denies. One Decider a worker, not
// thread-safe, keeps the worker's policy engine and a bounded memory of decisions. Nothing here blocks; a policy has 10 ms.
// MCP list and search = decide(tool_execute, phase list, no arguments); the REST catalogue = decide(tool_read).
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/clock.h"
#include "core/decision.h"
#include "core/error.h"
#include "core/random.h"
#include "model/snapshot.h"

namespace sallyport {

class PolicyWitness;  // witness.h
class PolicySource;  // policy_source.h

enum class Phase : std::uint8_t { list, call };

struct AccessRequest {
  const Principal& principal;
  Channel channel = Channel::mcp;
  Permission action = Permission::tool_execute;
  const ServerRecord* server = nullptr;  // null with a null tool: an unknown name (read, execute), or no object
  const ToolRecord* tool = nullptr;      // null with a server: the server as a whole (its resources and prompts)
  std::string_view method =
      {};  // of MCP, of a call of a server as a whole; that of a tool is tools/call and needs no word
  std::optional<std::string_view> arguments_json =
      std::nullopt;  // minified object; phase list has neither these nor a method
  Phase phase = Phase::call;
  std::string_view remote_address = {};
  WallTime now{};
  std::string_view protocol_version = {};
  bool counts =
      true;  // false: nobody makes this call, so it is neither compared with a candidate nor kept for a replay
};

// Rule ids that callers look at. Everything else denied is "access denied".
inline constexpr std::string_view kRuleUnknown = "rbac.unknown";              // no read: answer as for an unknown name
inline constexpr std::string_view kRuleNoGrant = "rbac.no_grant";             // read, but not this action
inline constexpr std::string_view kRuleNoDotted = "rbac.required_permission"; // a dotted permission is missing
inline constexpr std::string_view kRulePassword = "principal.must_change_password";
inline constexpr std::string_view kRuleEnroll = "principal.must_enroll";
inline constexpr std::string_view kRulePolicyError = "policy.error";

// True where the caller must not learn that the name exists: answer Code::unknown_tool.
inline bool is_unknown(const Decision& decision) noexcept { return decision.rule_id == kRuleUnknown; }
// The error of a denial: unknown_tool, password_change_required, second_factor_enrollment or access_denied; its detail is rule and evidence.
Error to_error(const Decision& decision);

using RecordKey = std::array<std::byte, 16>;
RecordKey new_record_key(Random& random) noexcept;

struct DeciderSettings {
  std::chrono::nanoseconds policy_budget = std::chrono::milliseconds(10);
  std::size_t memo_entries = 4096;  // a power of two; 0: decide anew each time
  const Clock* clock = nullptr;  // to try a candidate beside (shadow.h); null: none is tried
  std::size_t record_bytes = 0;  // of decisions kept for a replay (recorder.h); 0: none
  RecordKey record_key{};  // random, so that no caller makes two recorded questions count as one
  // Of arguments and what binds their call (null: nothing) what may be kept for a replay; empty: all.
  std::function<std::string(std::string_view arguments, const Obligations*)> hide = {};
  PolicyWitness* witness = nullptr;  // of explain(); outlives the Decider
  PolicySource* source = nullptr;  // asked in place of the policies of the Snapshot; outlives the Decider
};

class Shadow;
class Recorder;

class Decider {
 public:
  explicit Decider(DeciderSettings settings = {});
  Decider(Decider&&) noexcept;
  Decider& operator=(Decider&&) noexcept;
  ~Decider();

  // Never throws. A call is allowed only where the same request in phase list is (law: nothing callable that is not listed).
  // What may be executed may be read, unless a rule denies that; outside of MCP only what may be read is executed. Reading or
  // executing a registered tool that is bound to an upstream's tool needs the same on that tool.
  // Decision::reason is for the caller (no_grant, password_change_required, a policy's own reasons),
  // Decision::evidence for log and audit.
  Decision decide(const Snapshot& snapshot, const AccessRequest& request);

  // By what answers to lists may be kept: two requests of phase list that name no tool and have the same key are answered alike
  // about each tool, as long as roles, catalogue and policies are the same. Empty where nothing may be kept: a rule asks for the
  // time or for chance, a candidate wants to see each question, another source answers.
  std::string list_key(const Snapshot& snapshot, const AccessRequest& request);

  struct Counters {
    std::uint64_t decided = 0;
    std::uint64_t remembered = 0;  // of them, answered from memory
    std::uint64_t failed = 0;  // of them, refused by an error, which may pass
  };
  [[nodiscard]] Counters counters() const noexcept;
  [[nodiscard]] Shadow* shadow() noexcept;  // null without a clock
  [[nodiscard]] const Recorder* recorder() const noexcept;  // null where nothing is kept

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// S0-10, S0-14: `check_permission(user, "tool:execute", tool_id)`. False for an unknown permission name.
bool check_permission(Decider& decider, const Snapshot& snapshot, const Principal& principal, std::string_view permission,
                      const ServerRecord* server, const ToolRecord* tool, Channel channel, WallTime now);

// The same by the tool's id, "server/tool" or its name on /mcp. False for one that is not there.
bool check_permission(Decider& decider, const Snapshot& snapshot, const Principal& principal,
                      std::string_view permission, std::string_view tool_id, Channel channel, WallTime now);

}  // namespace sallyport
