#include "request/pipeline/flow.h"

#include <new>
#include <vector>

namespace sallyport {
namespace {

// Blocks of one size, at most kKept of them a thread; freed with the thread.
class Spare {
 public:
  static constexpr std::size_t kKept = 256;
  Spare() { blocks_.reserve(kKept); }
  Spare(const Spare&) = delete;
  Spare& operator=(const Spare&) = delete;
  ~Spare() {
    for (void* block : blocks_) ::operator delete(block);
  }
  void* take() {
    if (blocks_.empty()) return ::operator new(sizeof(Flow));
    void* const block = blocks_.back();
    blocks_.pop_back();
    return block;
  }
  void give(void* block) noexcept {
    if (blocks_.size() < kKept) blocks_.push_back(block);
    else ::operator delete(block);
  }

 private:
  std::vector<void*> blocks_;
};

thread_local Spare spare;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables): memory only, no state

}  // namespace

void* Flow::operator new(std::size_t bytes) { return bytes == sizeof(Flow) ? spare.take() : ::operator new(bytes); }

void Flow::operator delete(void* memory) noexcept {
  if (memory != nullptr) spare.give(memory);
}

}  // namespace sallyport
