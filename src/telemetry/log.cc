#include "telemetry/log.h"

#include <fmt/format.h>
#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <cmath>
#include <iterator>
#include <mutex>

#include "telemetry/escape.h"

namespace sallyport::telemetry {
namespace {

class CaptureSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit CaptureSink(std::string& out) : out_(out) {}

 private:
  void sink_it_(const spdlog::details::log_msg& msg) override {
    out_.append(msg.payload.data(), msg.payload.size()).append("\n");
  }
  void flush_() override {}
  std::string& out_;
};

void append_time(std::string& out, WallTime now) {
  const auto day = std::chrono::floor<std::chrono::days>(now);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(now - day);
  fmt::format_to(std::back_inserter(out), "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", static_cast<int>(date.year()),
                 static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), time.hours().count(),
                 time.minutes().count(), time.seconds().count(), time.subseconds().count());
}

// A word needs no quotes: what a reader or a tool splits at does not occur in it.
bool is_word(std::string_view s) {
  for (const char c : s) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("_-./:@+,%~*").find(c) != std::string_view::npos;
    if (!plain) return false;
  }
  return !s.empty();
}

void append_string(std::string& out, std::string_view value, bool json) {
  const bool quoted = json || !is_word(value);
  if (quoted) out += '"';
  append_escaped(out, value, json ? EscapeStyle::json : EscapeStyle::text);
  if (quoted) out += '"';
}

void append_value(std::string& out, const FieldValue& value, bool json) {
  std::visit(
      [&](const auto& v) {
        using V = std::decay_t<decltype(v)>;
        if constexpr (std::same_as<V, std::string_view>) {
          append_string(out, v, json);
        } else if constexpr (std::same_as<V, double>) {
          if (std::isfinite(v)) fmt::format_to(std::back_inserter(out), "{}", v);
          else out += "null";
        } else {
          fmt::format_to(std::back_inserter(out), "{}", v);
        }
      },
      value);
}

void append_field(std::string& out, std::string_view key, const FieldValue& value, bool json) {
  out += json ? ",\"" : " ";
  append_escaped(out, key, EscapeStyle::json, 64);
  out += json ? "\":" : "=";
  append_value(out, value, json);
}

std::string make_line(WallTime now, bool json, Level level, std::string_view event, Fields fields,
                      std::string_view request_id, std::uint64_t held_back) {
  std::string line;
  line.reserve(256);
  if (json) line += "{\"timestamp\":\"";
  append_time(line, now);
  if (json) {
    fmt::format_to(std::back_inserter(line), "\",\"level\":\"{}\",\"event\":", level_name(level));
  } else {
    fmt::format_to(std::back_inserter(line), " {:<7} ", level_name(level));
  }
  if (json) append_string(line, event, true);
  else append_escaped(line, event, EscapeStyle::text);
  if (!request_id.empty()) append_field(line, "request_id", request_id, json);
  for (const Field& field : fields) append_field(line, field.key, field.value, json);
  if (held_back > 0) append_field(line, "held_back", held_back, json);
  if (json) line += '}';
  return line;
}

}  // namespace

struct Log::Sink {
  explicit Sink(std::shared_ptr<spdlog::sinks::sink> sink) : logger("sallyport", std::move(sink)) {
    logger.set_formatter(std::make_unique<spdlog::pattern_formatter>("%v", spdlog::pattern_time_type::utc));
    logger.set_level(spdlog::level::trace);
  }
  spdlog::logger logger;
};

std::optional<Level> parse_level(std::string_view name) {
  for (const Level level : {Level::debug, Level::info, Level::warning, Level::error}) {
    if (name == level_name(level)) return level;
  }
  return std::nullopt;
}

std::string_view level_name(Level level) {
  constexpr std::string_view kNames[]{"debug", "info", "warning", "error"};
  return kNames[static_cast<std::size_t>(level)];
}

std::optional<std::uint64_t> FloodGate::admit(SteadyTime now) noexcept {
  const std::int64_t second = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
  std::int64_t last = second_.load(std::memory_order_relaxed);
  if (last != second && second_.compare_exchange_strong(last, second)) count_.store(0);
  if (count_.fetch_add(1) < burst_) return held_back_.exchange(0);
  held_back_.fetch_add(1);
  return std::nullopt;
}

Log::Log(const Clock& clock, Options options) : clock_(clock), level_(options.level), json_(options.json) {
  std::shared_ptr<spdlog::sinks::sink> sink;
  if (options.capture != nullptr) sink = std::make_shared<CaptureSink>(*options.capture);
  else sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  sink_ = std::make_unique<Sink>(std::move(sink));
}

Log::~Log() = default;

void Log::write(Level level, std::string_view event, Fields fields, std::string_view request_id) noexcept {
  if (!enabled(level)) return;
  try {
    const std::string line = make_line(clock_.wall(), json_, level, event, fields, request_id, 0);
    sink_->logger.log(spdlog::level::info, spdlog::string_view_t(line));
  } catch (...) {  // a log line that cannot be written never ends a request
  }
}

void Log::write(FloodGate& gate, Level level, std::string_view event, Fields fields,
                std::string_view request_id) noexcept {
  if (!enabled(level)) return;
  const auto held_back = gate.admit(clock_.steady());
  if (!held_back) return;
  try {
    const std::string line = make_line(clock_.wall(), json_, level, event, fields, request_id, *held_back);
    sink_->logger.log(spdlog::level::info, spdlog::string_view_t(line));
  } catch (...) {}
}

}  // namespace sallyport::telemetry
