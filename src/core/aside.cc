#include "core/aside.h"

#include <sys/prctl.h>

namespace sallyport {

Aside::Aside()
    : open_(io_.get_executor()), thread_([this] {
        ::prctl(PR_SET_NAME, "aside");
        io_.run();
      }) {}

Aside::~Aside() { stop(); }

void Aside::stop() {
  open_.reset();
  io_.stop();
  if (thread_.joinable()) thread_.join();
}

}  // namespace sallyport
