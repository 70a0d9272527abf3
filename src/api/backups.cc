// Backups of this gateway (docs/backup.md). There is no route that gives one away or restores it: both are done at the machine.
#include "api/backups.h"

#include <memory>

#include "api/people.h"
#include "api/standing.h"
#include "control/backup/desk.h"

namespace sallyport::api {
namespace {

std::string item_text(const backup::Shelved& one) {
  json::Writer w;
  w.object().member("name", one.name).member("id", one.header.id).member("base", one.header.base);
  w.member("created_at", iso_time(one.header.at)).member("authentic", one.authentic);
  w.member("bytes", one.bytes);
  w.member("recovery_password", !one.header.scrypt.empty()).end_object();
  return w.take();
}

// What the body says; the password is not kept in it, nor written anywhere.
Result<std::shared_ptr<const Secret>> password_of(json::Value body) {
  SP_TRY(std::string text, text_field(body, "recovery_password"));
  if (text.empty()) return std::shared_ptr<const Secret>();
  return std::make_shared<const Secret>(std::move(text));
}

Result<std::optional<bool>> flag_of(json::Value body, std::string_view name) {
  const auto given = body.find(name);
  if (!given || given->is_null()) return std::optional<bool>();
  SP_TRY(const bool flag, flag_field(body, name, false));
  return std::optional<bool>(flag);
}

Result<backup::Order> order_of(json::Value body) {
  backup::Order order;
  SP_TRY(order.password, password_of(body));
  SP_TRY(order.with_audit, flag_of(body, "with_audit"));
  SP_TRY(order.incremental, flag_of(body, "incremental"));
  SP_TRY(order.verify, flag_of(body, "verify"));
  return order;
}

// Who asked may do so still; what follows takes its time on a thread of its own.
Task<Result<bool>> stands() { co_return true; }

// What went wrong is for who runs the gateway, and holds no secret: they are told.
RestAnswer refuse_backup(const Call& call, const Error& error) {
  if (error.code == Code::rate_limited) return refuse_to_wait(call, error);
  const bool theirs = error.code == Code::validation || error.code == Code::not_found || error.code == Code::conflict ||
                      error.code == Code::config;
  return refuse(call, error,
                theirs || error.code == Code::crypto ? std::string_view(error.detail) : std::string_view());
}

// What does not open is the answer to the question, and a wrong password is whose it is that asks.
Error no_fault_of_ours(const Error& error) {
  return {error.code == Code::crypto ? Code::conflict : error.code, error.detail};
}

}  // namespace

Task<RestAnswer> list_backups(Call& call) {
  const auto all = co_await call.api.deps().backups->look(person_of(call.principal()));
  if (!all) co_return refuse_backup(call, all.error());
  std::vector<std::string> items;
  for (const backup::Shelved& one : *all) items.push_back(item_text(one));
  co_return co_await list(call, items);
}

Task<RestAnswer> make_backup(Call& call) {
  auto order = order_of(call.root());
  if (!order) co_return refuse(call, order.error());
  const auto may = co_await run_for_caller<bool>(call, stands());
  if (!may) co_return refuse(call, may.error());
  const auto done = co_await call.api.deps().backups->create(person_of(call.principal()), std::move(*order));
  if (!done) co_return refuse_backup(call, done.error());
  json::Writer w;
  w.object().member("name", done->made.name).member("id", done->made.id).member("base", done->made.base);
  w.member("bytes", done->made.bytes).member("files", done->made.files).member("stored", done->made.stored);
  w.member("verified", done->verified);
  write_texts(w, "notices", done->made.notices);
  write_texts(w, "removed", done->pruned);
  RestAnswer answer = ok(w.end_object(), 201);
  answer.reason = "backup=" + done->made.name + (done->verified ? " verified" : "");
  co_return answer;
}

Task<RestAnswer> verify_backup(Call& call) {
  auto password = password_of(call.root());
  if (!password) co_return refuse(call, password.error());
  const auto may = co_await run_for_caller<bool>(call, stands());
  if (!may) co_return refuse(call, may.error());
  const auto found =
      co_await call.api.deps().backups->verify(person_of(call.principal()), call.parts[0], std::move(*password));
  if (!found) co_return refuse_backup(call, no_fault_of_ours(found.error()));
  json::Writer w;
  w.object().member("name", call.parts[0]).member("id", found->manifest.id).member("verified", true);
  w.member("bytes", found->bytes).member("files", found->manifest.entries.size());
  std::vector<std::string> notices = found->manifest.notices;
  for (const auto& one : found->unopened) notices.push_back("in it, as when it was made: " + one);
  write_texts(w, "notices", notices);
  RestAnswer answer = ok(w.end_object());
  answer.reason = "backup=" + call.parts[0] +
                  (found->unopened.empty() ? "" : " unopened=" + std::to_string(found->unopened.size()));
  co_return answer;
}

}  // namespace sallyport::api
