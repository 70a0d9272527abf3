#include "launcher/control_socket.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "launcher/protocol.h"

namespace sallyport::launcher {
namespace {

std::string system_text(const char* what) { return std::string(what) + ": " + ::strerror(errno); }

struct Ancillary {
  alignas(cmsghdr) char bytes[CMSG_SPACE(3 * sizeof(int))] = {};
};

// Takes every descriptor that came, so that none leaks however odd the packet is.
void take_descriptors(msghdr& message, Packet& packet, bool& odd) {
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr; part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(part) + i * sizeof(int), sizeof fd);
      if (packet.fd_count < packet.fds.size()) {
        packet.fds[packet.fd_count++].reset(fd);
      } else {
        ::close(fd);
        odd = true;
      }
    }
  }
}

}  // namespace

Result<bool> send_packet(int socket, std::string_view bytes, std::span<const int> fds) {
  iovec part{const_cast<char*>(bytes.data()), bytes.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  Ancillary ancillary;
  if (!fds.empty()) {
    message.msg_control = ancillary.bytes;
    message.msg_controllen = CMSG_SPACE(fds.size_bytes());
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(fds.size_bytes());
    std::memcpy(CMSG_DATA(header), fds.data(), fds.size_bytes());
  }
  for (;;) {
    if (::sendmsg(socket, &message, MSG_NOSIGNAL) >= 0) return true;
    if (errno == EINTR) continue;
    if (errno == EAGAIN) return false;
    return fail(Code::io, system_text("control socket"));
  }
}

Result<Packet> receive_packet(int socket) {
  Packet packet;
  packet.bytes.resize(kMessageBytesMax);
  iovec part{packet.bytes.data(), packet.bytes.size()};
  Ancillary ancillary;
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = ancillary.bytes;
  message.msg_controllen = sizeof ancillary.bytes;
  ssize_t got = -1;
  do {
    got = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  } while (got < 0 && errno == EINTR);
  if (got < 0) return fail(errno == EAGAIN ? Code::request_timeout : Code::io, system_text("control socket"));
  if (got == 0) return fail(Code::io, "control socket: the other end is gone");
  bool odd = (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0;
  take_descriptors(message, packet, odd);
  if (odd) {
    wipe(packet.bytes);
    return fail(Code::invalid_request, "control packet cut");
  }
  packet.bytes.resize(static_cast<std::size_t>(got));
  return packet;
}

Result<std::array<Fd, 2>> control_pair() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return fail(Code::io, system_text("socketpair"));
  std::array<Fd, 2> pair{Fd(ends[0]), Fd(ends[1])};
  const int bytes = static_cast<int>(4 * kMessageBytesMax);
  for (const Fd& end : pair) ::setsockopt(end.get(), SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
  return pair;
}

Result<std::array<Fd, 2>> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return fail(Code::io, system_text("pipe"));
  return std::array<Fd, 2>{Fd(ends[0]), Fd(ends[1])};
}

Result<Fd> memory_file(std::string_view bytes) {
  Fd file(::memfd_create("sallyport", 0));
  if (!file) return fail(Code::io, system_text("memfd_create"));
  while (!bytes.empty()) {
    const ssize_t put = ::write(file.get(), bytes.data(), bytes.size());
    if (put < 0) return fail(Code::io, system_text("memory file"));
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  ::lseek(file.get(), 0, SEEK_SET);
  return file;
}

}  // namespace sallyport::launcher
