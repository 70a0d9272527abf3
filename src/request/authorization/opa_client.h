// Questions to an OPA server (docs/decisions/0011-opa-server.md), through the one egress client and its guard: POST
// /v1/data/<package>?strict-builtin-errors=true with {"input": ...}. What goes wrong, and what is late, is an error: the
// decision denies. One a worker, on its thread; owned by it, outlived by its egress client.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/task.h"
#include "engines/policy/policy.h"
#include "net/egress_client.h"

namespace sallyport {

struct OpaSettings {
  std::shared_ptr<const net::EgressTarget> target;
  std::chrono::milliseconds timeout{500};  // of one question; the egress client sweeps its deadlines every 250 ms
  std::chrono::seconds cache{0};  // so long an answer may be given again; 0: never to another request
};

struct OpaQuestion {
  std::string key;  // two questions with the same one may share an answer
  std::string package;
  std::string input;  // JSON object
};

using OpaAnswers = std::map<std::string, Result<policy::PolicyAnswer>, std::less<>>;  // by key

class OpaClient {
 public:
  static constexpr std::size_t kAtOnce = 16;  // questions of one fetch on the way at a time
  static constexpr std::size_t kRememberedMax = 8192;
  static constexpr std::uint64_t kAnswerBytesMax = 256U << 10;

  // `failed` hears of each fetch that went wrong, in words for the log.
  OpaClient(Executor executor, net::EgressClient& egress, const Clock& clock, OpaSettings settings,
            std::function<void(std::string_view)> failed);

  // Null: not asked within `cache`.
  const policy::PolicyAnswer* remembered(std::string_view key);
  // One answer or error for each question. After the first one that OPA cannot be reached for, the rest fail at once.
  // Cancelling the caller does not shorten it; `timeout` does.
  Task<OpaAnswers> fetch(std::vector<OpaQuestion> questions);
  // One question, never from memory. Errors: those of EgressClient::fetch, upstream_refused (OPA answers an error),
  // upstream_protocol (read_answer).
  Task<Result<policy::PolicyAnswer>> ask(std::string package, std::string input);
  // Somebody wanted an answer that nobody had asked for: a fault of ours, told as what goes wrong with the server is.
  void unasked(std::string_view package) const { failed_(std::string(package) + " was not asked beforehand"); }

 private:
  struct Round;
  struct Remembered {
    SteadyTime until;
    policy::PolicyAnswer answer;
  };

  Task<Result<bool>> run(std::shared_ptr<Round> round);
  Task<void> work(std::shared_ptr<Round> round);
  Task<Result<net::EgressResponse>> post(std::string path, std::string body, SteadyTime deadline);
  void remember(const std::string& key, const policy::PolicyAnswer& answer);

  const Executor executor_;
  net::EgressClient& egress_;
  const Clock& clock_;
  const OpaSettings settings_;
  const std::function<void(std::string_view)> failed_;
  std::string base_;  // path of the data API
  std::map<std::string, Remembered, std::less<>> remembered_;
};

}  // namespace sallyport
