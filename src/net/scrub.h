// Empties a buffer that is used again, with what was in it overwritten: tokens, passwords, values of the vault pass through
// here. What is freed is overwritten by src/wiping_delete.cc. Pure functions; internal to net.
#pragma once

#include <string.h>  // explicit_bzero is POSIX-ish, not in <cstring>

#include <string>

namespace sallyport::net {

inline void scrub(std::string& buffer) noexcept {
  ::explicit_bzero(buffer.data(), buffer.size());
  buffer.clear();
}

}  // namespace sallyport::net
