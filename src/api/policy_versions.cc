// The life of the policies: versions, which one is in force, and the way back (issue 5).
#include <algorithm>
#include <charconv>

#include "api/people.h"
#include "api/policy_versions.h"
#include "api/standing.h"

namespace sallyport::api {
namespace {

std::string_view state_of(const control::PolicyVersion& version, const control::PolicyState& state) {
  if (version.number == state.active) return "active";
  if (version.number == state.shadow) return "shadow";
  return version.activated_at ? "former" : "candidate";
}

void write_version(json::Writer& w, const control::PolicyVersion& version, const control::PolicyState& state) {
  w.object().member("version", version.number).member("state", state_of(version, state));
  w.member("source", version.source).member("author", version.author).member("reason", version.reason);
  w.member("created_at", iso_time(version.created_at)).member("digest", version.digest).member("files", version.files);
  w.key("activated_at");
  if (version.activated_at) w.value(iso_time(*version.activated_at));
  else w.null();
  w.member("activated_by", version.activated_by).member("activation_reason", version.activation_reason);
}

Task<Result<control::PolicyList>> known(control::PolicyShelf& shelf) { co_return shelf.list(); }

struct Opened {
  control::PolicyList all;
  control::PolicyVersion version;
  control::PolicyModules modules;
};

Task<Result<Opened>> open(control::PolicyShelf& shelf, std::string which) {
  Opened out{shelf.list(), {}, {}};
  std::uint64_t number = which == "active" ? out.all.state.active : which == "shadow" ? out.all.state.shadow : 0;
  if (number == 0) {
    SP_CO_TRY(number, version_number(which));
  }
  SP_CO_TRY(out.modules, shelf.modules(number));
  out.version = *std::ranges::find(out.all.versions, number, &control::PolicyVersion::number);
  co_return out;
}

// The audit says what was done, from which to which, and why.
RestAnswer moved(const control::PolicyMove& move, const control::PolicyList& all) {
  json::Writer w;
  write_version(w, move.version, all.state);
  w.member("former", move.former).end_object();
  RestAnswer answer = ok(w);
  answer.reason = "policy-version=" + std::to_string(move.version.number) + " former=" + std::to_string(move.former) +
                  " reason=" + move.version.activation_reason;
  return answer;
}

Task<RestAnswer> finish_move(Call& call, Task<Result<control::PolicyMove>> task) {
  const auto done = co_await run_for_caller<control::PolicyMove>(call, std::move(task));
  if (!done) co_return refuse(call, done.error());
  control::PolicyList now;
  now.state.active = done->version.number;  // as it was when this was done
  co_return moved(*done, now);
}

}  // namespace

control::PolicyModules read_modules(json::Value body) {
  control::PolicyModules out;
  const auto list = body.find("modules");
  if (!list) return out;
  for (const json::Value item : list->elements()) {
    out.emplace_back(item.string_at("name").value_or(""), item.string_at("source").value_or(""));
  }
  return out;
}

std::string version_text(const control::PolicyVersion& version, const control::PolicyState& state) {
  json::Writer w;
  write_version(w, version, state);
  return w.end_object().take();
}

Result<std::uint64_t> version_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size() && number != 0) return number;
  return fail(Code::not_found, "no policy version " + std::string(text.substr(0, 64)));
}

Result<control::PolicyOrder> policy_order(const Call& call) {
  control::PolicyOrder order;
  order.author = call.principal().id;
  SP_TRY(order.reason, text_field(call.root(), "reason"));
  SP_TRY(order.force, flag_field(call.root(), "force", false));
  return order;
}

Task<RestAnswer> list_policy_versions(Call& call) {
  const auto all = co_await run_for_caller<control::PolicyList>(call, known(call.api.deps().control.policies()));
  if (!all) co_return refuse(call, all.error());
  std::vector<std::string> items;
  for (const auto& version : all->versions) items.push_back(version_text(version, all->state));
  co_return co_await list(call, items);
}

Task<RestAnswer> show_policy_version(Call& call) {
  const auto found = co_await run_for_caller<Opened>(call, open(call.api.deps().control.policies(), call.parts[0]));
  if (!found) co_return refuse(call, found.error());
  json::Writer w;
  write_version(w, found->version, found->all.state);
  w.key("modules").array();
  for (const auto& [name, source] : found->modules)
    w.object().member("name", name).member("source", source).end_object();
  w.end_array().end_object();
  co_return ok(w);
}

Task<RestAnswer> add_policy_version(Call& call) {
  auto order = policy_order(call);
  if (!order) co_return refuse(call, order.error());
  auto& shelf = call.api.deps().control.policies();
  const auto made =
      co_await run_for_caller<control::PolicyVersion>(call, shelf.add(read_modules(call.root()), std::move(*order)));
  if (!made) co_return refuse(call, made.error());
  RestAnswer answer;
  answer.status = 201;
  answer.body = version_text(*made, {});
  answer.reason = "policy-version=" + std::to_string(made->number) + " reason=" + made->reason;
  co_return answer;
}

Task<RestAnswer> activate_policy_version(Call& call) {
  const auto number = version_number(call.parts[0]);
  if (!number) co_return refuse(call, number.error());
  auto order = policy_order(call);
  if (!order) co_return refuse(call, order.error());
  auto& shelf = call.api.deps().control.policies();
  co_return co_await finish_move(call, shelf.activate(*number, std::move(*order)));
}

Task<RestAnswer> roll_back_policy(Call& call) {
  auto order = policy_order(call);
  if (!order) co_return refuse(call, order.error());
  const auto to = number_field(call.root(), "to", 0);
  if (!to) co_return refuse(call, to.error());
  std::optional<std::uint64_t> number;
  if (*to != 0) number = static_cast<std::uint64_t>(*to);
  auto& shelf = call.api.deps().control.policies();
  co_return co_await finish_move(call, shelf.roll_back(number, std::move(*order)));
}

Task<RestAnswer> remove_policy_version(Call& call) {
  const auto number = version_number(call.parts[0]);
  if (!number) co_return refuse(call, number.error());
  const auto done = co_await run_for_caller<void>(call, call.api.deps().control.policies().remove(*number));
  if (!done) co_return refuse(call, done.error());
  RestAnswer answer = no_content();
  answer.reason = "policy-version=" + std::to_string(*number);
  co_return answer;
}

}  // namespace sallyport::api
