// Growing delays after failed logins (S2-39): by account and by address, never a lock for good (5 minutes at most). An
// account's delay does not bind an address that logged in to it before, so that strangers cannot shut an admin out: such
// a pair has a slot of its own, which they cannot reach.
// Addresses are delayed by limit_address, an IPv6 one by its /64; such a pair has the exact one, since a neighbour is a
// stranger. Unknown names count like known ones. Fixed memory, in slots chosen by a keyed hash, which two names may share;
// an account has at most 16 such pairs, and gives up its own oldest, so that no insider pushes those of others out. Any
// thread (a mutex, not on the hot path).
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/random.h"

namespace sallyport::control {

struct LockoutLimits {
  std::uint32_t account_free = 5;   // failures before an account's delays begin
  std::uint32_t address_free = 20;  // failures before an address's delays begin
  std::chrono::seconds delay_first{1};
  std::chrono::seconds delay_max{300};
  std::chrono::seconds forget_after{3600};  // without a failure
};

class Lockout {
  struct Slot {
    WallTime last{};
    WallTime until{};
    std::uint32_t failures = 0;
  };
  struct Pair {
    std::uint64_t pair = 0;  // hash of account and address; 0: none
    std::uint64_t account = 0;  // hash
    std::uint64_t used = 0;  // the greater, the later
    Slot delay;
  };
  struct Counted {
    Slot* slot = nullptr;
    WallTime until_before{};
    WallTime until{};
  };

 public:
  // What begin() counted.
  class Attempt {
   public:
    // More than zero: it may not be looked at, and was not counted.
    [[nodiscard]] std::chrono::seconds wait() const noexcept { return wait_; }

   private:
    friend class Lockout;
    std::chrono::seconds wait_{0};
    Counted account_;
    Counted address_;
  };

  Lockout(LockoutLimits limits, Random& random);

  // Time still to wait before a password of `account` is looked at from `address`; zero: go on.
  [[nodiscard]] std::chrono::seconds wait(std::string_view account, std::string_view address, WallTime now);
  // The same for what takes time to look at: where there is nothing to wait for, the attempt counts as failed from now on, so
  // that guesses side by side cost what they cost one after the other.
  [[nodiscard]] Attempt begin(std::string_view account, std::string_view address, WallTime now);
  // It was no failure: the password was right, or was not looked at. Once.
  void give_back(const Attempt& attempt);
  void failed(std::string_view account, std::string_view address, WallTime now);
  // A login to `account` from `address` succeeded before (and is not forgotten: memory is fixed).
  [[nodiscard]] bool trusts(std::string_view account, std::string_view address);
  void succeeded(std::string_view account, std::string_view address, WallTime now);

 private:
  [[nodiscard]] std::uint64_t hash(char kind, std::string_view account, std::string_view address) const;
  Slot& slot(std::uint64_t hash) { return slots_[hash % slots_.size()]; }
  // The same delay from `now`, where the clock was set back since: a delay never outlives its length.
  static void follow_clock(Slot& slot, WallTime now);
  Counted count(Slot& slot, std::uint32_t free, WallTime now) const;
  static void take_off(const Counted& counted);
  [[nodiscard]] std::chrono::seconds wait_locked(std::string_view account, std::string_view address, WallTime now);
  // Where a login to `account` from `address` succeeded before; else nullptr.
  Pair* trusted_pair(std::string_view account, std::string_view address);
  std::span<Pair> pairs_of(std::uint64_t account);  // with others, whose hashes say the same
  Pair& pair_to_give_up(std::uint64_t account);
  // The slot that an attempt is counted on: the account's, or the pair's where this address is known to be the owner's.
  Slot& account_slot(std::string_view account, std::string_view address);

  LockoutLimits limits_;
  std::array<std::byte, 32> key_{};
  std::mutex mutex_;
  std::vector<Slot> slots_;  // of accounts and addresses
  std::vector<Pair> pairs_;  // that logged in: strangers, who can fill slots_ by many names, cannot touch these
  std::uint64_t uses_ = 0;
};

}  // namespace sallyport::control
