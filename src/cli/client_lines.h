// Inside cli only: what the stdio bridge prints for its client. Each line is one minified JSON-RPC message and stdout
// carries nothing else; each request gets exactly one answer. On the bridge's thread only.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/stdio_bridge.h"
#include "core/error.h"

namespace sallyport::cli {

class Owed;

class ClientLines {
 public:
  explicit ClientLines(const BridgeOptions& options) : options_(options) {}

  // Prints what the gateway sent, if it is for the client: requests (where `may_ask`), notifications, and the answers
  // that `owed` still waits for. Anything else is logged. An error without an id is the answer to all of `owed`.
  void deliver(std::string_view text, Owed* owed, bool may_ask) const;
  void error(std::string_view raw_id, int code, std::string_view message) const;
  void log(std::string_view message) const { options_.log(message); }

 private:
  void deliver_batch(std::string_view array, Owed* owed, bool may_ask) const;
  [[nodiscard]] bool passes(std::string_view message, Owed* owed, bool may_ask) const;
  bool answer_all(std::string_view message, Owed* owed) const;

  const BridgeOptions& options_;
};

// The answers that one line of the client waits for. Those that have not come when it goes are errors.
class Owed {
 public:
  Owed(const ClientLines& lines, std::vector<std::string> raw_ids) : lines_(lines), ids_(std::move(raw_ids)) {}
  ~Owed() { fail(); }
  Owed(const Owed&) = delete;
  Owed& operator=(const Owed&) = delete;

  // True, once, for an id that is waited for.
  bool pay(std::string_view raw_id);
  [[nodiscard]] bool owes(std::string_view raw_id) const;
  // Nothing is owed any more: the client cancelled, or the caller has answered them.
  std::vector<std::string> forgive() { return std::exchange(ids_, {}); }
  [[nodiscard]] bool settled() const noexcept { return ids_.empty(); }

  // What the answers that never come say.
  void because(Code code, std::string message);
  // They never come.
  void fail();
  // The gateway refused the POST: a JSON-RPC error of its passes as it is, other bodies give their text.
  void refused(int status, std::string_view body);

 private:
  const ClientLines& lines_;
  std::vector<std::string> ids_;
  Code code_ = Code::upstream_protocol;
  std::string message_ = "The gateway sent no answer";
};

}  // namespace sallyport::cli
