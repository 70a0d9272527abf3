#include "core/aside.h"

#include <sys/prctl.h>

namespace sallyport {

Aside::Aside()
    : open_(io_.get_executor()), thread_([this] {
        ::prctl(PR_SET_NAME, "aside");
        io_.run();
      }) {}

Aside::~Aside() { stop(); }

Result<void> Aside::Places::take(const std::string& who) {
  const std::lock_guard lock(mutex_);
  if (taken_ == kPlaces) return fail(Code::rate_limited, "16 questions are asked already; fix: ask again in a moment");
  int& theirs = taken_by_[who];
  if (theirs == kPlacesOfOne)
    return fail(Code::rate_limited, "4 questions of yours are asked already; fix: wait for an answer");
  ++theirs;
  ++taken_;
  return {};
}

void Aside::Places::give_back(const std::string& who) {
  const std::lock_guard lock(mutex_);
  --taken_;
  if (const auto theirs = taken_by_.find(who); --theirs->second == 0) taken_by_.erase(theirs);
}

void Aside::stop() {
  open_.reset();
  io_.stop();
  if (thread_.joinable()) thread_.join();
}

}  // namespace sallyport
