// First bytes of a connection while an ACME order runs: the look never reads beyond them, asks for no more than one record, and
// what it says of the whole does not change with what comes behind, nor with how little was there before.
#include <cstdlib>

#include "net/challenge_gate.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using sallyport::net::HelloAim;
  using sallyport::net::look_at_hello;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto whole = look_at_hello(bytes);
  if (whole.needed > sallyport::net::kHelloBytesMax) std::abort();
  if ((whole.aim == HelloAim::more) != (whole.needed > size)) std::abort();
  if (size < 5) return 0;
  // As Arrivals reads it: what is there is looked at again whenever more has come.
  std::size_t have = 0;
  auto look = look_at_hello({});
  while (look.aim == HelloAim::more && look.needed <= size) {
    if (look.needed <= have) std::abort();
    have = look.needed;
    look = look_at_hello(bytes.substr(0, have));
  }
  if (look.aim != whole.aim || look.needed != whole.needed) std::abort();
  if (look.aim == HelloAim::challenge && look_at_hello(bytes.substr(0, have - 1)).aim != HelloAim::more) std::abort();
  return 0;
}
