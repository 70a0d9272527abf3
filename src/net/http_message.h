// HTTP messages as plain values. A RequestHead is a set of views into its reader's buffer: it lives as long as the
// exchange, and what shall outlive that is copied. Any thread may read them; nobody shares them between threads.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/ascii.h"
#include "core/ip_address.h"

namespace sallyport::net {

struct HeaderView {
  std::string_view name, value;
};

using Header = std::pair<std::string, std::string>;
using Headers = std::vector<Header>;

// ASCII only, no locale (RFC 9110 5.1: field names are case-insensitive). Nearly all names differ in length or beginning.
inline bool equals_ignoring_case(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  return a.empty() || (((a[0] ^ b[0]) & ~0x20) == 0 && ascii::equal_letters(a, b));
}

// A field value that may be written to the wire: no control characters but HTAB.
bool valid_field_value(std::string_view value) noexcept;
bool valid_token(std::string_view name) noexcept;  // RFC 9110 5.6.2

struct RequestHead {
  std::string_view method;  // GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS
  std::string_view target;  // origin-form as sent
  std::string_view path;    // target up to '?', not decoded
  std::string_view query;   // after '?', not decoded; empty when there is none
  std::vector<HeaderView> headers;  // in the order sent, values without surrounding blanks
  std::uint64_t content_length = 0;
  bool has_length = false;
  bool chunked = false;
  bool http10 = false;
  bool keep_alive = true;
  bool expect_continue = false;

  // The first field of that name.
  [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const noexcept;
  [[nodiscard]] std::size_t count(std::string_view name) const noexcept;
  [[nodiscard]] bool has_body() const noexcept { return chunked || content_length > 0; }
};

struct Response {
  int status = 200;
  Headers headers;           // never Content-Length, Content-Type, Connection, Date: the connection writes them
  std::string content_type;  // empty: no such header
  std::string body;
  bool close = false;  // close the connection after it
};

struct PeerCertificate;  // net/peer_certificate.h

// Who is at the other end of a connection.
struct Peer {
  IpAddress address;  // meaningless for a local socket
  std::string ip;     // its text; "local" for a local socket
  std::uint16_t port = 0;
  bool is_local_socket = false;
  std::uint32_t uid = 0;  // SO_PEERCRED, local sockets only
  std::int32_t pid = 0;
  bool secure = false;  // TLS: ours, or a proxy's that says so by the PROXY protocol
  std::shared_ptr<const PeerCertificate> certificate;  // what the client showed and TLS verified; null: nothing
};

// "OK" for 200, and so on; "Unknown" for what has no phrase.
std::string_view reason_phrase(int status) noexcept;

}  // namespace sallyport::net
