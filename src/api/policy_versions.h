// The handlers of the life of policies, and what they share. Internal to api.
#pragma once

#include "api/route.h"

namespace sallyport::api {

Task<RestAnswer> list_policy_versions(Call& call);
Task<RestAnswer> show_policy_version(Call& call);
Task<RestAnswer> add_policy_version(Call& call);
Task<RestAnswer> activate_policy_version(Call& call);
Task<RestAnswer> roll_back_policy(Call& call);
Task<RestAnswer> remove_policy_version(Call& call);
Task<RestAnswer> try_policy_version(Call& call);
Task<RestAnswer> stop_trying_policies(Call& call);
Task<RestAnswer> show_policy_shadow(Call& call);
Task<RestAnswer> replay_policies(Call& call);
Task<RestAnswer> list_recorded_decisions(Call& call);

// Of a path: not_found for what is no number of a version.
Result<std::uint64_t> version_number(std::string_view text);
// Who, and the members `reason` and `force` of the body.
Result<control::PolicyOrder> policy_order(const Call& call);

// The member `modules`; empty where there is none.
control::PolicyModules read_modules(json::Value body);
std::string version_text(const control::PolicyVersion& version, const control::PolicyState& state);

}  // namespace sallyport::api
