#include "request/audit/line.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include "crypto/hash.h"
#include "request/audit/scan.h"

namespace sallyport::audit {
namespace {

constexpr std::string_view kLeafName = ",\"leaf\":\"";
constexpr std::string_view kHexDigits = "0123456789abcdef";

void append_number(std::string& out, std::uint64_t number) {
  char digits[20];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

void append_padded(std::string& out, std::uint64_t number, int width) {
  char digits[20];
  for (int i = width; i-- > 0; number /= 10) digits[i] = static_cast<char>('0' + number % 10);
  out.append(digits, static_cast<std::size_t>(width));
}

void append_hex(std::string& out, const merkle::Hash& hash) {
  for (const std::byte byte : hash) {
    out.push_back(kHexDigits[std::to_integer<unsigned>(byte) >> 4U]);
    out.push_back(kHexDigits[std::to_integer<unsigned>(byte) & 15U]);
  }
}

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

void text_field(std::string& out, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  out += name;
  append_string(out, value.substr(0, kFieldBytesMax));
}

void seconds_field(std::string& out, std::string_view name, const std::optional<double>& seconds) {
  if (!seconds) return;
  out += name;
  append_seconds(out, std::isfinite(*seconds) ? static_cast<std::int64_t>(std::clamp(*seconds, 0.0, 1e9) * 1e6) : 0);
}

void number_field(std::string& out, std::string_view name, const std::optional<std::uint64_t>& number) {
  if (!number) return;
  out += name;
  append_number(out, *number);
}

// Redactor::json made it: one line. Anything else is shown as text, cut.
void arguments_field(std::string& out, std::string_view json) {
  if (json.empty()) return;
  out += ",\"arguments\":";
  const bool one_line = std::ranges::none_of(json, [](char c) { return static_cast<unsigned char>(c) < 0x20; });
  if (one_line && json.size() <= kArgumentsBytesMax && (json.front() == '{' || json.front() == '[')) {
    out += json;
  } else {
    append_string(out, json.substr(0, kFieldBytesMax));
  }
}

void who_fields(std::string& out, const AuditRecord& r) {
  text_field(out, ",\"request_id\":", r.request_id);
  text_field(out, ",\"event_type\":", r.event_type);
  text_field(out, ",\"principal\":", r.principal);
  text_field(out, ",\"user_id\":", r.user_id);
  text_field(out, ",\"credential_id\":", r.credential_id);
  text_field(out, ",\"auth_type\":", r.auth_type);
  text_field(out, ",\"session\":", r.session);
}

void what_fields(std::string& out, const AuditRecord& r) {
  text_field(out, ",\"server\":", r.server);
  text_field(out, ",\"tool\":", r.tool);
  if (!r.tool.empty()) text_field(out, ",\"tool_id\":", r.server.empty() ? r.tool : r.server + "/" + r.tool);
  text_field(out, ",\"action\":", r.action);
  text_field(out, ",\"result\":", r.result);
  text_field(out, ",\"stage\":", r.stage);
  text_field(out, ",\"rule_id\":", r.rule_id);
  text_field(out, ",\"reason\":", r.reason);
  text_field(out, ",\"evidence\":", r.evidence);
  text_field(out, ",\"protocol_version\":", r.protocol_version);
  text_field(out, ",\"rpc_method\":", r.rpc_method);
  arguments_field(out, r.arguments);
  text_field(out, ",\"arguments_digest\":", r.arguments_digest);
  text_field(out, ",\"result_digest\":", r.result_digest);
  number_field(out, ",\"result_bytes\":", r.result_bytes);
}

void http_fields(std::string& out, const AuditRecord& r) {
  text_field(out, ",\"ip_address\":", r.client_ip);
  text_field(out, ",\"client_ip\":", r.client_ip);
  text_field(out, ",\"user_agent\":", r.user_agent);
  text_field(out, ",\"method\":", r.method);
  text_field(out, ",\"path\":", r.path);
  text_field(out, ",\"query_params\":", r.query_params);
  if (r.status_code) number_field(out, ",\"status_code\":", static_cast<std::uint64_t>(std::max(*r.status_code, 0)));
  seconds_field(out, ",\"execution_time\":", r.execution_time_s);
  seconds_field(out, ",\"process_time\":", r.process_time_s);
  number_field(out, ",\"content_length\":", r.content_length);
}

}  // namespace

void append_iso(std::string& out, WallTime time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const auto micros = static_cast<std::uint64_t>((time - day).count());
  append_padded(out, static_cast<std::uint64_t>(std::max(static_cast<int>(date.year()), 0)), 4);
  out.push_back('-');
  append_padded(out, static_cast<unsigned>(date.month()), 2);
  out.push_back('-');
  append_padded(out, static_cast<unsigned>(date.day()), 2);
  out.push_back('T');
  append_padded(out, micros / 3'600'000'000U, 2);
  out.push_back(':');
  append_padded(out, micros / 60'000'000U % 60, 2);
  out.push_back(':');
  append_padded(out, micros / 1'000'000U % 60, 2);
  out.push_back('.');
  append_padded(out, micros % 1'000'000U, 6);
  out.push_back('Z');
}

void append_seconds(std::string& out, std::int64_t micros) {
  const auto amount = static_cast<std::uint64_t>(std::max<std::int64_t>(micros, 0));
  append_number(out, amount / 1'000'000U);
  out.push_back('.');
  append_padded(out, amount % 1'000'000U, 6);
}

void append_string(std::string& out, std::string_view text) {
  out.push_back('"');
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t start = at;
    at += plain_run(text.substr(at));
    out.append(text, start, at - start);
    if (at < text.size()) at += append_special(out, text, at);
  }
  out.push_back('"');
}

merkle::Hash append_line(std::string& out, const AuditRecord& record, std::uint64_t seq) {
  const std::size_t start = out.size();
  out += "{\"seq\":";
  append_number(out, seq);
  out += ",\"timestamp\":\"";
  append_iso(out, record.time);
  out += "\",\"timestamp_epoch\":";
  append_seconds(out, record.time.time_since_epoch().count());
  out += ",\"kind\":\"";
  out += kind_name(record.kind);
  out.push_back('"');
  who_fields(out, record);
  what_fields(out, record);
  http_fields(out, record);
  out.push_back('}');
  // RFC 6962 2.1: the leaf is hashed behind a zero byte; the one before the line lends its place.
  const char before = std::exchange(out[start - 1], '\0');
  const merkle::Hash leaf = crypto::sha256(std::string_view(out).substr(start - 1));
  out[start - 1] = before;
  out.pop_back();
  out += kLeafName;
  append_hex(out, leaf);
  out += "\"}\n";
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
