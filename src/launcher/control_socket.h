// One packet over a SOCK_SEQPACKET pair, with at most three descriptors (SCM_RIGHTS). Used by one thread at each end.
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>

#include "core/result.h"
#include "launcher/fd.h"

namespace sallyport::launcher {

struct Packet {
  std::string bytes;
  std::array<Fd, 3> fds;
  std::size_t fd_count = 0;
};

// False on EAGAIN; Code::io when the other end is gone.
Result<bool> send_packet(int socket, std::string_view bytes, std::span<const int> fds);
// Blocks unless the socket is non-blocking. Code::io when the other end is gone, Code::request_timeout on EAGAIN,
// Code::invalid_request for a packet that was cut (too long, too many descriptors).
Result<Packet> receive_packet(int socket);

// A pair of close-on-exec sockets whose buffers hold a whole message of the largest size.
Result<std::array<Fd, 2>> control_pair();
// A pipe {read, write}, both close-on-exec.
Result<std::array<Fd, 2>> make_pipe();
// A memory file with `bytes`, read from its start; not close-on-exec.
Result<Fd> memory_file(std::string_view bytes);

}  // namespace sallyport::launcher
