#include "request/audit/line.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <utility>

#include "core/encoding.h"
#include "crypto/hash.h"
#include "request/audit/pen.h"
#include "request/audit/redact.h"
#include "request/audit/scan.h"

namespace sallyport::audit {
namespace {

constexpr std::string_view kLeafName = ",\"leaf\":\"";
constexpr std::string_view kHexDigits = "0123456789abcdef";

void append_u(std::string& out, unsigned code) {
  out += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) out.push_back(kHexDigits[code >> static_cast<unsigned>(shift) & 15U]);
}

// What is not plain ASCII: one character at `at`, its bytes consumed.
std::size_t append_special(std::string& out, std::string_view text, std::size_t at) {
  const auto c = static_cast<unsigned char>(text[at]);
  if (c == '"' || c == '\\') return out += {'\\', static_cast<char>(c)}, 1;
  if (c < 0x80) return append_u(out, c), 1;
  const std::size_t length = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : 2;
  const std::string_view bytes = text.substr(at, length);
  if (!valid_utf8(bytes)) return append_u(out, 0xFFFD), 1;
  if (c == 0xC2 && static_cast<unsigned char>(bytes[1]) < 0xA0) {
    return append_u(out, static_cast<unsigned char>(bytes[1])), length;
  }
  return out += bytes, length;
}

struct TextField {
  FieldName name;
  std::string AuditRecord::* value;
};

constexpr std::array kWho{TextField{field_name("request_id"), &AuditRecord::request_id},
                          TextField{field_name("event_type"), &AuditRecord::event_type},
                          TextField{field_name("principal"), &AuditRecord::principal},
                          TextField{field_name("user_id"), &AuditRecord::user_id},
                          TextField{field_name("credential_id"), &AuditRecord::credential_id},
                          TextField{field_name("auth_type"), &AuditRecord::auth_type},
                          TextField{field_name("session"), &AuditRecord::session},
                          TextField{field_name("server"), &AuditRecord::server},
                          TextField{field_name("tool"), &AuditRecord::tool}};
constexpr std::array kWhat{TextField{field_name("action"), &AuditRecord::action},
                           TextField{field_name("result"), &AuditRecord::result},
                           TextField{field_name("stage"), &AuditRecord::stage},
                           TextField{field_name("rule_id"), &AuditRecord::rule_id},
                           TextField{field_name("reason"), &AuditRecord::reason},
                           TextField{field_name("evidence"), &AuditRecord::evidence},
                           TextField{field_name("protocol_version"), &AuditRecord::protocol_version},
                           TextField{field_name("rpc_method"), &AuditRecord::rpc_method}};
constexpr std::array kDigests{TextField{field_name("arguments_digest"), &AuditRecord::arguments_digest},
                              TextField{field_name("result_digest"), &AuditRecord::result_digest},
                              TextField{field_name("data_key"), &AuditRecord::data_key}};
constexpr std::array kHttp{TextField{field_name("ip_address"), &AuditRecord::client_ip},
                           TextField{field_name("client_ip"), &AuditRecord::client_ip},
                           TextField{field_name("user_agent"), &AuditRecord::user_agent},
                           TextField{field_name("method"), &AuditRecord::method},
                           TextField{field_name("path"), &AuditRecord::path},
                           TextField{field_name("query_params"), &AuditRecord::query_params}};
constexpr FieldName kToolId = field_name("tool_id"), kArguments = field_name("arguments"),
                    kResponse = field_name("response"), kResultBytes = field_name("result_bytes"),
                    kStatus = field_name("status_code"), kExecution = field_name("execution_time"),
                    kProcess = field_name("process_time"), kLength = field_name("content_length");
constexpr std::size_t kFixedBytesMax = 2048;  // names, numbers, times, punctuation

// A caller chooses the text of some fields, a method's name or a tool's, and may put a credential there by mistake.
std::string_view shown(std::string_view text) noexcept {
  return is_credential(text) ? "[redacted]" : text.substr(0, kFieldBytesMax);
}

// Redactor::json made it: one line. Anything else is shown as text, cut.
bool spliced(std::string_view json) noexcept {
  if (json.size() > kArgumentsBytesMax || (json.front() != '{' && json.front() != '[')) return false;
  bool control = false;  // no early exit: the loop becomes vector code
  for (const char c : json) control |= static_cast<unsigned char>(c) < 0x20;
  return !control;
}

// The bytes of a line at most.
std::size_t bound(const AuditRecord& r) noexcept {
  std::size_t texts =
      shown(r.server).size() + shown(r.tool).size() + shown(r.arguments).size() + shown(r.response).size();
  const auto add = [&](const auto& fields) {
    for (const TextField& field : fields) texts += shown(r.*field.value).size();
  };
  add(kWho), add(kWhat), add(kDigests), add(kHttp);
  return kFixedBytesMax + Pen::kBytesPerByteMax * texts + std::min(r.arguments.size(), kArgumentsBytesMax) +
         std::min(r.response.size(), kArgumentsBytesMax);
}

void text_fields(Pen& pen, const AuditRecord& r, std::span<const TextField> fields) {
  for (const TextField& field : fields) {
    const std::string& value = r.*field.value;
    if (value.empty()) continue;
    pen.name(field.name);
    pen.quoted(shown(value));
  }
}

void number_field(Pen& pen, const FieldName& name, const std::optional<std::uint64_t>& number) {
  if (!number) return;
  pen.name(name);
  pen.number(*number);
}

void seconds_field(Pen& pen, const FieldName& name, const std::optional<double>& seconds) {
  if (!seconds) return;
  pen.name(name);
  pen.seconds(std::isfinite(*seconds) ? static_cast<std::int64_t>(std::clamp(*seconds, 0.0, 1e9) * 1e6) : 0);
}

void tool_id_field(Pen& pen, const AuditRecord& r) {
  if (r.tool.empty()) return;
  pen.name(kToolId);
  if (r.server.empty() || is_credential(r.tool)) return pen.quoted(shown(r.tool));
  pen.quoted(shown(r.server + "/" + r.tool));
}

void json_field(Pen& pen, const FieldName& name, std::string_view json) {
  if (json.empty()) return;
  pen.name(name);
  if (spliced(json)) return pen.raw(json);
  pen.quoted(shown(json));
}

void fields(Pen& pen, const AuditRecord& r) {
  text_fields(pen, r, kWho);
  tool_id_field(pen, r);
  text_fields(pen, r, kWhat);
  json_field(pen, kArguments, r.arguments);
  json_field(pen, kResponse, r.response);
  text_fields(pen, r, kDigests);
  number_field(pen, kResultBytes, r.result_bytes);
  text_fields(pen, r, kHttp);
  if (r.status_code) number_field(pen, kStatus, static_cast<std::uint64_t>(std::max(*r.status_code, 0)));
  seconds_field(pen, kExecution, r.execution_time_s);
  seconds_field(pen, kProcess, r.process_time_s);
  number_field(pen, kLength, r.content_length);
}

}  // namespace

void append_iso(std::string& out, WallTime time) {
  char text[32];
  Pen pen(text);
  pen.iso(time);
  out.append(text, pen.at());
}

void append_string(std::string& out, std::string_view text) {
  out.push_back('"');
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t start = at;
    at += ascii::plain_run(text.substr(at));
    out.append(text, start, at - start);
    if (at < text.size()) at += append_special(out, text, at);
  }
  out.push_back('"');
}

merkle::Hash append_line(std::string& out, const AuditRecord& record, std::uint64_t seq) {
  const std::size_t start = out.size();
  merkle::Hash leaf{};
  out.resize_and_overwrite(start + bound(record), [&](char* data, std::size_t) {
    Pen pen(data + start);
    pen.raw("{\"seq\":");
    pen.number(seq);
    pen.raw(",\"timestamp\":\"");
    pen.iso(record.time);
    pen.raw("\",\"timestamp_epoch\":");
    pen.seconds(record.time.time_since_epoch().count());
    pen.raw(",\"kind\":");
    pen.quoted(kind_name(record.kind));
    fields(pen, record);
    *pen.at() = '}';
    // RFC 6962 2.1: the leaf is hashed behind a zero byte; the one before the line lends its place.
    const char before = std::exchange(data[start - 1], '\0');
    leaf = crypto::sha256(std::string_view(data + start - 1, pen.at() + 1));
    data[start - 1] = before;
    pen.raw(kLeafName);
    pen.hex(leaf);
    pen.raw("\"}\n");
    return static_cast<std::size_t>(pen.at() - data);
  });
  return leaf;
}

Result<merkle::Hash> append_sealed_line(std::string& out, const AuditRecord& record, std::uint64_t seq,
                                        const SegmentSeal& seal) {
  std::string clear(1, '\0');
  append_line(clear, record, seq);
  const auto split = split_line(std::string_view(clear).substr(1, clear.size() - 2));
  if (!split) return fail(Code::internal, "an audit record of another shape");
  SP_TRY(const std::string sealed, seal.seal(split->object, seq));
  std::string object = "{\"seq\":" + std::to_string(seq) + ",\"sealed\":\"" + sealed + "\"}";
  const merkle::Hash leaf = merkle::leaf_hash(as_bytes(object));
  object.pop_back();
  out.append(object).append(kLeafName).append(merkle::to_hex(leaf)).append("\"}\n");
  return leaf;
}

std::optional<SplitLine> split_line(std::string_view line) {
  if (line.size() < kLeafBytes + 2 || line.size() > kLineBytesMax || line.front() != '{') return std::nullopt;
  const std::size_t cut = line.size() - kLeafBytes;
  const std::string_view tail = line.substr(cut);
  if (!tail.starts_with(kLeafName) || !tail.ends_with("\"}")) return std::nullopt;
  SplitLine split{std::string(line.substr(0, cut)), tail.substr(kLeafName.size(), 64)};
  split.object.push_back('}');
  return split;
}

std::optional<merkle::Hash> check_line(std::string_view line) {
  const std::optional<SplitLine> split = split_line(line);
  if (!split) return std::nullopt;
  const merkle::Hash leaf = merkle::leaf_hash(std::as_bytes(std::span(split->object)));
  if (merkle::to_hex(leaf) != split->leaf_hex) return std::nullopt;
  return leaf;
}

}  // namespace sallyport::audit
