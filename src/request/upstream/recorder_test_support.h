// Listeners of a call for the tests of this module: what came is kept, what a server asks is answered as a test says.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "request/upstream/call.h"

namespace sallyport::upstream::testing {

struct Recorder : CallEvents {
  void progress(std::string_view params) override { progresses.emplace_back(params); }
  void notification(std::string_view method, std::string_view params) override {
    notifications.emplace_back(std::string(method) + " " + std::string(params));
  }
  std::vector<std::string> progresses, notifications;
};

// Answers what a server asks as the test says.
struct Answering : Recorder {
  using Answer = std::function<Task<Reply>(std::string method, std::string params)>;
  explicit Answering(Answer how) : answer(std::move(how)) {}
  Task<Reply> on_request(std::string method, std::string params) override {
    asked.push_back(method);
    co_return co_await answer(std::move(method), std::move(params));
  }
  Answer answer;
  std::vector<std::string> asked;
};

}  // namespace sallyport::upstream::testing
