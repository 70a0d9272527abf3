#include "engines/policy/answer.h"

#include "json/document.h"

namespace sallyport::policy {
namespace {

void push_reason(json::Value value, PolicyAnswer& answer) {
  if (const auto text = value.as_string()) answer.deny_reasons.emplace_back(*text);
}

void read_deny(json::Value deny, PolicyAnswer& answer) {
  if (deny.as_bool() == false) return;
  answer.deny = true;
  if (deny.is_array()) {  // a set is written as one
    answer.deny = deny.size() > 0;
    for (const json::Value item : deny.elements()) push_reason(item, answer);
  } else if (deny.is_object()) {
    answer.deny = deny.size() > 0;
    for (const auto& [key, value] : deny.members()) answer.deny_reasons.emplace_back(key);
  } else {
    push_reason(deny, answer);
  }
}

}  // namespace

Result<PolicyAnswer> read_answer(std::string_view body) {
  const auto document = json::read_upstream_document(body);
  if (!document) return fail(Code::upstream_protocol, "not JSON: " + document.error().detail);
  const auto result = document->root().find("result");
  if (!result) return fail(Code::upstream_protocol, "the package is not there");
  if (!result->is_object()) return fail(Code::upstream_protocol, "the result is no document of a package");
  PolicyAnswer answer;
  const auto allow = result->find("allow");
  answer.allow = allow && allow->as_bool() == true;
  if (const auto deny = result->find("deny")) read_deny(*deny, answer);
  if (const auto obligations = result->find("obligations")) answer.obligations = obligations->raw();
  return answer;
}

}  // namespace sallyport::policy
