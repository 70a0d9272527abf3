#include "launcher/protocol.h"

#include <cstring>
#include <type_traits>

namespace sallyport::launcher {
namespace {

constexpr std::size_t kArgvMax = 256;
constexpr std::size_t kEnvMax = 128;
constexpr std::size_t kFilesMax = 16;
constexpr std::size_t kPathsMax = 64;

enum class Tag : std::uint8_t { start = 1, stop, kill, hello, started, refused, exited };

class Writer {
 public:
  explicit Writer(Tag tag) { number(static_cast<std::uint8_t>(tag)); }
  template <class T>
  void number(T value) {
    static_assert(std::is_integral_v<T>);
    char raw[sizeof value];
    std::memcpy(raw, &value, sizeof value);
    out_.append(raw, sizeof value);
  }
  void text(std::string_view value) {
    number(static_cast<std::uint32_t>(value.size()));
    out_.append(value);
  }
  void reserve(std::size_t bytes) { out_.reserve(bytes); }  // no growth: no copy of a secret is left behind
  std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}
  template <class T>
  T number() {
    T value{};
    if (rest_.size() < sizeof value) {
      ok_ = false;
      return value;
    }
    std::memcpy(&value, rest_.data(), sizeof value);
    rest_.remove_prefix(sizeof value);
    return value;
  }
  std::string bytes() {
    const auto size = number<std::uint32_t>();
    if (!ok_ || rest_.size() < size) {
      ok_ = false;
      return {};
    }
    std::string value(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return value;
  }
  std::string text() {
    std::string value = bytes();
    if (value.find('\0') != std::string::npos) ok_ = false;  // every text here becomes a C string
    return value;
  }
  std::size_t count(std::size_t most) {
    const auto value = number<std::uint32_t>();
    if (value > most) ok_ = false;
    return ok_ ? value : 0;
  }
  bool boolean() {
    const auto value = number<std::uint8_t>();
    if (value > 1) ok_ = false;
    return value == 1;
  }
  [[nodiscard]] bool ok() const noexcept { return ok_; }
  [[nodiscard]] bool complete() const noexcept { return ok_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

void write_limits(Writer& out, const Limits& limits) {
  out.number(limits.data_bytes_max);
  out.number(limits.file_bytes_max);
  out.number(limits.open_files_max);
  out.number(limits.processes_max);
  out.number(static_cast<std::int64_t>(limits.cpu_max.count()));
}

Limits read_limits(Reader& in) {
  Limits limits;
  limits.data_bytes_max = in.number<std::uint64_t>();
  limits.file_bytes_max = in.number<std::uint64_t>();
  limits.open_files_max = in.number<std::uint32_t>();
  limits.processes_max = in.number<std::uint32_t>();
  limits.cpu_max = std::chrono::seconds(in.number<std::int64_t>());
  return limits;
}

bool has_nul(const LaunchSpec& spec) {
  const auto nul = [](std::string_view text) { return text.find('\0') != std::string_view::npos; };
  bool found = nul(spec.label) || nul(spec.working_directory);
  for (const auto& item : spec.argv) found = found || nul(item);
  for (const auto& item : spec.paths) found = found || nul(item);
  for (const auto& [name, value] : spec.env) found = found || nul(name) || nul(value.reveal());
  for (const auto& [name, value] : spec.files) found = found || nul(name);
  return found;
}

Result<std::string> encode_start(const StartRequest& request) {
  const LaunchSpec& spec = request.spec;
  if (spec.argv.size() > kArgvMax) return fail(Code::config, "more than 256 arguments");
  if (spec.env.size() > kEnvMax) return fail(Code::config, "more than 128 environment variables");
  if (spec.files.size() > kFilesMax) return fail(Code::config, "more than 16 files");
  if (spec.paths.size() > kPathsMax) return fail(Code::config, "more than 64 paths");
  if (has_nul(spec)) return fail(Code::config, "a NUL byte in the launch specification");
  Writer out(Tag::start);
  out.reserve(kMessageBytesMax);
  out.number(request.id);
  out.text(spec.label);
  out.number(static_cast<std::uint32_t>(spec.argv.size()));
  for (const auto& item : spec.argv) out.text(item);
  out.number(static_cast<std::uint32_t>(spec.env.size()));
  for (const auto& [name, value] : spec.env) {
    out.text(name);
    out.text(value.reveal());
  }
  out.number(static_cast<std::uint32_t>(spec.files.size()));
  for (const auto& [name, value] : spec.files) {
    out.text(name);
    out.text(value.reveal());
  }
  out.text(spec.working_directory);
  out.number(static_cast<std::uint32_t>(spec.paths.size()));
  for (const auto& item : spec.paths) out.text(item);
  out.number(static_cast<std::uint8_t>(spec.network));
  write_limits(out, spec.limits);
  std::string bytes = out.take();
  if (bytes.size() > kMessageBytesMax) {
    wipe(bytes);
    return fail(Code::config, "launch specification over 128 KiB");
  }
  return bytes;
}

StartRequest read_start(Reader& in) {
  StartRequest request;
  request.id = in.number<std::uint64_t>();
  request.spec.label = in.text();
  for (auto n = in.count(kArgvMax); n > 0 && in.ok(); --n) request.spec.argv.push_back(in.text());
  for (auto n = in.count(kEnvMax); n > 0 && in.ok(); --n) {
    std::string name = in.text();
    request.spec.env.emplace_back(std::move(name), Secret(in.text()));
  }
  for (auto n = in.count(kFilesMax); n > 0 && in.ok(); --n) {
    std::string name = in.text();
    request.spec.files.emplace_back(std::move(name), Secret(in.bytes()));
  }
  request.spec.working_directory = in.text();
  for (auto n = in.count(kPathsMax); n > 0 && in.ok(); --n) request.spec.paths.push_back(in.text());
  request.spec.network = in.boolean();
  request.spec.limits = read_limits(in);
  return request;
}

Result<Request> not_a_request() { return fail(Code::invalid_request, "malformed control message"); }
Result<Reply> not_a_reply() { return fail(Code::invalid_request, "malformed answer of the launcher"); }

}  // namespace

Result<std::string> encode(const Request& request) {
  if (const auto* start = std::get_if<StartRequest>(&request)) return encode_start(*start);
  if (const auto* stop = std::get_if<StopRequest>(&request)) {
    Writer out(Tag::stop);
    out.number(stop->id);
    out.number(static_cast<std::int64_t>(stop->grace.count()));
    return out.take();
  }
  Writer out(Tag::kill);
  out.number(std::get<KillRequest>(request).id);
  return out.take();
}

std::string encode(const Reply& reply) {
  if (const auto* hello = std::get_if<Hello>(&reply)) {
    Writer out(Tag::hello);
    out.number(static_cast<std::uint8_t>(hello->confinement));
    out.text(hello->reason);
    return out.take();
  }
  if (const auto* started = std::get_if<Started>(&reply)) {
    Writer out(Tag::started);
    out.number(started->id);
    out.number(started->pid);
    return out.take();
  }
  if (const auto* refused = std::get_if<Refused>(&reply)) {
    Writer out(Tag::refused);
    out.number(refused->id);
    out.number(static_cast<std::uint8_t>(refused->error.code));
    out.text(std::string_view(refused->error.detail).substr(0, 4096));
    return out.take();
  }
  const auto& exited = std::get<Exited>(reply);
  Writer out(Tag::exited);
  out.number(exited.id);
  out.number(static_cast<std::int32_t>(exited.status.code));
  out.number(static_cast<std::int32_t>(exited.status.signal));
  return out.take();
}

Result<Request> decode_request(std::string_view bytes) {
  Reader in(bytes);
  Request request;
  switch (static_cast<Tag>(in.number<std::uint8_t>())) {
    case Tag::start: request = read_start(in); break;
    case Tag::stop: {
      StopRequest stop;
      stop.id = in.number<std::uint64_t>();
      stop.grace = std::chrono::milliseconds(in.number<std::int64_t>());
      if (stop.grace < stop.grace.zero() || stop.grace > std::chrono::minutes(10)) return not_a_request();
      request = stop;
      break;
    }
    case Tag::kill: request = KillRequest{in.number<std::uint64_t>()}; break;
    default: return not_a_request();
  }
  if (!in.complete()) return not_a_request();
  return request;
}

Result<Reply> decode_reply(std::string_view bytes) {
  Reader in(bytes);
  Reply reply;
  switch (static_cast<Tag>(in.number<std::uint8_t>())) {
    case Tag::hello: {
      const auto confinement = in.number<std::uint8_t>();
      if (confinement > static_cast<std::uint8_t>(Confinement::rlimits)) return not_a_reply();
      reply = Hello{static_cast<Confinement>(confinement), in.text()};
      break;
    }
    case Tag::started: {
      const auto id = in.number<std::uint64_t>();
      reply = Started{id, in.number<std::int32_t>()};
      break;
    }
    case Tag::refused: {
      const auto id = in.number<std::uint64_t>();
      const auto code = in.number<std::uint8_t>();
      if (code >= static_cast<std::uint8_t>(Code::count_)) return not_a_reply();
      reply = Refused{id, Error{static_cast<Code>(code), in.text()}};
      break;
    }
    case Tag::exited: {
      Exited exited;
      exited.id = in.number<std::uint64_t>();
      exited.status.code = in.number<std::int32_t>();
      exited.status.signal = in.number<std::int32_t>();
      reply = exited;
      break;
    }
    default: return not_a_reply();
  }
  if (!in.complete()) return not_a_reply();
  return reply;
}

}  // namespace sallyport::launcher
