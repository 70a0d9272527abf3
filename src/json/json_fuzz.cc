// Arbitrary bytes through both readers. What is accepted must agree with simdjson, survive a second reading unchanged,
// and be cut by the slices as the Document cuts it.
#include <simdjson.h>

#include <cstdlib>

#include "json/canonical.h"
#include "json/document.h"
#include "json/slice.h"

namespace {

using namespace sallyport::json;

void require(bool condition) {
  if (!condition) std::abort();
}

void compare(Value value) {
  for (const auto [key, content] : value.members()) {
    require(member(value.raw(), key) == content.raw());
    compare(content);
  }
  std::size_t count = 0;
  for_each_element(value.raw(), [&count](std::string_view) { ++count; });
  require(!value.is_array() || count == value.size());
  for (const Value element : value.elements()) compare(element);
}

void against_simdjson(std::string_view text) {
  static simdjson::dom::parser parser;
  const auto ours = read(text);
  const bool theirs = parser.parse(text.data(), text.size()).error() == simdjson::SUCCESS;
  if (ours)
    require(theirs);
  else if (theirs) {
    const std::string& why = ours.error().detail;
    require(why.contains("duplicate key") || why.contains("byte order mark") || why.contains("nested too deeply"));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  against_simdjson(text);
  (void)member(text, "a");
  for_each_member(text, [](std::string_view, std::string_view) {});
  for_each_element(text, [](std::string_view) {});
  (void)pretty(text);
  const auto upstream = read_upstream_document(text);
  if (!upstream) return 0;
  const auto again = read_upstream_document(upstream->text());
  require(again.has_value() && again->text() == upstream->text());
  require(upstream->text().find_first_of("\r\n") == std::string_view::npos);
  compare(upstream->root());
  const std::string canonical_text = canonical(upstream->root());
  const auto third = read_upstream_document(canonical_text);
  require(third.has_value() && canonical(third->root()) == canonical_text);
  return 0;
}
