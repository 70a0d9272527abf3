// A tick of a desk, to its end. Tests only.
#pragma once

#include "control/backup/desk.h"
#include "core/await_test_support.h"

namespace sallyport::backup {

inline void tick(Desk& desk) {
  const auto ticked = [](Desk& of) -> Task<bool> {
    co_await of.tick();
    co_return true;
  };
  (void)await(ticked(desk));
}

}  // namespace sallyport::backup
