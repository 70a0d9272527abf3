#include "control/secrets/remote_secrets.h"

#include <algorithm>

namespace sallyport::control {
namespace {

constexpr std::chrono::seconds kAskAgain{5};  // of a source that fails

}  // namespace

RemoteSecrets::RemoteSecrets(Executor executor, const Clock& clock, Sources sources, std::chrono::seconds kept,
                             std::function<void(std::string_view)> report)
    : executor_(executor),
      clock_(clock),
      sources_(std::move(sources)),
      ttl_(std::max(kept, std::chrono::seconds(1))),
      report_(std::move(report)),
      tasks_(executor, [this](const char* what) { report_(what); }) {}

Task<Result<Secret>> RemoteSecrets::get(std::string inner) {
  const auto current = [&]() -> Kept* {
    const auto found = kept_.find(inner);
    return found != kept_.end() && clock_.steady() - found->second.from < ttl_ ? &found->second : nullptr;
  };
  Kept* kept = current();
  if (kept == nullptr) {
    SP_CO_CHECK(co_await ask(inner));
    kept = current();
    if (kept == nullptr) co_return fail(Code::upstream_unavailable, "${" + inner + "}: its answer came too late");
  } else if (clock_.steady() - kept->from >= ttl_ * 2 / 3 && clock_.steady() - kept->asked >= kAskAgain) {
    kept->asked = clock_.steady();
    tasks_.spawn(renew(inner));
  }
  co_return kept->value.clone();
}

// One question for all who want the same: the first asks, the others wait until it has landed.
Task<Result<void>> RemoteSecrets::ask(std::string inner) {
  if (const auto found = flights_.find(inner); found != flights_.end()) {
    const auto flight = found->second;
    (void)co_await flight->landed.async_wait(use_task_ec);
    if (flight->error) co_return fail(*flight->error);
    co_return Result<void>{};
  }
  const auto flight = std::make_shared<Flight>(executor_);
  flight->error = Error{Code::cancelled, "${" + inner + "}: who asked was cancelled"};
  flights_.emplace(inner, flight);
  struct Landing {  // also where the one that asks is cancelled
    RemoteSecrets& secrets;
    const std::string& inner;
    const std::shared_ptr<Flight>& flight;
    ~Landing() {
      secrets.flights_.erase(inner);
      flight->landed.cancel();
    }
  } landing{*this, inner, flight};
  auto asked = co_await ask_source(inner);
  flight->error.reset();
  if (!asked) flight->error = asked.error();
  co_return asked;
}

Task<Result<void>> RemoteSecrets::ask_source(const std::string& inner) {
  auto reference = parse_remote_reference(inner);
  if (!reference) co_return fail(reference.error().code, "${" + inner.substr(0, 100) + "}: " + reference.error().detail);
  const bool kv = reference->where == RemoteReference::Where::kv;
  const Fetch& fetch = kv ? sources_.kv : sources_.aws;
  if (!fetch) {
    co_return fail(Code::config, "${" + inner + "}: " + (kv ? "set secrets.kv.url" : "set secrets.aws.region") + " first");
  }
  auto value = co_await fetch(*std::move(reference));
  if (!value) co_return fail(value.error().code, "${" + inner + "}: " + value.error().detail);
  if (value->size() > kValueBytesMax) co_return fail(Code::limit, "${" + inner + "} is longer than 64 KiB");
  if (value->empty()) co_return fail(Code::config, "${" + inner + "} is empty");
  const SteadyTime now = clock_.steady();
  make_room(now);
  kept_.insert_or_assign(inner, Kept{*std::move(value), now, now});
  co_return Result<void>{};
}

Task<void> RemoteSecrets::renew(std::string inner) {
  const auto asked = co_await ask(inner);
  if (!asked) report_(asked.error().detail);
}

void RemoteSecrets::make_room(SteadyTime now) {
  if (kept_.size() < kKeptMax) return;
  std::erase_if(kept_, [&](const auto& entry) { return now - entry.second.from >= ttl_; });
  if (kept_.size() >= kKeptMax) kept_.clear();
}

Task<void> RemoteSecrets::stop() {
  tasks_.cancel();
  co_await tasks_.join();
}

}  // namespace sallyport::control
