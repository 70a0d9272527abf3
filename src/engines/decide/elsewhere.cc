#include <string>

#include "engines/decide/caller.h"
#include "engines/decide/input.h"
#include "engines/decide/policy_source.h"
#include "json/document.h"

namespace sallyport::decide_internal {
namespace {

constexpr json::ReadLimits kLimits{.bytes_max = 16U << 20, .depth_max = 128};

Result<void> check_arguments(std::string_view arguments) {
  const auto read = json::read(arguments, kLimits);
  if (!read) return fail(Code::internal, "the arguments are no JSON: " + read.error().detail);
  if (!read->root().is_object()) return fail(Code::internal, "the arguments are no JSON object");
  return {};
}

policy::Reads all_but_time() {
  policy::Reads reads = policy::Reads::nothing();
  for (std::size_t i = 0; i < policy::kFieldPaths.size(); ++i) {
    if (const auto field = static_cast<policy::Field>(i); field != policy::Field::time) reads.add(field);
  }
  return reads;
}

// `text` is an object that is not empty.
void put_arguments(std::string& text, std::optional<std::string_view> arguments) {
  if (!arguments) return;
  text.pop_back();
  text.append(",\"arguments\":").append(*arguments).append("}");
}

}  // namespace

Result<policy::PolicyAnswer> ask_elsewhere(PolicySource& source, std::string_view package, const Snapshot& snapshot,
                                           const Asked& asked) {
  // By themselves, so that none of their bytes can be a member of the input beside them.
  if (asked.arguments) {
    SP_CHECK(check_arguments(*asked.arguments));
  }
  std::string input;
  // Everything: what the policy over there reads is not known here.
  write_input(snapshot, asked.request, asked.held, policy::Reads(), input, &asked.caller);
  put_arguments(input, asked.arguments);
  // A name that is not UTF-8 could reach another reader as a different one.
  if (const auto whole = json::read(input, kLimits); !whole) {
    return fail(Code::internal, "the input cannot be written: " + whole.error().detail);
  }
  std::string timeless;
  write_input(snapshot, asked.request, asked.held, all_but_time(), timeless, &asked.caller);
  put_arguments(timeless, asked.arguments);
  return source.ask({package, input, timeless});
}

}  // namespace sallyport::decide_internal
