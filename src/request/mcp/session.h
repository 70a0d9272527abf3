// The client's side of a legacy MCP session (2025-03-26 to 2025-11-25): made by initialize, bound to the principal that
// made it and to the URL it was made on. Every worker holds the table (published like a snapshot), so that a request is
// checked where it arrives; what changes while it lives belongs to its home worker, or is atomic.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "model/log_level.h"
#include "model/principal.h"
#include "model/protocol.h"
#include "request/mcp/asks.h"
#include "request/mcp/stream.h"

namespace sallyport::mcp {

using sallyport::kLogLevels;
using sallyport::log_level_index;

// By which door a request comes: Streamable HTTP, or the two of HTTP+SSE (2024-11-05): its stream, and where to POST.
enum class Door : std::uint8_t { streamable, sse, messages };

struct ClientSession {
  std::string id;     // 128 bits of randomness: unguessable, and still never an authentication
  std::string scope;  // of the URL (model/toolset.h)
  std::string protocol_version;
  Revision revision = kLatestLegacy;       // the same, to be compared
  std::string client_capabilities = "{}";  // raw objects of initialize; what they say is the client's word, no decision's
  std::string client_info;                 // empty: none was sent
  PrincipalPtr principal;
  std::string evidence_name;  // what stands for the id in the audit: never the id itself
  unsigned home = 0;          // worker
  std::atomic<int> log_level{-1};                // -1: the client never asked; then nothing is held back
  std::atomic<std::int64_t> last_used_ns{0};     // steady time

  std::atomic<std::uint64_t> next_ask{1};
  // Home worker: resources of modern servers that the client subscribed to, by server.
  std::map<std::string, std::set<std::string>, std::less<>> watched;
  AskTable asks;  // home worker: questions of tool servers that the client has not answered

  // What it hears over SSE, on whatever connections; any worker.
  std::shared_ptr<EventLog> log = std::make_shared<EventLog>();
  void deliver(std::string message) { log->deliver(std::move(message)); }

  // Only `messages` differs: there the stream comes first, and initialize puts another in this one's place.
  Door door = Door::streamable;
  bool initialized = true;
  std::shared_ptr<std::atomic<unsigned>> calls =
      std::make_shared<std::atomic<unsigned>>(0);  // no connection waits for them
};

inline constexpr std::size_t kClientTextMax = 64U << 10;  // bytes of each raw object kept of initialize

using ClientSessionPtr = std::shared_ptr<ClientSession>;

// One a worker; that worker's thread only.
class SessionTable {
 public:
  // In the place of the one with its id, if there is one.
  void put(ClientSessionPtr session);
  void erase(const std::string& id);
  // The session, if it belongs to this principal on this URL; a foreign id is as unknown as one that never was.
  [[nodiscard]] ClientSessionPtr find(std::string_view id, std::string_view principal_id, std::string_view scope) const;
  // Those of one principal; valid until the next put() or erase().
  [[nodiscard]] std::span<const ClientSessionPtr> of(std::string_view principal_id) const;
  [[nodiscard]] std::size_t count_of(std::string_view principal_id) const { return of(principal_id).size(); }
  [[nodiscard]] std::vector<ClientSessionPtr> all() const;
  [[nodiscard]] std::size_t size() const noexcept { return sessions_.size(); }

 private:
  std::map<std::string, ClientSessionPtr, std::less<>> sessions_;
  std::map<std::string, std::vector<ClientSessionPtr>, std::less<>> by_principal_;
};

// Pagination cursors (MCP, Pagination: opaque): an offset, bound to principal, method and scope by HMAC.
class Cursors {
 public:
  explicit Cursors(std::span<const std::byte> key) : key_(key) {}
  [[nodiscard]] std::string make(std::string_view binding, std::size_t offset) const;
  // invalid_params for one that was not made here for this binding.
  [[nodiscard]] Result<std::size_t> open(std::string_view binding, std::string_view cursor) const;

 private:
  std::span<const std::byte> key_;
};

}  // namespace sallyport::mcp
