#include "request/listener/bind.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "request/listener/listener.h"

namespace sallyport {
namespace {

constexpr int kBacklog = 1024;

class Fd {
 public:
  explicit Fd(int fd) : fd_(fd) {}
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

SocketAddress to_system(const IpAddress& address, std::uint16_t port) {
  SocketAddress out;
  if (address.v6) {
    sockaddr_in6 in{};
    in.sin6_family = AF_INET6;
    in.sin6_port = htons(port);
    std::memcpy(&in.sin6_addr, address.bytes.data(), 16);
    std::memcpy(&out.storage, &in, out.size = sizeof in);
  } else {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = htons(port);
    std::memcpy(&in.sin_addr, address.bytes.data(), 4);
    std::memcpy(&out.storage, &in, out.size = sizeof in);
  }
  return out;
}

std::unexpected<Error> explain(int error, const ListenerSettings& settings) {
  const auto port = std::to_string(settings.port);
  switch (error) {
    case EADDRINUSE:
      return fail(Code::io, "port " + port + " on " + settings.address +
                                " is in use: stop the other server, or choose another port with " +
                                std::string(settings.port_setting));
    case EACCES:
      return fail(Code::io, "port " + port + " needs root or CAP_NET_BIND_SERVICE: choose one above 1023 with " +
                                std::string(settings.port_setting));
    case EADDRNOTAVAIL:
      return fail(Code::io, "address " + settings.address + " is not on this machine: check listen.address");
    default:
      return fail(Code::io, "cannot listen on " + settings.address + " port " + port + ": " + std::strerror(error));
  }
}

bool set_flag(int fd, int option) {
  const int on = 1;
  return ::setsockopt(fd, SOL_SOCKET, option, &on, sizeof on) == 0;
}

Result<int> bind_once(const ListenerSettings& settings, const IpAddress& ip, bool share) {
  Fd fd(::socket(ip.v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (fd.get() < 0 || !set_flag(fd.get(), SO_REUSEADDR)) return explain(errno, settings);
  if (share && !set_flag(fd.get(), SO_REUSEPORT)) return explain(errno, settings);
  const auto address = to_system(ip, settings.port);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address.storage), address.size) != 0 ||
      ::listen(fd.get(), kBacklog) != 0) {
    return explain(errno, settings);
  }
  return fd.release();
}

// Does a server answer at this path?
bool answers(const sockaddr_un& address) {
  const Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  return fd.get() >= 0 && ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

}  // namespace

Result<int> bind_tcp(const ListenerSettings& settings) {
  const auto ip = IpAddress::parse(settings.address == "localhost" ? "127.0.0.1" : settings.address);
  if (!ip)
    return fail(Code::config,
                "listen.address: `" + settings.address + "` is no address; fix: write 127.0.0.1 or 0.0.0.0");
  if (settings.reuse_port && settings.first && settings.port != 0) {
    // Another server that shares its port would take half of our connections: bind once without sharing.
    SP_TRY(const int probe, bind_once(settings, *ip, false));
    ::close(probe);
  }
  return bind_once(settings, *ip, settings.reuse_port);
}

Result<int> bind_local(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return fail(Code::config, "admin socket: path longer than 107 bytes: " + path + "; fix: choose a shorter home");
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  struct stat found{};
  if (::lstat(path.c_str(), &found) == 0) {
    if (!S_ISSOCK(found.st_mode))
      return fail(Code::io, "admin socket: " + path + " exists and is no socket: remove it");
    if (answers(address)) return fail(Code::io, "admin socket: another server answers on " + path + ": stop it first");
    ::unlink(path.c_str());
  }
  Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const mode_t old_mask = ::umask(0177);  // 0600 from the first moment on
  const bool bound =
      fd.get() >= 0 && ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  const int error = errno;
  ::umask(old_mask);
  if (!bound || ::listen(fd.get(), kBacklog) != 0) {
    return fail(Code::io, "admin socket: cannot listen on " + path + ": " + std::strerror(bound ? errno : error));
  }
  return fd.release();
}

}  // namespace sallyport
