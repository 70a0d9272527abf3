// A small pool of low-priority threads for Argon2id, so that a flood of logins cannot take the workers' cores or the memory (19 MiB a thread). One pool a
// process; any worker awaits on it and is resumed on its own executor. A full queue answers Code::rate_limited. stop()
// before the workers' io_contexts go.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "core/result.h"
#include "core/secret.h"
#include "core/task.h"

namespace sallyport::control {

struct PasswordPoolLimits {
  std::size_t threads = 1;  // 1..2
  std::size_t queued_max = 16;
};

class PasswordPool {
 public:
  explicit PasswordPool(PasswordPoolLimits limits = {});
  PasswordPool(const PasswordPool&) = delete;
  PasswordPool& operator=(const PasswordPool&) = delete;
  ~PasswordPool();

  // An empty `hash` stands for an unknown user: the same work against a dummy hash, and false.
  Task<Result<bool>> verify(std::string hash, Secret password);
  Task<Result<std::string>> hash(Secret password);

  // Ends the threads; what is queued is answered with Code::draining. Idempotent.
  void stop();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace sallyport::control
