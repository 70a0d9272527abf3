#include "control/secrets/vault_server.h"

#include <algorithm>
#include <utility>

#include "core/encoding.h"
#include "json/document.h"

namespace sallyport::control {
namespace {

constexpr std::chrono::seconds kRetry{30};
constexpr std::chrono::seconds kRenewMin{5},
    kLifeMax{10LL * 365 * 24 * 3600};  // what a server says of it may be anything

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
  const std::int64_t seconds = left ? left->as_int64().value_or(0) : 0;
  return {std::chrono::seconds(std::clamp<std::int64_t>(seconds, 0, kLifeMax.count())),
          renewable && renewable->as_bool().value_or(false)};
}

Error refusal_of(int status) {
  const std::string number = "HTTP status " + std::to_string(status);
  if (status == 403) return {Code::upstream_refused, "the token may not do this (" + number + ")"};
  if (status == 404) return {Code::not_found, "there is nothing of that name (" + number + ")"};
  if (status == 503) return {Code::upstream_unavailable, "it is sealed or in maintenance (" + number + ")"};
  if (status == 429 || status >= 500) return {Code::upstream_unavailable, number};
  return {Code::upstream_refused, number};
}

}  // namespace

Result<std::unique_ptr<VaultServer>> VaultServer::make(Executor executor, const Clock& clock,
                                                       const VaultServerRules& rules, Report report) {
  SP_TRY(Secret token, rules.token());
  net::Headers headers{{"X-Vault-Request", "true"}};
  if (!rules.space.empty()) headers.emplace_back("X-Vault-Namespace", rules.space);
  auto peer = net::EgressPeer::make(
      executor, clock, {.url = rules.url, .allow_private = rules.allow_private, .ca_file = rules.ca_file}, headers);
  if (!peer) return fail(std::move(peer).error());
  return std::unique_ptr<VaultServer>(
      new VaultServer(executor, *std::move(peer), rules, std::move(token), std::move(report)));
}

VaultServer::VaultServer(Executor executor, std::unique_ptr<net::EgressPeer> peer, const VaultServerRules& rules,
                         Secret token, Report report)
    : executor_(executor),
      peer_(std::move(peer)),
      report_(std::move(report)),
      give_(rules.token),
      token_(std::move(token)),
      turn_(executor),
      tasks_(executor, [this](const char* what) { report_(what); }) {
  std::string_view path = peer_->url().target;
  path = path.substr(0, path.find('?'));
  while (path.ends_with('/')) path.remove_suffix(1);
  base_ = path;
}

Task<Result<std::string>> VaultServer::ask(std::string method, std::string path, std::string body,
                                           SteadyTime deadline) {
  const std::uint64_t shown = tokens_;  // another question may take up the new one meanwhile
  auto answer = co_await ask_once(method, path, body, deadline);
  if (!answer && answer.error().code == Code::upstream_refused && (tokens_ != shown || replaced())) {
    answer = co_await ask_once(method, path, body, deadline);
  }
  wipe(body);
  co_return answer;
}

// Whether another token is given by now: a file that an agent writes anew, say.
bool VaultServer::replaced() {
  auto given = give_();
  if (!given || equal_constant_time(as_bytes(given->reveal()), as_bytes(token_.reveal()))) return false;
  token_ = *std::move(given);
  ++tokens_;
  if (keeping_) {  // it has a life of its own: whoever waits for half of the former's ends
    turn_.cancel();
    tasks_.spawn(renew());
  }
  return true;
}

Task<Result<std::string>> VaultServer::ask_once(std::string_view method, std::string_view path, std::string_view body,
                                                SteadyTime deadline) {
  net::EgressRequest request;
  request.method = method;
  request.path = base_ + "/v1/" + std::string(path);
  request.headers = {{"X-Vault-Token", std::string(token_.reveal())}};
  if (!body.empty()) request.headers.emplace_back("Content-Type", "application/json");
  request.body = body;
  request.deadline = deadline;
  SP_CO_TRY(auto answer, co_await peer_->fetch(std::move(request)));
  if (answer.head.status == 200) co_return std::move(answer.body);
  wipe(answer.body);
  co_return fail(refusal_of(answer.head.status));
}

void VaultServer::keep_token() {
  if (std::exchange(keeping_, true)) return;
  tasks_.spawn(renew());
}

// Of the token there is now; ends when another takes its place, for which replaced() starts anew.
Task<void> VaultServer::renew() {
  const std::uint64_t mine = tokens_;
  const auto wait = [this](std::chrono::seconds time) {
    turn_.expires_after(time);
    return turn_.async_wait(use_task_ec);
  };
  auto text = co_await ask("GET", "auth/token/lookup-self", {}, SteadyTime::max());
  while (!text && tokens_ == mine) {
    report_("the token's life cannot be asked for: " + text.error().detail);
    if (const auto [error] = co_await wait(kRetry); error) co_return;
    text = co_await ask("GET", "auth/token/lookup-self", {}, SteadyTime::max());
  }
  if (tokens_ != mine) co_return;
  TokenLife life = life_of(*text, "data", "ttl");
  while (life.renewable && life.left.count() > 0) {
    if (const auto [error] = co_await wait(std::max(kRenewMin, life.left / 2)); error) co_return;
    auto renewed = co_await ask("POST", "auth/token/renew-self", "{}", SteadyTime::max());
    if (tokens_ != mine) co_return;
    if (renewed) {
      life = life_of(*renewed, "auth", "lease_duration");
      continue;
    }
    report_("the token could not be renewed: " + renewed.error().detail);
    const bool refused = renewed.error().code == Code::upstream_refused;  // it has ended, for good perhaps
    life.left = refused ? 2 * kRetry : std::max(life.left / 2, kRenewMin);
  }
  if (life.left.count() > 0) {
    report_("the token cannot be renewed and ends in " + std::to_string(life.left.count()) +
            " s; fix: write another where its reference points, it is read once this one is refused");
  }
}

Task<void> VaultServer::stop() {
  keeping_ = false;
  tasks_.cancel();
  co_await tasks_.join();
  peer_->stop();
}

}  // namespace sallyport::control
