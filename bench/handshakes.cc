// The handshakes of bench/tls: connections to one loopback port, opened, shaken and closed one after the other by each of
// a few threads, whole or resumed. CPU time of the server is read at both ends. Prints one line of JSON.
#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "client.h"

namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  std::uint16_t port = 0;
  double seconds = 2;
  unsigned threads = 8;
  bool resume = false;
  bool old = false;  // --version 1.2
  std::string pid;
};

Options parse(int argc, char** argv) {
  Options o;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    const std::string value = argv[i + 1];
    if (name == "--port") o.port = static_cast<std::uint16_t>(std::stoi(value));
    else if (name == "--seconds") o.seconds = std::stod(value);
    else if (name == "--threads") o.threads = static_cast<unsigned>(std::stoul(value));
    else if (name == "--resume") o.resume = value == "yes";
    else if (name == "--version") o.old = value == "1.2";
    else if (name == "--pid") o.pid = value;
    else std::exit((std::fprintf(stderr, "handshakes: unknown option %s\n", argv[i]), 2));
  }
  return o;
}

struct Kept {
  SSL_SESSION* session = nullptr;
};

int keep(SSL* ssl, SSL_SESSION* session) {
  auto& kept = *static_cast<Kept*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
  SSL_SESSION_free(kept.session);
  kept.session = session;
  return 1;
}

void go(const Options& o, Clock::time_point end, std::atomic<std::uint64_t>& done,
        std::atomic<std::uint64_t>& resumed) {
  SSL_CTX* const context = bench::client_context();
  if (o.old) SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
  Kept kept;
  SSL_CTX_set_app_data(context, &kept);
  if (o.resume) {
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, keep);
  }
  while (Clock::now() < end) {
    const int fd = bench::connected(o.port);
    const linger at_once{1, 0};  // no TIME_WAIT: ports would run out
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    SSL* const ssl = bench::shake(context, fd, kept.session);
    // A request, so that the tickets of TLS 1.3 have come and both sides are done.
    static constexpr std::string_view kAsk = "GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n";
    SSL_write(ssl, kAsk.data(), static_cast<int>(kAsk.size()));
    char answer[4096];
    if (SSL_read(ssl, answer, sizeof answer) <= 0) bench::die("no answer");
    resumed += SSL_session_reused(ssl) == 1 ? 1 : 0;
    ++done;
    SSL_shutdown(ssl);  // else its session counts as broken
    SSL_free(ssl);
    close(fd);
  }
  SSL_SESSION_free(kept.session);
  SSL_CTX_free(context);
}

}  // namespace

int main(int argc, char** argv) {
  const Options o = parse(argc, argv);
  std::atomic<std::uint64_t> done{0}, resumed{0};
  const auto begun = Clock::now();
  const std::uint64_t cpu = bench::cpu_ns(o.pid);
  const auto end = begun + std::chrono::nanoseconds(static_cast<std::int64_t>(o.seconds * 1e9));
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < o.threads; ++i) threads.emplace_back([&] { go(o, end, done, resumed); });
  for (auto& thread : threads) thread.join();
  const double took = std::chrono::duration<double>(Clock::now() - begun).count();
  const auto count = static_cast<double>(done.load());
  std::printf("{\"handshakes\":%.0f,\"resumed\":%llu,\"per_second\":%.0f,\"cpu_us\":%.2f,\"errors\":0}\n", count,
              static_cast<unsigned long long>(resumed.load()), count / took,
              count > 0 ? static_cast<double>(bench::cpu_ns(o.pid) - cpu) / 1000.0 / count : 0);
  return 0;
}
