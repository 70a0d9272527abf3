#include "engines/policy/policy.h"

#include <sallyport_policy.h>

#include <algorithm>

namespace sallyport::policy {
namespace {

SpView view(std::string_view text) { return {text.data() == nullptr ? "" : text.data(), text.size()}; }

// Takes over a text of the library.
std::string take(SpText text) {
  std::string out;
  if (text.data != nullptr) out.assign(text.data, text.size);
  sp_policy_text_free(text);
  return out;
}

struct Closer {
  void operator()(SpEngine* engine) const { sp_policy_engine_free(engine); }
};
using EnginePtr = std::unique_ptr<SpEngine, Closer>;

EnginePtr compile(const Modules& modules, CompileError& error) {
  std::vector<SpModule> list;
  list.reserve(modules.size());
  for (const auto& [name, source] : modules) list.push_back({view(name), view(source)});
  SpCompileError raw{};
  EnginePtr engine(sp_policy_engine_new(list.data(), list.size(), &raw));
  if (!engine) error = {take(raw.file), raw.line, raw.column, take(raw.message)};
  return engine;
}

Modules without_tests(const Modules& modules) {
  Modules out;
  std::ranges::copy_if(modules, std::back_inserter(out), [](const auto& m) { return !is_test_file(m.first); });
  return out;
}

std::string describe(const CompileError& error) {
  return error.file + ":" + std::to_string(error.line) + ":" + std::to_string(error.column) + ": " + error.message;
}

std::vector<std::string> split_reasons(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const auto end = std::min(text.find('\0'), text.size());
    out.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

std::uint64_t nanoseconds(std::chrono::nanoseconds budget) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(budget.count(), 1));
}

}  // namespace

bool is_test_file(std::string_view name) noexcept { return name.ends_with("_test.rego"); }

std::map<std::string, std::vector<std::string>> packages_of(const Modules& modules) {
  std::map<std::string, std::vector<std::string>> out;
  for (const auto& [file, source] : modules) {
    if (!is_test_file(file)) out[package_of(source)].push_back(file);
  }
  out.erase("");
  return out;
}

std::vector<std::string_view> missing_packages(const Modules& modules) {
  std::vector<std::string_view> out(kAskedPackages.begin(), kAskedPackages.end());
  const auto there = packages_of(modules);
  std::erase_if(out, [&](std::string_view package) { return there.contains(std::string(package)); });
  return out;
}

std::optional<CompileError> check(const Modules& modules) {
  CompileError error;
  if (compile(modules, error)) return std::nullopt;
  return error;
}

struct Compiled::Impl {
  EnginePtr engine;
  Reads reads;
};

Compiled::Compiled(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Compiled::~Compiled() = default;

Result<std::shared_ptr<const Compiled>> Compiled::of(const Modules& modules) {
  const Modules deciding = without_tests(modules);
  CompileError error;
  auto engine = compile(deciding, error);
  if (!engine) return fail(Code::config, describe(error));
  return std::shared_ptr<const Compiled>(new Compiled(std::make_unique<Impl>(std::move(engine), analyse(deciding))));
}

struct PolicyEngine::Impl {
  struct InForce {
    EnginePtr engine;
    std::optional<std::uint64_t> epoch;  // none: not from a PolicySet, or broken
    Reads reads;
  };
  InForce now;
  InForce before;

  Result<void> take(const PolicySet& policy) {
    now = {nullptr, policy.epoch, {}};
    std::shared_ptr<const Compiled> compiled = policy.compiled;
    if (!compiled) {
      SP_TRY(compiled, Compiled::of(policy.modules));
    }
    now.engine.reset(sp_policy_engine_clone(compiled->impl_->engine.get()));
    now.reads = compiled->impl_->reads;
    if (!now.engine) return fail(Code::internal, "the compiled policies cannot be copied");
    return {};
  }

  // An engine that broke (a panic inside) is made anew at the next use().
  [[nodiscard]] std::unexpected<Error> failure(std::int32_t status, SpText text) {
    if (status == SP_POLICY_PANIC) now.epoch.reset();
    return fail(Code::internal, policy::take(text));
  }
};

PolicyEngine::PolicyEngine() : impl_(std::make_unique<Impl>()) {}
PolicyEngine::PolicyEngine(PolicyEngine&&) noexcept = default;
PolicyEngine& PolicyEngine::operator=(PolicyEngine&&) noexcept = default;
PolicyEngine::~PolicyEngine() = default;

const Reads& PolicyEngine::reads() const noexcept { return impl_->now.reads; }

SpEngine* PolicyEngine::handle() noexcept { return impl_->now.engine.get(); }

Result<void> PolicyEngine::use(const PolicySet& policy) {
  if (impl_->now.epoch != policy.epoch) {
    std::swap(impl_->now, impl_->before);
    if (impl_->now.epoch != policy.epoch) return impl_->take(policy);
  }
  if (impl_->now.engine) return {};
  return fail(Code::config, "the policies in force do not compile");
}

Result<void> PolicyEngine::use_all(const Modules& modules, std::string_view data_json) {
  impl_->now = {};
  CompileError error;
  EnginePtr engine = compile(modules, error);
  if (!engine) return fail(Code::config, describe(error));
  SpText wrong{};
  if (sp_policy_engine_add_data(engine.get(), view(data_json), &wrong) != SP_POLICY_OK) {
    return fail(Code::config, "data: " + take(wrong));
  }
  impl_->now = {std::move(engine), std::nullopt, analyse(modules)};
  return {};
}

void PolicyEngine::set_strict(bool strict) {
  if (impl_->now.engine) sp_policy_engine_set_strict(impl_->now.engine.get(), strict ? 1 : 0);
}

Result<PolicyAnswer> PolicyEngine::evaluate(std::string_view package, std::string_view input_json,
                                            std::optional<std::string_view> arguments_json,
                                            std::chrono::nanoseconds budget, bool with_obligations) {
  if (!impl_->now.engine) return fail(Code::internal, "no policy is in force");
  // What no rule reads need not be parsed.
  const bool pass = arguments_json.has_value() && impl_->now.reads.has(Field::arguments);
  SpDecision raw{};
  SpText error{};
  const auto status =
      sp_policy_decide(impl_->now.engine.get(), view(package), view(input_json),
                       pass ? view(*arguments_json) : SpView{nullptr, 0}, with_obligations ? 1 : 0,
                       nanoseconds(budget), &raw, &error);
  const std::string reasons = take(raw.reasons);
  std::string obligations = take(raw.obligations);
  if (status != SP_POLICY_OK) return impl_->failure(status, error);
  return PolicyAnswer{raw.allow == 1, raw.deny != 0, split_reasons(reasons), std::move(obligations)};
}

Result<std::string> PolicyEngine::query(std::string_view query, std::string_view input_json,
                                        std::chrono::nanoseconds budget) {
  if (!impl_->now.engine) return fail(Code::internal, "no policy is in force");
  SpText result{};
  SpText error{};
  const auto status =
      sp_policy_query(impl_->now.engine.get(), view(query), view(input_json), nanoseconds(budget), &result, &error);
  std::string text = take(result);
  if (status != SP_POLICY_OK) return impl_->failure(status, error);
  return text;
}

}  // namespace sallyport::policy
