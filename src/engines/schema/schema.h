// Our own JSON Schema validator (design, section 4). Schemas come from tool servers and instances from callers; both
// may be hostile, so everything is bounded: compiling by CompileLimits, validating by a budget of steps and of depth
// whose exhaustion refuses. Dialects 2020-12 (default) and draft-07. No remote reference is ever fetched. `format` and
// `content*` are annotations. A Schema never changes after compile(): any thread may validate with it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "json/value.h"

namespace sallyport::schema {

// Why an instance was refused: the first fault found.
struct Violation {
  std::string path;     // JSON pointer into the instance; "" is its root
  std::string keyword;  // "required", "type", ...; "budget" if the work was too much
  std::string message;  // one sentence for people; names the rule, never a long instance value
};

struct CompileLimits {
  std::size_t bytes_max = 1U << 20;  // of the schema's text
  std::size_t nodes_max = 20'000;    // subschemas
  std::size_t pattern_bytes_max = 4'096;
  std::uint64_t steps_max = 4'000'000;  // of one validation; less for a small instance
  unsigned depth_max = 512;             // of nested applications in one validation
  // The text of a document that is referred to by an absolute URI; tests only. The product passes none: an unresolved
  // external reference does not compile. The two metaschemas are built in.
  std::function<std::optional<std::string>(std::string_view uri)> resolver;
};

struct Program;

class Schema {
 public:
  // Errors (Code::config): bad JSON, an unknown dialect (named), a malformed keyword, an unresolved reference,
  // references that go round without consuming any of the instance, a limit. detail names the JSON pointer into the
  // schema.
  [[nodiscard]] static Result<std::shared_ptr<const Schema>> compile(std::string_view schema_json,
                                                                     const CompileLimits& limits = {});
  explicit Schema(std::unique_ptr<const Program> program);  // for compile()
  Schema(const Schema&) = delete;
  Schema& operator=(const Schema&) = delete;
  ~Schema();

  // Nothing: the instance is valid.
  [[nodiscard]] std::optional<Violation> validate(json::Value instance) const;
  // Patterns outside RE2's dialect: shown to people as not enforced, never run by anything that backtracks.
  [[nodiscard]] const std::vector<std::string>& not_enforced() const noexcept;

 private:
  std::unique_ptr<const Program> program_;
};

}  // namespace sallyport::schema
