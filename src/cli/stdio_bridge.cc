#include "cli/stdio_bridge.h"

#include <unistd.h>

#include <chrono>
#include <deque>
#include <ostream>

#include "cli/bridge_modern.h"
#include "cli/bridge_session.h"
#include "cli/context.h"
#include "cli/line_source.h"

namespace sallyport::cli {
namespace {

using std::chrono::seconds;

constexpr seconds kFinish{310};  // what is still in flight when the input ends: the longest call is 300 s
constexpr std::size_t kPendingMax = 4096;
// Requests in their slots, listen streams, and room for responses and cancellations that those wait for.
constexpr std::size_t kConnections = 1024;

// One client's lines, from the first to the end of the input. Requests run side by side; what orders the conversation of
// a legacy session (initialize, notifications) goes through the lane, one after the other; responses and cancellations
// wait for nothing, since a running request may be what waits for them.
class Conversation {
 public:
  Conversation(GatewayLink& link, const ClientLines& lines, Executor executor)
      : lines_(lines),
        slots_(executor),
        legacy_(link, lines, executor),
        modern_(link, lines, executor, slots_),
        requests_(executor, [&lines](const char* what) { lines.log(what); }),
        streams_(executor, [&lines](const char* what) { lines.log(what); }),
        lane_changed_(executor, SteadyTimer::time_point::max()) {}

  Task<void> run(LineSource& source) {
    TaskGroup lane(requests_.executor(), [this](const char* what) { lines_.log(what); });
    lane.spawn(keep_lane());
    while (auto line = co_await source.next()) take(read_client_line(*line));
    ended_ = true;
    lane_changed_.cancel();
    SteadyTimer limit(requests_.executor(), kFinish);
    limit.async_wait([this, &lane](const boost::system::error_code& ec) {
      if (!ec) give_up(lane);
    });
    co_await lane.join();
    co_await modern_.finish();
    co_await requests_.join();
    limit.cancel();
    streams_.cancel();
    co_await streams_.join();
    co_await legacy_.end();
  }

 private:
  void give_up(TaskGroup& lane) {
    lane.cancel();
    modern_.cancel_all();
    requests_.cancel();
  }

  void take(ClientMessage message) {
    using Kind = ClientMessage::Kind;
    if (message.kind == Kind::invalid)
      return lines_.error(message.ids.empty() ? "" : message.ids[0], message.error_code, message.error);
    // What is not running here any more is nobody's business, unless a session's server may know it.
    const bool for_session = legacy_.begun() && !message.modern;
    if (!message.cancels.empty() && (modern_.cancel(message.cancels) || !for_session)) return;
    if (message.kind == Kind::response) {
      if (legacy_.begun()) requests_.spawn(legacy_.exchange(std::move(message)));
      else lines_.log("a response without a session is dropped");
      return;
    }
    if (requests_.size() + modern_.size() + lane_.size() >= kPendingMax) {
      Owed(lines_, std::move(message.ids)).because(Code::limit, "Too many requests at once");
    } else if (message.modern) {
      modern_.start(std::move(message));
    } else {
      lane_.push_back(std::move(message));
      lane_changed_.cancel();
    }
  }

  Task<void> keep_lane() {
    while (!lane_.empty() || !ended_) {
      if (lane_.empty()) {
        co_await lane_changed_.async_wait(use_task_ec);
        continue;
      }
      ClientMessage message = std::move(lane_.front());
      lane_.pop_front();
      const bool initialized = message.is("notifications/initialized");
      const bool aside = !message.ids.empty() && !message.is("initialize");
      if (aside) requests_.spawn(request(std::move(message)));
      else co_await legacy_.exchange(std::move(message));
      if (initialized && streams_.size() == 0) streams_.spawn(legacy_.listen());
    }
  }

  Task<void> request(ClientMessage message) {
    co_await slots_.wait();
    const Slots::Hold hold(slots_);
    co_await legacy_.exchange(std::move(message));
  }

  const ClientLines& lines_;
  Slots slots_;
  BridgeSession legacy_;
  BridgeModern modern_;
  TaskGroup requests_, streams_;
  std::deque<ClientMessage> lane_;
  SteadyTimer lane_changed_;
  bool ended_ = false;
};

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
  const ClientLines out(options);
  {
    net::DeadlineSweep sweep(io.get_executor(), clock);
    net::EgressClient client(io.get_executor(), sweep,
                             {.connections_per_target = kConnections,
                              .idle_age = std::chrono::milliseconds(30'000),
                              .ca_file = options.ca_file});
    GatewayLink link(client, clock, *target);
    LineSource lines(io.get_executor(), options.in_fd);
    Conversation conversation(link, out, io.get_executor());
    TaskGroup main(io.get_executor(), [&out](const char* what) { out.log(what); });
    sweep.start();
    main.spawn([](auto& talk, auto& l, auto& c, auto& sw) -> Task<void> {
      co_await talk.run(l);
      c.drop_idle();
      sw.stop();
    }(conversation, lines, client, sweep));
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
  options.url = *url + "/mcp";
  options.ca_file = own_authority(c);
  if (!c.options.server.empty()) options.url += "/" + url_encode(c.options.server);
  if (!c.options.toolset.empty()) options.url += "/p/" + url_encode(c.options.toolset);
  options.key = Secret(found->second);
  options.in_fd = STDIN_FILENO;
  options.out = [&c](std::string_view line) { c.io.out << line << "\n" << std::flush; };
  options.log = [&c](std::string_view message) { c.io.err << "sallyport stdio: " << printable(message, 2000) << "\n"; };
  return run_bridge(std::move(options));
}

}  // namespace sallyport::cli
