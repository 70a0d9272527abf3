#include "cli/stdio_bridge.h"

#include <unistd.h>

#include <chrono>
#include <ostream>

#include "cli/bridge_session.h"
#include "cli/context.h"
#include "cli/line_source.h"

namespace sallyport::cli {
namespace {

using std::chrono::seconds;

constexpr seconds kFinish{310};  // what is still in flight when the input ends: the longest call is 300 s

Task<void> finish_in_flight(TaskGroup& requests) {
  SteadyTimer limit(requests.executor(), kFinish);
  limit.async_wait([&requests](const boost::system::error_code& ec) {
    if (!ec) requests.cancel();
  });
  co_await requests.join();
  limit.cancel();
}

// Requests run side by side; what orders the conversation (initialize, notifications, answers) is waited for.
Task<void> converse(BridgeSession& session, LineSource& lines, TaskGroup& requests, TaskGroup& streams) {
  while (auto line = co_await lines.next()) {
    auto message = ClientMessage::read(*line);
    if (!message) {
      session.print_error("null", -32700, "Parse error: " + message.error().detail);
      continue;
    }
    const bool initialized = message->method == "notifications/initialized";
    if (message->is_request && message->method != "initialize") {
      requests.spawn(session.exchange(std::move(*message)));
    } else {
      co_await session.exchange(std::move(*message));
    }
    if (initialized && streams.size() == 0) streams.spawn(session.listen());
  }
  co_await finish_in_flight(requests);
  streams.cancel();
  co_await streams.join();
  co_await session.end();
}

}  // namespace

int run_bridge(BridgeOptions options) {
  const SystemClock clock;
  asio::io_context io(1);
  const auto target = net::EgressTarget::make(options.url, {.allow_private = true},
                                              {{"Authorization", "Bearer " + std::string(options.key.reveal())}});
  if (!target) {
    options.log("the gateway's address or key cannot be used: " + target.error().detail);
    return kUsage;
  }
  const auto escaped = [&options](const char* what) { options.log(what); };
  {
    net::DeadlineSweep sweep(io.get_executor(), clock);
    net::EgressClient client(io.get_executor(), sweep, {.idle_age = std::chrono::milliseconds(30'000)});
    BridgeSession session(client, clock, *target, options);
    LineSource lines(io.get_executor(), options.in_fd);
    TaskGroup main(io.get_executor(), escaped);
    TaskGroup requests(io.get_executor(), escaped);
    TaskGroup streams(io.get_executor(), escaped);
    sweep.start();
    main.spawn([](auto& s, auto& l, auto& r, auto& g, auto& c, auto& sw) -> Task<void> {
      co_await converse(s, l, r, g);
      c.drop_idle();
      sw.stop();
    }(session, lines, requests, streams, client, sweep));
    io.run();
  }
  return kOk;
}

int run_stdio(const Context& c) {
  const auto found = c.io.environment.find("MCP_API_KEY");
  if (found == c.io.environment.end() || found->second.empty()) {
    return c.fail_with(kFailure, "MCP_API_KEY not configured",
                       "set MCP_API_KEY in the 'env' of the client's entry to an agent's key (sallyport key create)");
  }
  auto url = gateway_url(c);
  if (!url) return c.fail_with(kFailure, url.error().detail);
  BridgeOptions options;
  options.url = *url + "/mcp" + (c.options.server.empty() ? "" : "/" + url_encode(c.options.server));
  options.key = Secret(found->second);
  options.in_fd = STDIN_FILENO;
  options.out = [&c](std::string_view line) { c.io.out << line << "\n" << std::flush; };
  options.log = [&c](std::string_view message) { c.io.err << "sallyport stdio: " << printable(message, 2000) << "\n"; };
  return run_bridge(std::move(options));
}

}  // namespace sallyport::cli
