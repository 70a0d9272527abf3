// The messages on the control socket (SOCK_SEQPACKET: one message a packet): encoded and decoded here, by both ends.
// Decoding is total: every byte string gives a message or an Error, within the limits of launch_spec.h. Values only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "core/result.h"
#include "launcher/launch_spec.h"

namespace sallyport::launcher {

inline constexpr std::size_t kMessageBytesMax = 128 * 1024;

// Gateway to launcher. A StartRequest carries three descriptors: the child's stdin, stdout, stderr.
struct StartRequest {
  std::uint64_t id = 0;
  LaunchSpec spec;
};
struct StopRequest {
  std::uint64_t id = 0;
  std::chrono::milliseconds grace{0};
};
struct KillRequest {
  std::uint64_t id = 0;
};
using Request = std::variant<StartRequest, StopRequest, KillRequest>;

// Launcher to gateway.
struct Hello {
  Confinement confinement = Confinement::rlimits;
  std::string reason;  // why it is not bubblewrap
};
struct Started {
  std::uint64_t id = 0;
  std::int32_t pid = 0;
};
struct Refused {
  std::uint64_t id = 0;
  Error error;
};
struct Exited {
  std::uint64_t id = 0;
  ExitStatus status;
};
using Reply = std::variant<Hello, Started, Refused, Exited>;

// Holds secrets when it is a StartRequest: wipe() it after use. Code::config: a limit of launch_spec.h is passed.
Result<std::string> encode(const Request& request);
std::string encode(const Reply& reply);

// Code::invalid_request: not a message.
Result<Request> decode_request(std::string_view bytes);
Result<Reply> decode_reply(std::string_view bytes);

}  // namespace sallyport::launcher
