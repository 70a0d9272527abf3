// Internal to dialect_*.cc: editing raw minified JSON without losing a byte of what stays. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "json/slice.h"
#include "request/mcp/dialect.h"

namespace sallyport::mcp::edit {

// The key as it reads: decoded only where it has escapes, so that "ti\u0074le" is no way around a rule.
class Key {
 public:
  explicit Key(std::string_view raw);
  operator std::string_view() const noexcept { return decoded_ ? std::string_view(*decoded_) : raw_; }  // NOLINT

 private:
  std::string_view raw_;
  std::optional<std::string> decoded_;
};

// `object` with each member as fn(key, raw value) wants it: the raw value to put, or nothing to drop the member. What is
// returned must live until the next call.
template <class Fn>
std::string members(std::string_view object, Fn&& fn) {
  std::string out;
  out.reserve(object.size());
  out += '{';
  json::for_each_member(object, [&](std::string_view raw_key, std::string_view value) {
    const std::optional<std::string_view> put = fn(static_cast<std::string_view>(Key(raw_key)), value);
    if (!put) return;
    if (out.size() > 1) out += ',';
    out.append("\"").append(raw_key).append("\":").append(*put);
  });
  return out += '}';
}

// `array` with each element as fn(raw) puts it.
template <class Fn>
std::string elements(std::string_view array, Fn&& fn) {
  std::string out;
  out.reserve(array.size());
  out += '[';
  json::for_each_element(array, [&](std::string_view raw) {
    if (out.size() > 1) out += ',';
    out.append(fn(raw));
  });
  return out += ']';
}

// Puts one member more at the end of an object, one element more at the end of an array.
void append_member(std::string& object, std::string_view key, std::string_view raw);
void append_element(std::string& array, std::string_view raw);

std::string quoted(std::string_view text);
// The string member `key`, decoded; nothing if it is none.
std::optional<std::string> text_of(std::string_view object, std::string_view key);
bool is_number(std::string_view raw) noexcept;

// `_meta` without what belongs to one hop: io.modelcontextprotocol/*, progressToken. Nothing where nothing is left, or
// where it is no object.
std::optional<std::string> cleaned_meta(std::string_view raw);
// params or a result with that `_meta`.
std::string with_cleaned_meta(std::string_view object);

// One content block as `client` knows it; nothing: as it is.
std::optional<std::string> shaped_block(Revision client, std::string_view block);

// Implementation: who we are (serverInfo), raw object.
std::string own_info(Revision client);
// resultType and `_meta` of a result of ours for a modern client, before its closing brace.
void close_modern(std::string& result, std::string_view result_type, std::string_view cleaned_meta);

}  // namespace sallyport::mcp::edit
