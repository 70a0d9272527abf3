// The strict whole-document reader (design, principle 4). Client bytes are read completely before anything is decided:
// size, UTF-8, depth, grammar, duplicate keys, number range. A Document owns the minified text and a flat tape over it;
// Values are views that live as long as their Document (moving it does not disturb them). Any thread may read a
// Document; nothing here is shared between documents. Reading is linear (n log n in the members of one object).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "core/result.h"
#include "json/value.h"

namespace sallyport::json {

struct ReadLimits {
  std::size_t bytes_max = 10U << 20;  // never over 256 MiB, whatever is asked for
  unsigned depth_max = 64;            // open containers; never over 1,000
  std::size_t nodes_max = 2'000'000;  // values and keys; each costs 16 bytes
};

class Document {
 public:
  Document() noexcept;  // holds `null`
  Document(Document&&) noexcept;
  Document& operator=(Document&&) noexcept;
  ~Document();

  [[nodiscard]] Value root() const noexcept { return {data_.get(), 0}; }
  // The whole document without whitespace between tokens: no CR, LF or tab anywhere. Strings and numbers are as
  // written.
  [[nodiscard]] std::string_view text() const noexcept;
  // The same, moved out; every Value of the document is dead afterwards.
  [[nodiscard]] std::string release_text() &&;

 private:
  explicit Document(std::unique_ptr<detail::Data> data) noexcept;
  friend struct detail::Access;
  std::unique_ptr<detail::Data> data_;
};

// Reads what a client sent (RFC 8259, narrowed by I-JSON, RFC 7493): UTF-8 without byte order mark, no lone surrogates,
// no duplicate key at any level (compared decoded), integers within int64 or uint64, other numbers finite as double.
// Errors: body_too_large; parse_error (detail names the offset and the JSON pointer); invalid_request for a duplicate
// key or a number out of range (detail names the pointer).
[[nodiscard]] Result<Document> read(std::string_view text, const ReadLimits& limits = {});

// Reads what a tool server sent: the same, but a number is only checked as a token and passes on as it came. One beyond
// the ranges above has Kind::big_number.
[[nodiscard]] Result<Document> read_upstream_document(std::string_view text, const ReadLimits& limits = {});
// The minified text of the same.
[[nodiscard]] Result<std::string> read_upstream(std::string_view text, const ReadLimits& limits = {});

}  // namespace sallyport::json
