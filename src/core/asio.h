// Asio is core's one foreign type: its alias, and where the frames of its coroutines come from. Precompiled
// (cmake/sallyport.cmake).
#pragma once

#include <boost/asio.hpp>

#include "core/memory.h"

namespace boost::asio::detail {

// Asio's own recycling keeps eight blocks a thread, of at most 1020 bytes: one call of ours has twenty frames alive. Nothing
// here asks for more than the usual alignment. Another Asio than Debian's 1.81 may not have these functions: then it does not
// compile.
template <>
inline void* thread_info_base::allocate(thread_info_base::awaitable_frame_tag, thread_info_base*, std::size_t bytes,
                                        std::size_t) {
  return sallyport::memory::take(bytes);
}
template <>
inline void thread_info_base::deallocate(thread_info_base::awaitable_frame_tag, thread_info_base*, void* frame,
                                         std::size_t bytes) {
  sallyport::memory::give(frame, bytes);
}
template <>
inline void* thread_info_base::allocate(thread_info_base::cancellation_signal_tag, thread_info_base*, std::size_t bytes,
                                        std::size_t) {
  return sallyport::memory::take(bytes);
}
template <>
inline void thread_info_base::deallocate(thread_info_base::cancellation_signal_tag, thread_info_base*, void* memory,
                                         std::size_t bytes) {
  sallyport::memory::give(memory, bytes);
}

}  // namespace boost::asio::detail

namespace sallyport {
namespace asio = boost::asio;
}  // namespace sallyport
