#include "cli/client.h"

#include <filesystem>
#include <memory>

#include "core/clock.h"
#include "net/egress_client.h"

namespace sallyport::cli {
namespace {

// Runs one request to its end on this thread.
Result<ApiAnswer> run_request(net::EgressRequest request, std::chrono::milliseconds timeout,
                              net::EgressOptions options = {}) {
  const SystemClock clock;
  asio::io_context io(1);
  Result<ApiAnswer> answer = fail(Code::internal, "the request did not end");
  {
    net::DeadlineSweep sweep(io.get_executor(), clock);
    net::EgressClient client(io.get_executor(), sweep, std::move(options));
    request.deadline = clock.steady() + timeout;
    sweep.start();
    asio::co_spawn(
        io.get_executor(),
        [](net::EgressClient& c, net::DeadlineSweep& s, net::EgressRequest r, Result<ApiAnswer>& to) -> Task<void> {
          auto response = co_await c.fetch(std::move(r));
          if (response) to = ApiAnswer{response->head.status, std::move(response->body)};
          else to = fail(std::move(response).error());
          c.drop_idle();
          s.stop();
        }(client, sweep, std::move(request), answer),
        [](const std::exception_ptr&) {});
    io.run();
  }
  return answer;
}

}  // namespace

Result<ApiAnswer> request_over_socket(const std::string& home, std::string_view method, std::string_view path,
                                      std::string_view body) {
  const std::string socket = home + "/admin.sock";
  std::error_code ec;
  if (!std::filesystem::is_socket(socket, ec)) return fail(Code::upstream_unavailable, socket + " does not exist");
  net::EgressRequest request;
  SP_TRY(request.target, net::EgressTarget::make_unix(socket));
  request.method = method;
  request.path = path;
  request.headers = {{"Accept", "application/json"}};
  if (!body.empty()) request.headers.emplace_back("Content-Type", "application/json");
  request.body = body;
  request.limits.body_bytes = 64U << 20;
  const bool changes = method != "GET";
  auto sent = std::make_shared<bool>(false);
  request.sending = [sent] { *sent = true; };
  auto answer = run_request(std::move(request), std::chrono::seconds(310));  // a tool call may take 300
  if (answer || !*sent) return answer;
  return fail(Code::upstream_timeout, "the gateway gave no whole answer (" + answer.error().detail + ")" +
                                          (changes ? ": the order may have been carried out" : ""));
}

Result<ApiAnswer> get_url(const std::string& url, std::chrono::milliseconds timeout, const std::string& ca_file) {
  net::EgressRequest request;
  SP_TRY(request.target, net::EgressTarget::make(url, {.allow_private = true}));
  request.method = "GET";
  net::EgressOptions options;
  options.ca_file = ca_file;
  return run_request(std::move(request), timeout, std::move(options));
}

}  // namespace sallyport::cli
