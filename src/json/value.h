// A read-only view of one value of a Document: two words, copied freely, valid as long as the Document. Strings come
// decoded; raw() is the minified text of the value, free of charge, to be spliced without serialising again. Any
// thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

namespace sallyport::json {

namespace detail {
struct Data;
struct Access;
}  // namespace detail

// `integer`: fits int64; `unsigned_integer`: 2^63 .. 2^64-1; `big_number`: upstream text only, see raw().
enum class Kind : std::uint8_t { null, boolean, integer, unsigned_integer, real, big_number, string, array, object };

class Members;
class Elements;

class Value {
 public:
  Value() noexcept = default;  // null
  Value(const detail::Data* data, std::uint32_t index) noexcept : data_(data), index_(index) {}

  [[nodiscard]] Kind kind() const noexcept;
  [[nodiscard]] bool is_null() const noexcept { return kind() == Kind::null; }
  [[nodiscard]] bool is_bool() const noexcept { return kind() == Kind::boolean; }
  [[nodiscard]] bool is_string() const noexcept { return kind() == Kind::string; }
  [[nodiscard]] bool is_array() const noexcept { return kind() == Kind::array; }
  [[nodiscard]] bool is_object() const noexcept { return kind() == Kind::object; }
  [[nodiscard]] bool is_number() const noexcept { return kind() >= Kind::integer && kind() <= Kind::big_number; }

  [[nodiscard]] std::optional<bool> as_bool() const noexcept;
  // Integer tokens only: 1.0 and 1e2 are reals.
  [[nodiscard]] std::optional<std::int64_t> as_int64() const noexcept;
  [[nodiscard]] std::optional<std::uint64_t> as_uint64() const noexcept;
  // Any number but a big one; an integer beyond 2^53 is rounded.
  [[nodiscard]] std::optional<double> as_double() const noexcept;
  [[nodiscard]] std::optional<std::string_view> as_string() const noexcept;  // decoded

  // Members of an object or elements of an array; 0 for anything else.
  [[nodiscard]] std::size_t size() const noexcept;
  // The member `key` (decoded) of an object; nothing for other kinds. Linear in the members.
  [[nodiscard]] std::optional<Value> find(std::string_view key) const noexcept;
  // Shorthand for the string member `key`.
  [[nodiscard]] std::optional<std::string_view> string_at(std::string_view key) const noexcept;

  // for (auto [key, value] : v.members()) and for (Value item : v.elements()); empty for other kinds.
  [[nodiscard]] Members members() const noexcept;
  [[nodiscard]] Elements elements() const noexcept;

  // The value as minified JSON text.
  [[nodiscard]] std::string_view raw() const noexcept;
  // For a value that came from members() or find(): its key, as a string value of its own.
  [[nodiscard]] Value member_key() const noexcept { return {data_, index_ - 1}; }
  // A number unique to this value within its document (for memo tables).
  [[nodiscard]] std::uint32_t index() const noexcept { return index_; }

 private:
  friend struct detail::Access;
  const detail::Data* data_ = nullptr;
  std::uint32_t index_ = 0;
};

struct Member {
  std::string_view key;  // decoded
  Value value;
};

class Members {
 public:
  class Iterator {
   public:
    Iterator(const detail::Data* data, std::uint32_t index) noexcept : data_(data), index_(index) {}
    Member operator*() const noexcept;
    Iterator& operator++() noexcept;
    bool operator==(const Iterator& other) const noexcept { return index_ == other.index_; }

   private:
    const detail::Data* data_;
    std::uint32_t index_;  // of the key
  };
  Members(Iterator begin, Iterator end) noexcept : begin_(begin), end_(end) {}
  [[nodiscard]] Iterator begin() const noexcept { return begin_; }
  [[nodiscard]] Iterator end() const noexcept { return end_; }

 private:
  Iterator begin_, end_;
};

class Elements {
 public:
  class Iterator {
   public:
    Iterator(const detail::Data* data, std::uint32_t index) noexcept : data_(data), index_(index) {}
    Value operator*() const noexcept { return {data_, index_}; }
    Iterator& operator++() noexcept;
    bool operator==(const Iterator& other) const noexcept { return index_ == other.index_; }

   private:
    const detail::Data* data_;
    std::uint32_t index_;
  };
  Elements(Iterator begin, Iterator end) noexcept : begin_(begin), end_(end) {}
  [[nodiscard]] Iterator begin() const noexcept { return begin_; }
  [[nodiscard]] Iterator end() const noexcept { return end_; }

 private:
  Iterator begin_, end_;
};

}  // namespace sallyport::json
