#include "json/document.h"

#include <simdjson.h>

#include <algorithm>

#include "json/parser.h"
#include "json/tape.h"

namespace sallyport::json {
namespace detail {

struct Access {
  static Document make(std::unique_ptr<Data> data) noexcept { return Document(std::move(data)); }
};

}  // namespace detail

namespace {

Result<Document> read_any(std::string_view text, const ReadLimits& limits, bool big_numbers) {
  if (text.size() > std::min(limits.bytes_max, detail::kBytesCap)) {
    return fail(Code::body_too_large, "JSON: " + std::to_string(text.size()) + " bytes");
  }
  if (text.starts_with("\xEF\xBB\xBF")) return fail(Code::parse_error, "JSON: byte order mark at offset 0");
  if (!simdjson::validate_utf8(text.data(), text.size())) return fail(Code::parse_error, "JSON: not UTF-8");
  thread_local detail::Parser::Desk desk;
  auto data = std::make_unique<detail::Data>();
  detail::Parser parser(text, limits, big_numbers, *data, desk);
  auto done = parser.run();
  desk.duplicates.trim();
  SP_CHECK(std::move(done));
  return detail::Access::make(std::move(data));
}

}  // namespace

Document::Document() noexcept = default;
Document::Document(std::unique_ptr<detail::Data> data) noexcept : data_(std::move(data)) {}
Document::Document(Document&&) noexcept = default;
Document& Document::operator=(Document&&) noexcept = default;
Document::~Document() = default;

std::string_view Document::text() const noexcept { return data_ != nullptr ? std::string_view(data_->text) : "null"; }

std::string Document::release_text() && {
  const std::unique_ptr<detail::Data> data = std::move(data_);
  return data != nullptr ? std::move(data->text) : std::string("null");
}

Result<Document> read(std::string_view text, const ReadLimits& limits) { return read_any(text, limits, false); }

Result<Document> read_upstream_document(std::string_view text, const ReadLimits& limits) {
  return read_any(text, limits, true);
}

Result<std::string> read_upstream(std::string_view text, const ReadLimits& limits) {
  SP_TRY(Document document, read_any(text, limits, true));
  return std::move(document).release_text();
}

}  // namespace sallyport::json
