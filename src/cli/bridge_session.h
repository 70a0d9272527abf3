// Inside cli only: the HTTP half of the stdio bridge: one MCP session with the gateway. On the bridge's thread only.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "cli/stdio_bridge.h"
#include "core/clock.h"
#include "core/result.h"
#include "net/egress_client.h"

namespace sallyport::cli {

// A line of the client, read strictly; `text` is minified.
struct ClientMessage {
  std::string text, id, method;  // id: raw JSON; empty: none
  bool is_request = false;
  static Result<ClientMessage> read(std::string_view line);
};

class BridgeSession {
 public:
  BridgeSession(net::EgressClient& client, const Clock& clock, std::shared_ptr<const net::EgressTarget> target,
                const BridgeOptions& options)
      : client_(client), clock_(clock), target_(std::move(target)), options_(options) {}

  // Sends one message, prints what comes back; a request is always answered, by an error if by nothing else.
  Task<void> exchange(ClientMessage message);
  // The GET stream, opened again when it ends, until cancelled.
  Task<void> listen();
  Task<void> end();

  void print_error(std::string_view id, int code, std::string_view message) const;

 private:
  [[nodiscard]] net::EgressRequest request(std::string_view method, std::string body) const;
  // One POST; the HTTP status, or an error before there was one. Prints the messages of a 2xx answer.
  Task<Result<int>> post(const ClientMessage& message, std::string& refusal);
  Task<Result<void>> print_answer(net::EgressStream& stream, const ClientMessage& message);
  Task<Result<void>> print_events(net::EgressStream& stream, std::string* last_id);
  Task<bool> begin_again();
  void note_initialize(std::string_view answer);
  void print_refusal(const ClientMessage& message, int status, std::string_view body) const;
  void print_message(std::string_view text);

  net::EgressClient& client_;
  const Clock& clock_;
  std::shared_ptr<const net::EgressTarget> target_;
  const BridgeOptions& options_;
  std::string session_, version_, initialize_;
  bool replaying_ = false;  // the answer to a replayed initialize is not the client's
};

}  // namespace sallyport::cli
