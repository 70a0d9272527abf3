#include "app/opa.h"

namespace sallyport::app {
namespace {

Task<Result<void>> ask_both(OpaClient& client) {
  for (const std::string_view package : policy::kAskedPackages) {
    const auto answer = co_await client.ask(std::string(package), "{}");
    if (!answer) co_return fail(answer.error().code, "package " + std::string(package) + ": " + answer.error().detail);
  }
  co_return Result<void>{};
}

}  // namespace

Result<std::optional<OpaSettings>> opa_of(const config::Settings& settings, const config::Environment& environment) {
  if (settings.policy.backend != "opa") return std::nullopt;
  net::Headers headers;
  if (!settings.opa.token.empty()) {
    SP_TRY(const Secret token, config::resolve_reference(settings.opa.token, settings.home, environment));
    headers.emplace_back("Authorization", "Bearer " + std::string(token.reveal()));
  }
  net::EgressPolicy guard;
  guard.allow_private = settings.opa.allow_private;
  OpaSettings out;
  auto target = net::EgressTarget::make(settings.opa.url, guard, headers);
  for (auto& [name, value] : headers) wipe(value);
  if (!target) {
    return fail(Code::config, "opa.url: " + target.error().detail +
                                  "; fix: opa.allow_private: true for a loopback or private address");
  }
  out.target = std::move(*target);
  out.timeout = settings.opa.timeout;
  out.cache = settings.opa.cache;
  return out;
}

Result<void> try_opa(const OpaSettings& settings) {
  const SystemClock clock;
  asio::io_context io(1);
  Result<void> found = fail(Code::internal, "the question did not end");
  net::DeadlineSweep sweep(io.get_executor(), clock);
  net::EgressClient egress(io.get_executor(), sweep);
  OpaClient client(io.get_executor(), egress, clock, settings, [](std::string_view) {});
  sweep.start();
  const auto run = [](OpaClient& asked, net::EgressClient& by, net::DeadlineSweep& until,
                      Result<void>& to) -> Task<void> {
    to = co_await ask_both(asked);
    by.drop_idle();
    until.stop();
  };
  asio::co_spawn(io.get_executor(), run(client, egress, sweep, found), [](const std::exception_ptr&) {});
  io.run();
  return found;
}

}  // namespace sallyport::app
