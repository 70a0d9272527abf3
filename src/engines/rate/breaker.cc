#include "engines/rate/breaker.h"

#include <algorithm>

namespace sallyport::rate {
namespace {

using std::chrono::milliseconds;

// state 2 bits | failures 10 | generation 12 | time 40 (milliseconds of the steady clock: 34 years)
struct Word {
  CircuitBreaker::State state = CircuitBreaker::State::closed;
  std::uint32_t failures = 0;
  std::uint16_t generation = 0;
  std::uint64_t until_ms = 0;  // open: when the rest ends; half-open: when a silent probe loses its place

  static Word unpack(std::uint64_t bits) noexcept {
    return {static_cast<CircuitBreaker::State>(bits >> 62U), static_cast<std::uint32_t>(bits >> 52U & 0x3ffU),
            static_cast<std::uint16_t>(bits >> 40U & 0xfffU), bits & ((std::uint64_t{1} << 40U) - 1)};
  }
  [[nodiscard]] std::uint64_t pack() const noexcept {
    return static_cast<std::uint64_t>(state) << 62U | std::uint64_t{failures & 0x3ffU} << 52U |
           std::uint64_t{generation & 0xfffU} << 40U | (until_ms & ((std::uint64_t{1} << 40U) - 1));
  }
  // Into another state: earlier admissions no longer count.
  [[nodiscard]] Word next(CircuitBreaker::State to, std::uint64_t until) const noexcept {
    return {to, 0, static_cast<std::uint16_t>((generation + 1U) & 0xfffU), until};
  }
};

std::uint64_t ms_of(SteadyTime now) noexcept {
  const auto count = std::chrono::duration_cast<milliseconds>(now.time_since_epoch()).count();
  return count < 0 ? 0 : static_cast<std::uint64_t>(count);
}

}  // namespace

CircuitBreaker::CircuitBreaker(BreakerSettings settings) : settings_(settings) {
  settings_.failures = std::clamp(settings_.failures, 1U, 1000U);
  settings_.rest = std::clamp(settings_.rest, milliseconds(1), milliseconds(24 * 3600 * 1000));
}

CircuitBreaker::Admission CircuitBreaker::admit(SteadyTime now) noexcept {
  const std::uint64_t at = ms_of(now);
  std::uint64_t bits = word_.load(std::memory_order_acquire);
  for (;;) {
    const Word word = Word::unpack(bits);
    if (word.state == State::closed) return {true, false, word.generation, {}};
    if (at < word.until_ms) {
      const auto wait = std::chrono::ceil<std::chrono::seconds>(milliseconds(word.until_ms - at));
      return {false, false, word.generation, wait};
    }
    const Word probing = word.next(State::half_open, at + static_cast<std::uint64_t>(settings_.rest.count()));
    if (word_.compare_exchange_weak(bits, probing.pack(), std::memory_order_acq_rel)) {
      return {true, true, probing.generation, {}};
    }
  }
}

void CircuitBreaker::report(const Admission& admission, bool success, SteadyTime now) noexcept {
  if (!admission.allow) return;
  std::uint64_t bits = word_.load(std::memory_order_acquire);
  for (;;) {
    Word word = Word::unpack(bits);
    if (word.generation != admission.generation || word.state == State::open) return;
    const std::uint64_t rested = ms_of(now) + static_cast<std::uint64_t>(settings_.rest.count());
    if (word.state == State::half_open) {
      word = success ? word.next(State::closed, 0) : word.next(State::open, rested);
    } else if (success) {
      if (word.failures == 0) return;
      word.failures = 0;
    } else if (++word.failures >= settings_.failures) {
      word = word.next(State::open, rested);
    }
    if (word_.compare_exchange_weak(bits, word.pack(), std::memory_order_acq_rel)) return;
  }
}

void CircuitBreaker::withdraw(const Admission& admission, SteadyTime now) noexcept {
  if (!admission.allow || !admission.probe) return;
  std::uint64_t bits = word_.load(std::memory_order_acquire);
  for (;;) {
    const Word word = Word::unpack(bits);
    if (word.generation != admission.generation || word.state != State::half_open) return;
    if (word_.compare_exchange_weak(bits, word.next(State::open, ms_of(now)).pack(), std::memory_order_acq_rel)) return;
  }
}

CircuitBreaker::State CircuitBreaker::state(SteadyTime now) const noexcept {
  const Word word = Word::unpack(word_.load(std::memory_order_acquire));
  if (word.state == State::open && ms_of(now) >= word.until_ms) return State::half_open;
  return word.state;
}

}  // namespace sallyport::rate
