// Builds minified JSON text by appending: REST answers, audit records, envelopes. The Writer puts the commas and
// colons; the caller keeps begin and end in pairs. One thread at a time.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace sallyport::json {

// Appends `utf8` as a JSON string with its quotes. Escapes quote, backslash, control characters (so no CR or LF can get
// out) and U+2028/2029; bytes that are no UTF-8 become U+FFFD.
void append_string(std::string& out, std::string_view utf8);
// Appends the shortest text that reads back as `number`; NaN and infinities become null.
void append_number(std::string& out, double number);
void append_number(std::string& out, std::int64_t number);
void append_number(std::string& out, std::uint64_t number);

class Writer {
 public:
  Writer() = default;
  explicit Writer(std::string& out) : external_(&out) {}
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  Writer& object() { return open('{'); }
  Writer& end_object() { return close('}'); }
  Writer& array() { return open('['); }
  Writer& end_array() { return close(']'); }
  Writer& key(std::string_view name);

  Writer& value(std::string_view text);
  Writer& value(const char* text) { return value(std::string_view(text)); }
  Writer& value(bool flag) { return raw(flag ? "true" : "false"); }
  Writer& value(double number);
  template <std::signed_integral T>
  Writer& value(T number) {
    return integer(static_cast<std::int64_t>(number));
  }
  template <std::unsigned_integral T>
    requires(!std::same_as<T, bool>)
  Writer& value(T number) {
    return natural(static_cast<std::uint64_t>(number));
  }
  Writer& null() { return raw("null"); }
  // Text that is already valid minified JSON.
  Writer& raw(std::string_view json);

  // key and value in one.
  template <class T>
  Writer& member(std::string_view name, const T& content) {
    return key(name).value(content);
  }
  Writer& member_raw(std::string_view name, std::string_view json) { return key(name).raw(json); }

  [[nodiscard]] std::string_view text() const noexcept { return out(); }
  [[nodiscard]] std::string take() { return std::move(out()); }

 private:
  Writer& open(char bracket);
  Writer& close(char bracket);
  Writer& integer(std::int64_t number);
  Writer& natural(std::uint64_t number);
  void separate();
  [[nodiscard]] std::string& out() noexcept { return external_ != nullptr ? *external_ : own_; }
  [[nodiscard]] const std::string& out() const noexcept { return external_ != nullptr ? *external_ : own_; }

  std::string own_;
  std::string* external_ = nullptr;
  bool comma_ = false;  // a value was just written in this container
};

}  // namespace sallyport::json
