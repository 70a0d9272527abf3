// A flag that is set for as long as something is under way. One thread.
#pragma once

namespace sallyport {

class Held {
 public:
  explicit Held(bool& flag) noexcept : flag_(flag) { flag_ = true; }
  ~Held() { flag_ = false; }
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;

 private:
  bool& flag_;
};

}  // namespace sallyport
