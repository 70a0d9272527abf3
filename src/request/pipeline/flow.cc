#include "request/pipeline/flow.h"

#include "core/memory.h"

namespace sallyport {

static_assert(sizeof(Flow) <= memory::kBlockBytesMax);

void* Flow::operator new(std::size_t bytes) { return memory::take(bytes); }

void Flow::operator delete(void* flow, std::size_t bytes) noexcept {
  if (flow != nullptr) memory::give(flow, bytes);
}

}  // namespace sallyport
