#include "json/value.h"

#include <charconv>

#include "json/number.h"
#include "json/tape.h"

namespace sallyport::json {
namespace {

template <class T>
std::optional<T> parse(std::string_view token) noexcept {
  T number = 0;
  const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), number);
  if (error != std::errc() || end != token.data() + token.size()) return std::nullopt;
  return number;
}

}  // namespace

Kind Value::kind() const noexcept { return data_ == nullptr ? Kind::null : data_->nodes[index_].kind(); }

std::optional<bool> Value::as_bool() const noexcept {
  if (kind() != Kind::boolean) return std::nullopt;
  return data_->nodes[index_].payload() != 0;
}

std::optional<std::int64_t> Value::as_int64() const noexcept {
  if (kind() != Kind::integer) return std::nullopt;
  return parse<std::int64_t>(raw());
}

std::optional<std::uint64_t> Value::as_uint64() const noexcept {
  const Kind k = kind();
  if (k != Kind::integer && k != Kind::unsigned_integer) return std::nullopt;
  if (raw() == "-0") return 0;
  return parse<std::uint64_t>(raw());
}

std::optional<double> Value::as_double() const noexcept {
  const Kind k = kind();
  if (k != Kind::real && k != Kind::integer && k != Kind::unsigned_integer) return std::nullopt;
  return detail::to_double(raw());
}

std::optional<std::string_view> Value::as_string() const noexcept {
  if (kind() != Kind::string) return std::nullopt;
  return data_->string(data_->nodes[index_]);
}

std::size_t Value::size() const noexcept { return kind() >= Kind::array ? data_->nodes[index_].payload() : 0; }

std::optional<Value> Value::find(std::string_view key) const noexcept {
  if (kind() != Kind::object) return std::nullopt;
  const std::uint32_t end = data_->nodes[index_].next;
  for (std::uint32_t i = index_ + 1; i != end; i = data_->after(i + 1)) {
    if (data_->string(data_->nodes[i]) == key) return Value(data_, i + 1);
  }
  return std::nullopt;
}

std::optional<std::string_view> Value::string_at(std::string_view key) const noexcept {
  const auto value = find(key);
  return value ? value->as_string() : std::nullopt;
}

Members Value::members() const noexcept {
  const bool any = kind() == Kind::object;
  const std::uint32_t end = any ? data_->nodes[index_].next : 0;
  return {{data_, any ? index_ + 1 : 0}, {data_, end}};
}

Elements Value::elements() const noexcept {
  const bool any = kind() == Kind::array;
  const std::uint32_t end = any ? data_->nodes[index_].next : 0;
  return {{data_, any ? index_ + 1 : 0}, {data_, end}};
}

std::string_view Value::raw() const noexcept { return data_ == nullptr ? "null" : data_->raw(data_->nodes[index_]); }

Member Members::Iterator::operator*() const noexcept {
  return {data_->string(data_->nodes[index_]), Value(data_, index_ + 1)};
}

Members::Iterator& Members::Iterator::operator++() noexcept {
  index_ = data_->after(index_ + 1);
  return *this;
}

Elements::Iterator& Elements::Iterator::operator++() noexcept {
  index_ = data_->after(index_);
  return *this;
}

}  // namespace sallyport::json
