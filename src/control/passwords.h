// Passwords of the control plane: the rules of profile `guide` (S2-35) and a small pool of low-priority threads for
// Argon2id, so that a flood of logins cannot take the workers' cores or the memory (19 MiB a thread). One pool a
// process; any worker awaits on it and is resumed on its own executor. A full queue answers Code::rate_limited. stop()
// before the workers' io_contexts go.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"
#include "core/secret.h"
#include "core/task.h"

namespace sallyport::control {

// Why `password` may not be used, as a sentence for its owner; nothing where it may. Profile `guide`: at least 12
// characters, upper and lower case, a digit and a symbol; at most 1024 bytes; not a known default; not the user's name.
[[nodiscard]] std::optional<std::string> password_problem(std::string_view password, std::string_view user_name);

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
