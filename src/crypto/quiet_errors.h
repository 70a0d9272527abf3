// OpenSSL tells on a queue of the thread why it refused; left there it would be read as an error of that thread's next TLS
// call. What is pushed within the life of one of these is dropped, what stood there before is kept. Internal to crypto.
#pragma once

#include <openssl/err.h>

namespace sallyport::crypto {

class QuietErrors {
 public:
  QuietErrors() noexcept { ERR_set_mark(); }
  QuietErrors(const QuietErrors&) = delete;
  QuietErrors& operator=(const QuietErrors&) = delete;
  ~QuietErrors() { ERR_pop_to_mark(); }
};

}  // namespace sallyport::crypto
