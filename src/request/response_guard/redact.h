// The obligation `redact` of a policy (docs/policy.md): what a tool server answered, without the values of the members that it
// names. What cannot be looked into is withheld as a whole: text that is no JSON document, images, links, what an error says.
// Of results that passed the guard. Pure; any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace sallyport {

// What stands in the place of what was taken out.
inline constexpr std::string_view kRedacted = "[redacted]";

// `result`: minified raw result of tools/call, resources/read, prompts/get or completion/complete. `names`: of members, at any depth, in any
// case of ASCII letters; in structuredContent, in text that is a JSON object or array, and in such text inside these.
std::string redact_result(std::string_view result, std::span<const std::string> names);
// `error`: a JSON-RPC error object; its code remains.
std::string redact_error(std::string_view error);
// `params` of notifications/progress: the numbers remain.
std::string redact_progress(std::string_view params);

}  // namespace sallyport
