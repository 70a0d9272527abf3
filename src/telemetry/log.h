// The structured log: one line an event, to stderr, as text or JSON, with key/value fields. Control characters and
// quotes in any value are escaped, so that a caller cannot write a line of their own (S2 log injection). Owned by app,
// handed down by reference, no global; any thread. A value is cut at 4 KiB. Never hand it a secret.
#pragma once

#include <atomic>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "core/clock.h"

namespace sallyport::telemetry {

enum class Level : std::uint8_t { debug, info, warning, error };

std::optional<Level> parse_level(std::string_view name);
std::string_view level_name(Level level);

using FieldValue = std::variant<std::string_view, std::int64_t, std::uint64_t, double, bool>;

// A key of ours ([a-z_]) and a value; views live as long as the call.
struct Field {
  std::string_view key;
  FieldValue value;
  Field(std::string_view k, std::string_view v) : key(k), value(v) {}
  Field(std::string_view k, const char* v) : key(k), value(std::string_view(v)) {}
  Field(std::string_view k, const std::string& v) : key(k), value(std::string_view(v)) {}
  Field(std::string_view k, bool v) : key(k), value(v) {}
  Field(std::string_view k, double v) : key(k), value(v) {}
  template <std::signed_integral T>
  Field(std::string_view k, T v) : key(k), value(static_cast<std::int64_t>(v)) {}
  template <std::unsigned_integral T>
    requires(!std::same_as<T, bool>)
  Field(std::string_view k, T v) : key(k), value(static_cast<std::uint64_t>(v)) {}
};

using Fields = std::initializer_list<Field>;

// Lets through `burst` lines a second of one place in the code and counts the rest; keep one beside the line it guards.
class FloodGate {
 public:
  explicit FloodGate(std::uint32_t burst = 5) : burst_(burst) {}
  // nullopt: stay silent; else how many lines were held back since the last one.
  std::optional<std::uint64_t> admit(SteadyTime now) noexcept;

 private:
  std::uint32_t burst_;
  std::atomic<std::int64_t> second_{-1};
  std::atomic<std::uint32_t> count_{0};
  std::atomic<std::uint64_t> held_back_{0};
};

class Log {
 public:
  struct Options {
    Level level = Level::info;
    bool json = false;
    std::string* capture = nullptr;  // tests: lines go here instead of stderr; outlives the Log
  };
  Log(const Clock& clock, Options options);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  [[nodiscard]] bool enabled(Level level) const noexcept { return level >= level_.load(std::memory_order_relaxed); }
  void set_level(Level level) noexcept { level_.store(level, std::memory_order_relaxed); }  // reload

  // `event`: what happened, in our words. `request_id`: on every line where there is one.
  void write(Level level, std::string_view event, Fields fields = {}, std::string_view request_id = {}) noexcept;
  // The same through a gate; a field `held_back` says how many lines it swallowed.
  void write(FloodGate& gate, Level level, std::string_view event, Fields fields = {},
             std::string_view request_id = {}) noexcept;

  void debug(std::string_view event, Fields fields = {}) noexcept { write(Level::debug, event, fields); }
  void info(std::string_view event, Fields fields = {}) noexcept { write(Level::info, event, fields); }
  void warning(std::string_view event, Fields fields = {}) noexcept { write(Level::warning, event, fields); }
  void error(std::string_view event, Fields fields = {}) noexcept { write(Level::error, event, fields); }

 private:
  struct Sink;
  const Clock& clock_;
  std::atomic<Level> level_;
  bool json_;
  std::unique_ptr<Sink> sink_;
};

}  // namespace sallyport::telemetry
