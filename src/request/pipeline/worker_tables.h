// What one worker knows of the calls of its connections, of those that run or wait on it, and of what its servers list.
// Only its thread touches them.
#pragma once

#include <array>
#include <list>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>

#include "core/asio.h"
#include "core/gate.h"
#include "model/principal.h"
#include "request/mcp/stream.h"
#include "request/pipeline/kept_lists.h"
#include "request/upstream/session.h"

namespace sallyport {

class Forwarder;
class Questions;

// What a tool server lists: name -> digest. Handed to other workers.
using Digests = std::unordered_map<std::string, std::string>;
using DigestsPtr = std::shared_ptr<const Digests>;

struct WorkerTables {
  Gate lists;  // of REST: each looks at all there is, so few are made at a time
  KeptLists kept_lists;
  // Calls in flight that this worker's connections wait for: (session id, raw request id) -> where they run.
  struct InFlight {
    unsigned worker = 0;
    std::uint64_t key = 0;
  };
  using CallName = std::pair<std::string, std::string>;
  std::map<CallName, InFlight> in_flight;

  // Calls that run here, by their key, and who has used upstream sessions here: what a revocation looks through.
  struct Running {
    std::unique_ptr<asio::cancellation_signal> signal;
    PrincipalPtr principal;
    std::shared_ptr<Forwarder> events;
  };
  std::map<std::uint64_t, Running> running;
  // By principal and login session ("" for a key itself): an upstream session is all of a principal's logins', and ends
  // with the last of those that used it.
  std::map<std::string, std::map<std::string, PrincipalPtr, std::less<>>, std::less<>> served;

  // Calls that run here and wait for a client's retry (parked.h), by their key; after `until` nobody comes any more.
  struct Parked {
    std::shared_ptr<Questions> call;
    PrincipalPtr principal;
    SteadyTime until;
  };
  std::map<std::uint64_t, Parked> parked;

  // Calls of this worker's connections that have heard nothing yet, oldest first: tick() starts their streams after
  // settings.keep_alive, prime() those that can be resumed much sooner.
  struct Silent {
    mcp::EventStream* stream = nullptr;
    SteadyTime since;
    bool primed = false;  // its stream begins with an event to resume from: a session of 2025-11-25
  };
  std::list<Silent> silent;
  class Waiting {
   public:
    Waiting(WorkerTables& worker, mcp::EventStream* stream, SteadyTime since, bool primed)
        : worker_(worker), entry_(worker.silent.insert(worker.silent.end(), Silent{stream, since, primed})) {}
    Waiting(const Waiting&) = delete;
    Waiting& operator=(const Waiting&) = delete;
    ~Waiting() { worker_.silent.erase(entry_); }

   private:
    WorkerTables& worker_;
    std::list<Silent>::iterator entry_;
  };

  // GET streams of this worker's connections, by whom: the credential that opened one may end before its MCP session.
  struct Heard {
    mcp::EventStream* stream = nullptr;
    PrincipalPtr principal;
  };
  std::list<Heard> heard;
  class Hearing {
   public:
    Hearing(WorkerTables& worker, mcp::EventStream* stream, PrincipalPtr principal)
        : worker_(worker), entry_(worker.heard.insert(worker.heard.end(), Heard{stream, std::move(principal)})) {}
    Hearing(const Hearing&) = delete;
    Hearing& operator=(const Hearing&) = delete;
    ~Hearing() { worker_.heard.erase(entry_); }

   private:
    WorkerTables& worker_;
    std::list<Heard>::iterator entry_;
  };

  // What each live upstream session lists; dropped on list_changed.
  struct Listed {
    std::weak_ptr<upstream::Session> session;
    DigestsPtr digests;
  };
  std::map<const upstream::Session*, Listed> listed;
  std::uint64_t tool_changes = 0;  // list_changed heard so far: a list that was asked for before one is not kept
  // Servers, and whose sessions of them, whose answers a policy has hidden parts of: what they log outside of calls may
  // speak of these, so nobody hears it.
  std::set<std::pair<std::string, std::string>, std::less<>> silenced;
  // What metrics and log were told of the policies that are tried beside.
  struct ShadowTold {
    std::array<std::uint64_t, 3> counts{};  // would_deny, would_allow, errors
    std::uint64_t version = 0;
    bool suspended = false;
  };
  ShadowTold shadow_told;
  std::size_t list_turns = 0;  // TlsServer::list_turns() at the last look
  std::map<std::string, bool, std::less<>> stateless;  // servers whose HTTP sessions need no home
};

}  // namespace sallyport
