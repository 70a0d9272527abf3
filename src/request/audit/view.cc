#include <algorithm>
#include <array>
#include <utility>

#include "request/audit/line.h"
#include "request/audit/scan.h"
#include "request/audit/tail.h"

namespace sallyport::audit {
namespace {

constexpr std::array<std::pair<std::string_view, Format>, 5> kFormats{{{"record", Format::record},
                                                                       {"guide-s0", Format::guide_s0},
                                                                       {"guide-s1", Format::guide_s1},
                                                                       {"guide-s3", Format::guide_s3},
                                                                       {"guide-s4", Format::guide_s4}}};

// An object built from raw members of a record.
class Object {
 public:
  explicit Object(const Members& from) : from_(from) {}

  Object& raw(std::string_view name, std::string_view value) {
    if (out_.size() > 1) out_.push_back(',');
    append_string(out_, name);
    out_.push_back(':');
    out_ += value;
    return *this;
  }
  Object& text(std::string_view name, std::string_view value) {
    std::string quoted;
    append_string(quoted, value);
    return raw(name, quoted);
  }
  // The first of the members `from` that is there, else `otherwise` (a raw value).
  Object& copy(std::string_view name, std::initializer_list<std::string_view> from, std::string_view otherwise = "null") {
    for (const std::string_view source : from) {
      if (const std::string_view value = from_.raw(source); !value.empty()) return raw(name, value);
    }
    return raw(name, otherwise);
  }
  Object& copy(std::string_view name) { return copy(name, {name}); }
  // Only where it is there.
  Object& maybe(std::string_view name, std::string_view source) {
    return from_.raw(source).empty() ? *this : copy(name, {source});
  }
  std::string end() { return std::move(out_) + "}"; }

 private:
  const Members& from_;
  std::string out_ = "{";
};

// S0-16
std::string guide_s0(const Members& record) {
  const std::string metadata = Object(record)
                                   .copy("arguments", {"arguments"})
                                   .maybe("arguments_digest", "arguments_digest")
                                   .copy("result", {"result_digest"})
                                   .maybe("reason", "reason")
                                   .end();
  return Object(record)
      .copy("timestamp")
      .copy("event_type")
      .copy("user_id", {"user_id", "principal"})
      .copy("tool_id")
      .copy("action")
      .copy("result")
      .copy("ip_address")
      .copy("user_agent")
      .copy("execution_time", {"execution_time", "process_time"})
      .raw("metadata", metadata)
      .end();
}

// S1-27: content_length is a string there.
std::string guide_s1(const Members& record) {
  const std::string_view length = record.raw("content_length");
  return Object(record)
      .copy("timestamp", {"timestamp_epoch"})
      .copy("method")
      .copy("path")
      .copy("query_params", {"query_params"}, "\"\"")
      .copy("client_ip")
      .copy("user_agent", {"user_agent"}, "\"\"")
      .copy("status_code")
      .copy("process_time", {"process_time", "execution_time"})
      .copy("auth_type", {"auth_type"}, "\"none\"")
      .text("content_length", length.empty() ? "0" : length)
      .end();
}

std::string details(const Members& record) {
  Object object(record);
  for (const std::string_view name : {"request_id", "server", "tool", "result", "stage", "rule_id", "reason", "arguments"}) {
    object.maybe(name, name);
  }
  return object.maybe("ip", "client_ip").end();
}

// S3-14; what failed is S3-15.
std::string guide_s3(const Members& record) {
  if (record.text("result") == "error") {
    return Object(record).copy("timestamp").copy("error", {"reason", "evidence"}).raw("context", details(record)).end();
  }
  return Object(record)
      .copy("timestamp")
      .copy("action", {"action", "event_type"})
      .copy("user", {"user_id", "principal"})
      .raw("details", details(record))
      .end();
}

// S4-19: AUTHENTICATION_FAILED {user, ip, reason}.
std::string guide_s4(const Members& record) {
  std::string type = record.text("event_type");
  const std::string result = record.text("result");
  std::ranges::transform(type, type.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  if (result == "denied" || result == "error") type += "_FAILED";
  const std::string what = Object(record)
                               .copy("user", {"user_id", "principal"})
                               .copy("ip", {"client_ip"})
                               .copy("reason")
                               .maybe("tool", "tool_id")
                               .maybe("request_id", "request_id")
                               .end();
  return Object(record)
      .text("logger", "security")
      .text("level", "WARNING")
      .text("message", "SECURITY_EVENT: " + type)
      .text("event_type", type)
      .copy("timestamp")
      .raw("details", what)
      .end();
}

}  // namespace

std::optional<Format> format_from_name(std::string_view name) {
  for (const auto& [known, format] : kFormats) {
    if (known == name) return format;
  }
  return std::nullopt;
}

std::string view(std::string_view record_line, Format format) {
  const std::optional<Members> members = Members::of(record_line);
  if (!members) return {};
  switch (format) {
    case Format::record: return std::string(record_line);
    case Format::guide_s0: return guide_s0(*members);
    case Format::guide_s1: return guide_s1(*members);
    case Format::guide_s3: return guide_s3(*members);
    case Format::guide_s4: return guide_s4(*members);
  }
  return {};
}

}  // namespace sallyport::audit
