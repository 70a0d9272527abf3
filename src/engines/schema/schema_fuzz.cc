// The input is two JSON texts divided by a newline: a schema and an instance. Whatever they are, compiling and
// validating end in bounded work, and the same answer comes twice.
#include <cstdlib>

#include "engines/schema/schema.h"
#include "json/document.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sallyport;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t line = text.find('\n');
  if (line == std::string_view::npos) return 0;
  const auto schema = schema::Schema::compile(text.substr(0, line));
  const auto document = json::read_upstream_document(text.substr(line + 1));
  if (!schema || !document) return 0;
  const auto once = (*schema)->validate(document->root());
  const auto twice = (*schema)->validate(document->root());
  if (once.has_value() != twice.has_value()) std::abort();
  return 0;
}
