// Just enough HTTP/1.1 for two programs that speak with peers we chose: heads in one piece, Content-Length bodies. Used by
// bench/load.cc and bench/upstream.cc only; loopback only; never a part of the product, whose reader is net/.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

namespace bench {

[[noreturn]] inline void die(const char* what) {
  std::fprintf(stderr, "%s: %s\n", what, std::strerror(errno));
  std::exit(1);
}

// One message at the front of `data`: how long its head and body are, or `complete` false when more must be read.
struct Framed {
  bool complete = false;
  std::string_view head;
  std::string_view body;
};

inline std::string_view field(std::string_view head, std::string_view name) {
  for (std::size_t at = head.find("\r\n"); at != std::string_view::npos; at = head.find("\r\n", at + 2)) {
    const std::string_view line = head.substr(at + 2);
    if (line.size() <= name.size() || line[name.size()] != ':') continue;
    if (strncasecmp(line.data(), name.data(), name.size()) != 0) continue;
    const std::string_view value = line.substr(name.size() + 1, line.find("\r\n") - name.size() - 1);
    return value.substr(std::min(value.find_first_not_of(' '), value.size()));
  }
  return {};
}

inline Framed frame(std::string_view data) {
  const std::size_t end = data.find("\r\n\r\n");
  if (end == std::string_view::npos) return {};
  const std::string_view head = data.substr(0, end + 2);
  std::size_t length = 0;
  for (const char c : field(head, "Content-Length")) {
    if (c < '0' || c > '9') break;
    length = length * 10 + static_cast<std::size_t>(c - '0');
  }
  if (data.size() < end + 4 + length) return {};
  return {true, data.substr(0, end + 4), data.substr(end + 4, length)};
}

// The raw value of the first `"id":` of a JSON-RPC message that we or Sallyport wrote; empty for a notification.
inline std::string_view rpc_id(std::string_view body) {
  const std::size_t at = body.find("\"id\":");
  if (at == std::string_view::npos) return {};
  const std::string_view rest = body.substr(at + 5);
  return rest.substr(0, rest.find_first_of(",}"));
}

inline sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

inline void watch(int epoll, int fd, void* owner) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = owner;
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) die("epoll_ctl");
}

inline void no_delay(int fd) {
  const int one = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

// Messages here are under 4 KiB and answered one by one, so they fit the socket's buffer in one piece.
inline bool send_all(int fd, std::string_view data) {
  return send(fd, data.data(), data.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(data.size());
}

}  // namespace bench
