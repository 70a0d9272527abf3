#include "engines/schema/schema.h"

#include "engines/schema/compiler.h"
#include "engines/schema/validator.h"

namespace sallyport::schema {

Result<std::shared_ptr<const Schema>> Schema::compile(std::string_view schema_json, const CompileLimits& limits) {
  auto program = std::make_unique<Program>();
  SP_CHECK(Compiler(limits, *program).run(schema_json));
  return std::make_shared<const Schema>(std::move(program));
}

Schema::Schema(std::unique_ptr<const Program> program) : program_(std::move(program)) {}
Schema::~Schema() = default;

std::optional<Violation> Schema::validate(json::Value instance) const { return Validator(*program_, instance).run(); }

const std::vector<std::string>& Schema::not_enforced() const noexcept { return program_->not_enforced; }

}  // namespace sallyport::schema
