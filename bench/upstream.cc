// A static MCP server over Streamable HTTP, stateless (no Mcp-Session-Id), for bench/run and bench/bridged: answers at
// once, always the same. Of the legacy revisions, or with --era modern of 2026-07-28. Prints its port on the first line
// of its output; ends with SIGTERM.
#include <algorithm>
#include <memory>

#include "http.h"

namespace {

using bench::die;

// Results without their opening brace: a modern result begins with its type.
constexpr std::string_view kInitialize =
    R"("protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"bench","version":"1"}})";
constexpr std::string_view kDiscover =
    R"("supportedVersions":["2026-07-28"],"capabilities":{"tools":{}},"ttlMs":0,"cacheScope":"private"})";
constexpr std::string_view kTools =
    R"("tools":[{"name":"search","description":"Searches the archive.","inputSchema":{"type":"object","properties":{)"
    R"("query":{"type":"string","minLength":1,"maxLength":400},"limit":{"type":"integer","minimum":1,"maximum":1000},)"
    R"("folder":{"type":"string","pattern":"^[a-z0-9/_-]+$"},"tags":{"type":"array","maxItems":16,"items":{"type":"string"}},)"
    R"("since":{"type":"string"},"exact":{"type":"boolean"}},"required":["query"],"additionalProperties":false}}]})";
constexpr std::string_view kCalled =
    R"("content":[{"type":"text","text":"3 documents: 2026/budget.md (0.93), 2026/plan.md (0.71), notes/travel.md (0.44)."}]})";

struct Client {
  int fd = -1;
  std::string in;
};

// Empty: a method that this era does not know.
std::string_view result_of(std::string_view body, bool modern) {
  const auto asks = [&](std::string_view method) { return body.find(method) != std::string_view::npos; };
  if (asks(R"("method":"tools/call")")) return kCalled;
  if (asks(R"("method":"tools/list")")) return kTools;
  if (asks(R"("method":"server/discover")")) return modern ? kDiscover : "";
  if (asks(R"("method":"initialize")")) return modern ? "" : kInitialize;
  return modern ? "" : "}";
}

void answer(const bench::Framed& request, bool modern, std::string& out) {
  const std::string_view id = bench::rpc_id(request.body);
  if (!request.head.starts_with("POST ")) {
    out += "HTTP/1.1 405 Method Not Allowed\r\nAllow: POST\r\nContent-Length: 0\r\n\r\n";
  } else if (id.empty()) {
    out += "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n";
  } else {
    const std::string_view result = result_of(request.body, modern);
    constexpr std::string_view kOpen = R"({"jsonrpc":"2.0","id":)";
    const std::string_view kind = modern ? R"(,"result":{"resultType":"complete",)" : R"(,"result":{)";
    constexpr std::string_view kUnknown = R"(,"error":{"code":-32601,"message":"method not found"})";
    const std::string_view begin = result.empty() ? kUnknown : kind;
    const std::size_t length = kOpen.size() + id.size() + begin.size() + result.size() + 1;
    out.append("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ").append(std::to_string(length));
    out.append("\r\n\r\n").append(kOpen).append(id).append(begin).append(result).append("}");
  }
}

// False when the client has gone.
bool serve(Client& client, bool modern) {
  char buffer[16384];
  const ssize_t got = recv(client.fd, buffer, sizeof buffer, 0);
  if (got < 0) return errno == EAGAIN || errno == EINTR;
  if (got == 0) return false;
  client.in.append(buffer, static_cast<std::size_t>(got));
  std::string out;
  std::size_t used = 0;
  for (;;) {
    const auto request = bench::frame(std::string_view(client.in).substr(used));
    if (!request.complete) break;
    answer(request, modern, out);
    used += request.head.size() + request.body.size();
  }
  client.in.erase(0, used);
  return out.empty() || bench::send_all(client.fd, out);
}

int listen_on_any_port() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  sockaddr_in address = bench::loopback(0);
  socklen_t size = sizeof address;
  auto* raw = static_cast<sockaddr*>(static_cast<void*>(&address));
  if (fd < 0 || bind(fd, raw, size) != 0 || listen(fd, 512) != 0 || getsockname(fd, raw, &size) != 0) die("listen");
  std::printf("%u\n", ntohs(address.sin_port));
  std::fflush(stdout);
  return fd;
}

}  // namespace

int main(int argc, char** argv) {
  const bool modern = argc == 3 && std::string_view(argv[1]) == "--era" && std::string_view(argv[2]) == "modern";
  const int listener = listen_on_any_port();
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  bench::watch(epoll, listener, nullptr);
  epoll_event events[256];
  for (;;) {
    const int ready = epoll_wait(epoll, events, 256, -1);
    if (ready < 0 && errno != EINTR) die("epoll_wait");
    for (int i = 0; i < ready; ++i) {
      auto* client = static_cast<Client*>(events[i].data.ptr);
      if (client == nullptr) {
        const int fd = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) continue;
        bench::no_delay(fd);
        bench::watch(epoll, fd, std::make_unique<Client>(Client{fd, {}}).release());
      } else if (!serve(*client, modern)) {
        close(client->fd);
        delete client;
      }
    }
  }
}
