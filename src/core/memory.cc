#include "core/memory.h"

#include <array>
#include <new>

namespace sallyport::memory {
namespace {

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SP_PLAIN_MEMORY
#endif
#endif
#if defined(SP_PLAIN_MEMORY)
constexpr bool kRecycle = false;
#else
constexpr bool kRecycle = true;
#endif

constexpr std::size_t kStep = 64;

struct Spare {
  Spare* next;
};

class Pool {
 public:
  constexpr Pool() noexcept = default;
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;
  ~Pool() {
    kept_ = kKeptBytesMax;  // what is given later in the thread's end is not kept
    for (Spare*& spare : spares_) {
      while (spare != nullptr) {
        Spare* const next = spare->next;
        ::operator delete(spare);
        spare = next;
      }
    }
  }

  void* take(std::size_t size_class) {
    Spare* const spare = spares_[size_class];
    if (spare == nullptr) return ::operator new((size_class + 1) * kStep);
    spares_[size_class] = spare->next;
    kept_ -= (size_class + 1) * kStep;
    return spare;
  }

  void give(void* block, std::size_t size_class) noexcept {
    const std::size_t bytes = (size_class + 1) * kStep;
    if (kept_ + bytes > kKeptBytesMax) return ::operator delete(block);
    kept_ += bytes;
    spares_[size_class] = ::new (block) Spare{spares_[size_class]};
  }

  [[nodiscard]] std::size_t kept() const noexcept { return kept_; }

 private:
  std::array<Spare*, kBlockBytesMax / kStep> spares_{};
  std::size_t kept_ = 0;
};

constinit thread_local Pool pool;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables): memory only, no state

constexpr bool recycled(std::size_t bytes) noexcept { return kRecycle && bytes - 1 < kBlockBytesMax; }

}  // namespace

void* take(std::size_t bytes) { return recycled(bytes) ? pool.take((bytes - 1) / kStep) : ::operator new(bytes); }

void give(void* block, std::size_t bytes) noexcept {
  if (recycled(bytes)) pool.give(block, (bytes - 1) / kStep);
  else ::operator delete(block);
}

std::size_t kept_bytes() noexcept { return pool.kept(); }

}  // namespace sallyport::memory
