// The load generator of bench/run: keep-alive connections to one loopback port, one tools/call in flight on each, each
// answer checked. Closed loop by default; with --rate an open loop, whose latency counts from the moment a call was due,
// so that a stall of the proxy is not hidden. CPU time of the proxy is read at both ends of the measured window. Prints
// one line of JSON.
#include <sys/prctl.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <utility>
#include <vector>

#include "client.h"

namespace {

using bench::die;
using Clock = std::chrono::steady_clock;
using Nanos = std::chrono::nanoseconds;

constexpr std::string_view kBody =
    R"(,"method":"tools/call","params":{"name":"@TOOL@"@META@,"arguments":{"query":"quarterly budget of the northern region, )"
    R"(second revision, with the notes of the board","limit":20,"folder":"archive/2026/finance","tags":["budget","board",)"
    R"("north"],"since":"2026-01-01","exact":false}}})";
// What a request of 2026-07-28 carries besides (MCP 2026-07-28, Streamable HTTP).
constexpr std::string_view kEnvelope =
    R"(,"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{},)"
    R"("io.modelcontextprotocol/clientInfo":{"name":"bench","version":"1"}})";
constexpr std::string_view kExpected = "3 documents: 2026/budget.md";
constexpr std::size_t kIdDigits = 9;

struct Options {
  std::uint16_t port = 0;
  std::string path = "/mcp";
  std::string key;
  std::string session;
  std::string tool = "bench_search";
  bool modern = false;  // --era modern: a client of 2026-07-28
  bool tls = false;  // --tls yes
  std::size_t connections = 64;
  double seconds = 3;
  double warm_up = 0.5;
  double rate = 0;  // 0: closed loop
  std::string pid;
};

struct Connection {
  int fd = -1;
  SSL* ssl = nullptr;
  std::string in;
  std::string request;  // whole; the id is patched
  std::size_t id_at = 0;
  std::uint64_t id = 0;
  Clock::time_point due;
};

struct Tally {
  std::uint64_t calls = 0;
  std::uint64_t errors = 0;
  std::string first_error;
  std::vector<std::uint32_t> latency_ns;
};

Options parse(int argc, char** argv) {
  Options o;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    const std::string value = argv[i + 1];
    if (name == "--port") o.port = static_cast<std::uint16_t>(std::stoi(value));
    else if (name == "--path") o.path = value;
    else if (name == "--key") o.key = value;
    else if (name == "--session") o.session = value;
    else if (name == "--tool") o.tool = value;
    else if (name == "--tls") o.tls = value == "yes";
    else if (name == "--era") o.modern = value == "modern";
    else if (name == "--connections") o.connections = std::stoul(value);
    else if (name == "--seconds") o.seconds = std::stod(value);
    else if (name == "--warm-up") o.warm_up = std::stod(value);
    else if (name == "--rate") o.rate = std::stod(value);
    else if (name == "--pid") o.pid = value;
    else std::exit((std::fprintf(stderr, "load: unknown option %s\n", argv[i]), 2));
  }
  return o;
}

void prepare(const Options& o, Connection& c) {
  std::string body = R"({"jsonrpc":"2.0","id":)";
  const std::size_t id_in_body = body.size();
  body.append(kIdDigits, '1').append(kBody);
  body.replace(body.find("@TOOL@"), 6, o.tool);
  body.replace(body.find("@META@"), 6, o.modern ? kEnvelope : std::string_view());
  std::string head = "POST " + o.path +
                     " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                     "Accept: application/json, text/event-stream\r\n";
  if (o.modern) head += "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: " + o.tool + "\r\n";
  else head += "MCP-Protocol-Version: 2025-11-25\r\n";
  if (!o.key.empty()) head += "Authorization: Bearer " + o.key + "\r\n";
  if (!o.session.empty()) head += "Mcp-Session-Id: " + o.session + "\r\n";
  head += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
  c.id_at = head.size() + id_in_body;
  c.request = head + body;
}

void open(const Options& o, Connection& c) {
  c.fd = bench::connected(o.port);
  if (o.tls) {
    static SSL_CTX* const context = bench::client_context();
    SSL_free(c.ssl);
    c.ssl = bench::shake(context, c.fd);
  }
  fcntl(c.fd, F_SETFL, O_NONBLOCK);
}

class Load {
 public:
  explicit Load(const Options& options) : o_(options), epoll_(epoll_create1(EPOLL_CLOEXEC)), all_(options.connections) {
    for (auto& c : all_) {
      prepare(o_, c);
      open(o_, c);
      bench::watch(epoll_, c.fd, &c);
      idle_.push_back(&c);
    }
    tally_.latency_ns.reserve(1U << 20U);
  }

  int run() {
    begin_ = Clock::now();
    const auto window = begin_ + seconds(o_.warm_up);
    const auto end = window + seconds(o_.seconds);
    while (Clock::now() < window) turn(end);
    const Tally warm = std::exchange(tally_, Tally{});
    tally_.latency_ns.reserve(1U << 20U);
    const std::uint64_t cpu = bench::cpu_ns(o_.pid);
    const auto started = Clock::now();
    while (Clock::now() < end) turn(end);
    const auto took = std::chrono::duration<double>(Clock::now() - started).count();
    report(warm, took, static_cast<double>(bench::cpu_ns(o_.pid) - cpu));
    return 0;
  }

 private:
  static Nanos seconds(double s) { return Nanos(static_cast<std::int64_t>(s * 1e9)); }

  void send_on(Connection& c, Clock::time_point due) {
    c.id = 100'000'000 + next_++ % 900'000'000;
    const std::string digits = std::to_string(c.id);
    c.request.replace(c.id_at, kIdDigits, digits);
    c.due = due;
    const bool sent = c.ssl != nullptr ? SSL_write(c.ssl, c.request.data(), static_cast<int>(c.request.size())) > 0
                                       : bench::send_all(c.fd, c.request);
    if (!sent) die("send");
  }

  // Sends what is due; how long until the next is.
  Nanos send_due() {
    const auto now = Clock::now();
    if (o_.rate == 0) {
      for (; !idle_.empty(); idle_.pop_back()) send_on(*idle_.back(), now);
      return std::chrono::milliseconds(100);
    }
    for (;;) {
      const auto due = begin_ + seconds(static_cast<double>(next_) / o_.rate);
      if (due > now) return due - now;
      if (idle_.empty()) return std::chrono::milliseconds(100);
      Connection* c = idle_.front();
      idle_.pop_front();
      send_on(*c, due);
    }
  }

  void turn(Clock::time_point end) {
    const Nanos wait = std::min<Nanos>(send_due(), std::max<Nanos>(end - Clock::now(), Nanos(0)));
    const timespec timeout{wait.count() / 1'000'000'000, wait.count() % 1'000'000'000};
    epoll_event events[256];
    const int ready = epoll_pwait2(epoll_, events, 256, &timeout, nullptr);
    if (ready < 0 && errno != EINTR) die("epoll_wait");
    for (int i = 0; i < ready; ++i) receive(*static_cast<Connection*>(events[i].data.ptr));
  }

  void receive(Connection& c) {
    char buffer[16384];
    const ssize_t got =
        c.ssl != nullptr ? SSL_read(c.ssl, buffer, sizeof buffer) : recv(c.fd, buffer, sizeof buffer, 0);
    if (c.ssl != nullptr && got <= 0 && SSL_get_error(c.ssl, static_cast<int>(got)) == SSL_ERROR_WANT_READ) return;
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) {
      wrong(c, "connection closed");
      close(c.fd);
      c.in.clear();
      open(o_, c);
      bench::watch(epoll_, c.fd, &c);
      idle_.push_back(&c);
      return;
    }
    std::string_view seen(buffer, static_cast<std::size_t>(got));
    if (!c.in.empty()) seen = c.in.append(seen);
    const auto answer = bench::frame(seen);
    if (!answer.complete) {
      if (c.in.empty()) c.in = seen;
      return;
    }
    check(c, answer);
    c.in.clear();
    if (o_.rate == 0) send_on(c, Clock::now());
    else idle_.push_back(&c);
  }

  void check(const Connection& c, const bench::Framed& answer) {
    ++tally_.calls;
    tally_.latency_ns.push_back(
        static_cast<std::uint32_t>(std::min<std::int64_t>((Clock::now() - c.due).count(), 4'000'000'000)));
    const bool good = answer.head.starts_with("HTTP/1.1 200") && bench::rpc_id(answer.body) == std::to_string(c.id) &&
                      answer.body.find(kExpected) != std::string_view::npos;
    if (!good)
      wrong(c,
            std::string(answer.head.substr(0, answer.head.find('\r'))) + " " + std::string(answer.body.substr(0, 300)));
  }

  void wrong(const Connection&, const std::string& why) {
    if (tally_.errors++ == 0) tally_.first_error = why;
  }

  double quantile(double q) {
    auto& all = tally_.latency_ns;
    if (all.empty()) return 0;
    const auto at = std::min(all.size() - 1, static_cast<std::size_t>(q * static_cast<double>(all.size())));
    std::ranges::nth_element(all, all.begin() + static_cast<std::ptrdiff_t>(at));
    return all[at] / 1000.0;
  }

  void report(const Tally& warm, double took, double cpu) {
    const auto calls = static_cast<double>(tally_.calls);
    if (tally_.errors + warm.errors > 0) {
      std::fprintf(stderr, "load: %s\n", (warm.errors > 0 ? warm : tally_).first_error.c_str());
    }
    std::printf(
        R"({"calls":%.0f,"errors":%llu,"seconds":%.3f,"per_second":%.0f,"cpu_us":%.3f,"p50_us":%.1f,"p99_us":%.1f})"
        "\n",
        calls, static_cast<unsigned long long>(tally_.errors + warm.errors), took, calls / took,
        calls > 0 ? cpu / 1000.0 / calls : 0, quantile(0.5), quantile(0.99));
  }

  Options o_;
  int epoll_;
  std::vector<Connection> all_;
  std::deque<Connection*> idle_;
  Tally tally_;
  Clock::time_point begin_;
  std::uint64_t next_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  const Options options = parse(argc, argv);
  prctl(PR_SET_TIMERSLACK, 1UL);  // the open loop wakes on time
  return Load(options).run();
}
