#include "control/secrets/kv_secrets.h"

#include <algorithm>

#include "control/secrets/remote_reference.h"
#include "json/document.h"

namespace sallyport::control {
namespace {

constexpr std::chrono::seconds kTimeout{10};
constexpr std::chrono::seconds kRetry{30};
constexpr std::chrono::seconds kRenewMin{5};
constexpr std::uint64_t kAnswerMax = 1U << 20;

// What the token has left, and whether it can be renewed: `data` of lookup-self, `auth` of renew-self.
struct TokenLife {
  std::chrono::seconds left{0};  // 0: it never ends
  bool renewable = false;
};

TokenLife life_of(const std::string& text, std::string_view member, std::string_view ttl) {
  const auto document = json::read_upstream_document(text);
  const auto data = document ? document->root().find(member) : std::nullopt;
  if (!data) return {};
  const auto left = data->find(ttl);
  const auto renewable = data->find("renewable");
  return {std::chrono::seconds(left ? left->as_int64().value_or(0) : 0), renewable && renewable->as_bool().value_or(false)};
}

// data.data holds the fields of the version that was asked for.
Result<std::string> fields_of(const std::string& text) {
  const auto document = json::read_upstream_document(text);
  const auto data = document ? document->root().find("data") : std::nullopt;
  const auto fields = data ? data->find("data") : std::nullopt;
  if (!fields) return fail(Code::upstream_protocol, "the answer is not that of KV version 2");
  if (!fields->is_object()) return fail(Code::not_found, "this version of the secret was deleted");
  return std::string(fields->raw());
}

}  // namespace

Result<std::unique_ptr<KvSecrets>> KvSecrets::make(Executor executor, const Clock& clock, KvRules rules, Report report) {
  std::unique_ptr<KvSecrets> made(new KvSecrets(executor, clock, std::move(rules), std::move(report)));
  net::EgressPolicy policy;
  policy.allow_private = made->rules_.allow_private;
  net::Headers headers{{"X-Vault-Request", "true"}, {"X-Vault-Token", std::string(made->rules_.token.reveal())}};
  if (!made->rules_.space.empty()) headers.emplace_back("X-Vault-Namespace", made->rules_.space);
  auto target = net::EgressTarget::make(made->rules_.url, std::move(policy), headers);
  for (auto& [name, value] : headers) wipe(value);
  if (!target) return fail(std::move(target).error());
  made->target_ = *std::move(target);
  std::string_view path = made->target_->url().target;
  path = path.substr(0, path.find('?'));
  while (path.ends_with('/')) path.remove_suffix(1);
  made->base_ = path;
  made->sweep_.start();
  return made;
}

KvSecrets::KvSecrets(Executor executor, const Clock& clock, KvRules rules, Report report)
    : executor_(executor),
      clock_(clock),
      rules_(std::move(rules)),
      report_(std::move(report)),
      sweep_(executor, clock),
      egress_(executor, sweep_, {.ca_file = rules_.ca_file}),
      tasks_(executor, [this](const char* what) { report_(what); }) {}

Task<Result<std::string>> KvSecrets::ask(std::string method, std::string path, std::string body) {
  net::EgressRequest request;
  request.target = target_;
  request.method = std::move(method);
  request.path = base_ + "/v1/" + path;
  if (!body.empty()) request.headers = {{"Content-Type", "application/json"}};
  request.body = std::move(body);
  request.deadline = clock_.steady() + kTimeout;
  request.limits.body_bytes = kAnswerMax;
  SP_CO_TRY(auto answer, co_await egress_.fetch(std::move(request)));
  const int status = answer.head.status;
  if (status == 200) co_return std::move(answer.body);
  wipe(answer.body);
  if (status == 404) co_return fail(Code::not_found, "there is no such secret, or it was deleted");
  if (status == 403) co_return fail(Code::upstream_refused, "the token may not read it (HTTP status 403)");
  if (status == 503) co_return fail(Code::upstream_unavailable, "it is sealed or in maintenance (HTTP status 503)");
  co_return fail(Code::upstream_refused, "HTTP status " + std::to_string(status));
}

Task<Result<Secret>> KvSecrets::fetch(std::string name, SecretUse) {
  SP_CO_TRY(const RemoteReference reference, parse_kv_reference(name));
  if (!keeping_) {
    keeping_ = true;
    tasks_.spawn(keep_token());
  }
  std::string path = reference.mount + "/data/" + reference.path;
  if (reference.version) path += "?version=" + std::to_string(*reference.version);
  SP_CO_TRY(std::string body, co_await ask("GET", std::move(path), {}));
  Result<std::string> fields = fields_of(body);
  wipe(body);
  if (!fields) co_return fail(std::move(fields).error());
  Result<std::string> value = field_of(*fields, reference.field);
  wipe(*fields);
  if (!value) co_return fail(std::move(value).error());
  co_return Secret(*std::move(value));
}

// A token that cannot be renewed, or never ends, is left alone: who gave it replaces it.
Task<void> KvSecrets::keep_token() {
  SteadyTimer timer(executor_);
  const auto wait = [&timer](std::chrono::seconds time) {
    timer.expires_after(time);
    return timer.async_wait(use_task_ec);
  };
  auto text = co_await ask("GET", "auth/token/lookup-self", {});
  while (!text) {
    report_("the token's life cannot be asked for: " + text.error().detail);
    if (const auto [error] = co_await wait(kRetry); error) co_return;
    text = co_await ask("GET", "auth/token/lookup-self", {});
  }
  TokenLife life = life_of(*text, "data", "ttl");
  while (life.renewable && life.left.count() > 0) {
    if (const auto [error] = co_await wait(std::max(kRenewMin, life.left / 2)); error) co_return;
    auto renewed = co_await ask("POST", "auth/token/renew-self", "{}");
    if (renewed) life = life_of(*renewed, "auth", "lease_duration");
    else report_("the token could not be renewed: " + renewed.error().detail);
    if (!renewed) life.left = std::max(life.left / 2, kRenewMin);
  }
}

Task<void> KvSecrets::stop() {
  tasks_.cancel();
  co_await tasks_.join();
  egress_.drop_idle();
  sweep_.stop();
}

}  // namespace sallyport::control
