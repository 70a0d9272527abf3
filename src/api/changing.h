// What is being changed under If-Match: two changes that name one state must not both hold (RFC 9110 13.1.1).
// Any thread.
#pragma once

#include <mutex>
#include <set>
#include <string>

namespace sallyport::api {

class Changing {
 public:
  // False when another holds `path`.
  class Hold {
   public:
    Hold(Changing& all, std::string path) : all_(all), path_(std::move(path)) {
      const std::scoped_lock lock(all_.mutex_);
      held_ = all_.paths_.insert(path_).second;
    }
    ~Hold() {
      const std::scoped_lock lock(all_.mutex_);
      if (held_) all_.paths_.erase(path_);
    }
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;
    explicit operator bool() const noexcept { return held_; }

   private:
    Changing& all_;
    std::string path_;
    bool held_ = false;
  };

 private:
  std::mutex mutex_;
  std::set<std::string> paths_;
};

}  // namespace sallyport::api
