// A small pool of low-priority threads for Argon2id, so that a flood of logins cannot take the workers' cores or the memory
// (19 MiB a thread). Strangers and those that are known wait in queues of their own, and the known go first: a flood of
// strangers, however many addresses it has, delays an admin by one verification. One pool a process; any worker awaits on
// it and is resumed on its own executor. Each has a share of its queue, so that no insider fills that of the known; what is
// over it, and a full queue, answers Code::rate_limited. stop() before the workers' io_contexts go.
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
  std::size_t queued_max = 16;  // 1..256, of each queue
};

// Which queue a job waits in. By default that of the known: who logged in to this account from this address before
// (Lockout::trusts), or is logged in.
struct PasswordTurn {
  bool stranger = false;
  std::string address;  // a stranger's: one job of it waits at a time (limit_address: IPv6 by /64)
  std::string account;  // of the known: five jobs of it wait at a time; empty: work of an admin or of the operator
};

class PasswordPool {
 public:
  explicit PasswordPool(PasswordPoolLimits limits = {});
  PasswordPool(const PasswordPool&) = delete;
  PasswordPool& operator=(const PasswordPool&) = delete;
  ~PasswordPool();

  // An empty `hash` stands for an unknown user: the same work against a dummy hash, and false. Code::rate_limited where
  // the queue is full or the turn's share of it is used up.
  Task<Result<bool>> verify(std::string hash, Secret password, PasswordTurn turn = {});
  Task<Result<std::string>> hash(Secret password, PasswordTurn turn = {});

  // Ends the threads; what is queued is answered with Code::draining. Idempotent.
  void stop();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace sallyport::control
