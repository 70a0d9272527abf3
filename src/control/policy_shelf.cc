#include "control/policy_shelf.h"

#include <algorithm>

#include "control/names.h"
#include "control/policy_digest.h"
#include "core/encoding.h"
#include "crypto/hash.h"
#include "engines/policy/policy.h"

namespace sallyport::control {
namespace {

constexpr std::size_t kVersionsKept = 100;
constexpr std::size_t kFilesMax = 256;
constexpr std::size_t kBytesMax = 1U << 20;
constexpr std::size_t kFileNameMax = 128;
constexpr std::size_t kReasonMax = 500;
constexpr std::string_view kShipped = "shipped";
constexpr std::string_view kFolder = "folder";
constexpr std::string_view kActivated = "activated";
constexpr std::string_view kSystem = "system";

Result<void> check_modules(const PolicyModules& modules) {
  if (modules.empty() || modules.size() > kFilesMax) return fail(Code::validation, "modules: 1 to 256 files");
  std::size_t bytes = 0;
  std::vector<std::string_view> names;
  for (const auto& [name, source] : modules) {
    SP_CHECK(check_name(name, "the name of a module"));
    const bool good = name.size() <= kFileNameMax && name.ends_with(".rego") && name.find('/') == std::string::npos;
    if (!good) return fail(Code::validation, "modules: a name is a file's, ends in .rego, at most 128 bytes: " + name);
    bytes += source.size();
    names.push_back(name);
  }
  if (bytes > kBytesMax) return fail(Code::validation, "modules: at most 1 MiB together");
  std::ranges::sort(names);
  const auto twice = std::ranges::adjacent_find(names);
  if (twice != names.end()) return fail(Code::validation, "modules: " + std::string(*twice) + " stands twice");
  return {};
}

Result<void> check_order(const PolicyOrder& order) {
  const bool plain = std::ranges::none_of(order.reason, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
  });
  if (!order.reason.empty() && order.reason.size() <= kReasonMax && plain) return {};
  return fail(Code::validation, "reason: one line of 1 to 500 bytes that says why");
}

std::string named(std::uint64_t number) { return "policy version " + std::to_string(number); }

}  // namespace

PolicyShelf::PolicyShelf(PolicyStore& store, const Clock& clock, Publish publish)
    : store_(store), clock_(clock), publish_(std::move(publish)) {}

const PolicyVersion* PolicyShelf::find(std::uint64_t number) const {
  const auto found = std::ranges::find(versions_, number, &PolicyVersion::number);
  return found == versions_.end() ? nullptr : &*found;
}

PolicyVersion PolicyShelf::make(const PolicyModules& modules, std::string source, PolicyOrder order) {
  PolicyVersion version;
  version.number = state_.newest + 1;
  version.source = std::move(source);
  version.author = std::move(order.author);
  version.reason = std::move(order.reason);
  version.created_at = clock_.wall();
  version.digest = digest_of_policies(modules);
  version.files = modules.size();
  return version;
}

// The oldest beyond those that are kept, but for those that something leans on.
std::vector<std::uint64_t> PolicyShelf::surplus(const PolicyState& state) const {
  std::vector<std::uint64_t> out;
  const std::size_t too_many = versions_.size() > kVersionsKept ? versions_.size() - kVersionsKept : 0;
  for (const PolicyVersion& version : versions_) {
    const bool needed =
        version.number == state.active || version.number == state.shadow || version.number == state.read;
    if (out.size() < too_many && !needed) out.push_back(version.number);
  }
  return out;
}

Result<void> PolicyShelf::write(std::vector<PolicyVersion> changed, PolicyState state,
                                std::optional<std::pair<std::uint64_t, PolicyModules>> modules) {
  std::vector<PolicyVersion> before = versions_;
  for (const PolicyVersion& version : changed) {
    const auto found = std::ranges::find(versions_, version.number, &PolicyVersion::number);
    if (found != versions_.end()) *found = version;
    else versions_.push_back(version);
  }
  PolicyWrite order{std::move(changed), std::move(modules), surplus(state), state};
  if (auto written = store_.write_policies(order); !written) {
    versions_ = std::move(before);
    return written;
  }
  std::erase_if(versions_, [&](const auto& version) {
    return std::ranges::find(order.forgotten, version.number) != order.forgotten.end();
  });
  state_ = state;
  return {};
}

PolicySetPtr PolicyShelf::set_of(const PolicyVersion& version, PolicyModules modules,
                                 std::shared_ptr<const policy::Compiled> compiled) {
  PolicySet set;
  set.epoch = ++epoch_;
  set.modules = std::move(modules);
  set.compiled = std::move(compiled);
  set.version = version.number;
  set.source = version.source;
  set.author = version.author;
  set.reason = version.reason;
  set.created_at = version.created_at;
  return std::make_shared<const PolicySet>(std::move(set));
}

Result<PolicySetPtr> PolicyShelf::compiled(const PolicyVersion& version, bool force) {
  SP_TRY(PolicyModules modules, store_.policy_modules(version.number));
  if (const auto missing = policy::missing_packages(modules); !force && !missing.empty()) {
    return fail(Code::conflict, named(version.number) + " has no package " + std::string(missing.front()) +
                                    ": whatever it is asked is refused, to those who could mend it too; say force to "
                                    "put it in force all the same");
  }
  auto ready = policy::Compiled::of(modules);
  if (!ready) return fail(Code::conflict, named(version.number) + " does not compile: " + ready.error().detail);
  return set_of(version, std::move(modules), std::move(*ready));
}

Result<void> PolicyShelf::load(std::vector<PolicyVersion> versions, PolicyState state, PolicySet found) {
  versions_ = std::move(versions);
  state_ = state;
  SP_TRY(at_start_, read(std::move(found), "read at start"));
  return restore();
}

// What is in force and what is tried, as the store has them.
Result<void> PolicyShelf::restore() {
  const PolicyVersion* const version = find(state_.active);
  if (version != nullptr && active_->version != version->number) {
    SP_TRY(PolicyModules modules, store_.policy_modules(version->number));
    auto ready = policy::Compiled::of(modules);
    if (!ready) fault_ = named(version->number) + ", which is in force, does not compile: " + ready.error().detail;
    active_ = set_of(*version, std::move(modules), ready ? *ready : nullptr);
  }
  const PolicyVersion* const candidate = find(state_.shadow);
  if (candidate == nullptr) return {};
  if (auto set = compiled(*candidate, true))
    shadow_ = std::move(*set);  // else it is tried no more until somebody says so
  return {};
}

Result<PolicyReading> PolicyShelf::read(PolicySet found, std::string_view reason) {
  const PolicyVersion* const last = find(state_.read);
  if (last != nullptr && last->source == found.source && last->digest == digest_of_policies(found.modules)) {
    return PolicyReading{*last, false, false, state_.active};
  }
  PolicyReading reading;
  reading.former = state_.active;
  reading.fresh = true;
  const std::string author(found.source == kFolder ? kFolder : kSystem);
  const std::string why = std::string(reason) + (found.reason.empty() ? "" : ", " + found.reason);
  reading.version = make(found.modules, found.source, {author, why, true});
  const PolicyVersion* const former = find(state_.active);
  reading.activated = former == nullptr || found.source != kShipped || former->activated_by == kSystem;
  PolicyState state = state_;
  state.newest = state.read = reading.version.number;
  if (reading.activated) {
    state.active = reading.version.number;
    reading.version.activated_at = reading.version.created_at;
    reading.version.activated_by = kSystem;
    reading.version.activation_reason = why;
    reading.version.before = reading.former;
  }
  SP_CHECK(write({reading.version}, state, std::pair{reading.version.number, found.modules}));
  if (!reading.activated) return reading;
  fault_.clear();
  active_ = set_of(reading.version, std::move(found.modules), std::move(found.compiled));
  return reading;
}

PolicyList PolicyShelf::list() const { return {{versions_.rbegin(), versions_.rend()}, state_}; }

Result<PolicyModules> PolicyShelf::modules(std::uint64_t number) {
  if (find(number) == nullptr) return fail(Code::not_found, "no " + named(number));
  return store_.policy_modules(number);
}

Task<Result<PolicyVersion>> PolicyShelf::add(PolicyModules modules, PolicyOrder order) {
  SP_CO_CHECK(check_order(order));
  SP_CO_CHECK(check_modules(modules));
  if (const auto fault = policy::check(modules)) {
    co_return fail(Code::validation, fault->file + ":" + std::to_string(fault->line) + ":" +
                                         std::to_string(fault->column) + ": " + fault->message);
  }
  PolicyVersion version = make(modules, std::string(kActivated), std::move(order));
  PolicyState state = state_;
  state.newest = version.number;
  SP_CO_CHECK(write({version}, state, std::pair{version.number, std::move(modules)}));
  co_return version;
}

Task<Result<PolicyMove>> PolicyShelf::put_in_force(PolicyVersion version, PolicyOrder order, bool back) {
  SP_CO_CHECK(check_order(order));
  if (version.number == state_.active) co_return fail(Code::conflict, named(version.number) + " is in force already");
  SP_CO_TRY(PolicySetPtr set, compiled(version, order.force));
  PolicyState state = state_;
  state.active = version.number;
  if (state.shadow == version.number) state.shadow = 0;
  if (!back) version.before = state_.active;
  version.activated_at = clock_.wall();
  version.activated_by = std::move(order.author);
  version.activation_reason = std::move(order.reason);
  PolicyMove move{version, state_.active};
  SP_CO_CHECK(write({std::move(version)}, state));
  active_ = std::move(set);
  if (state.shadow == 0) shadow_.reset();
  fault_.clear();
  SP_CO_CHECK(co_await publish_(active_, shadow_));
  co_return move;
}

Task<Result<PolicyMove>> PolicyShelf::activate(std::uint64_t number, PolicyOrder order) {
  const PolicyVersion* const found = find(number);
  if (found == nullptr) co_return fail(Code::not_found, "no " + named(number));
  co_return co_await put_in_force(*found, std::move(order), false);
}

Task<Result<PolicyMove>> PolicyShelf::roll_back(std::optional<std::uint64_t> to, PolicyOrder order) {
  const PolicyVersion* const active = find(state_.active);
  const PolicyVersion* const found = find(to.value_or(active != nullptr ? active->before : 0));
  if (to && found == nullptr) co_return fail(Code::not_found, "no " + named(*to));
  if (found == nullptr) co_return fail(Code::conflict, "nothing is kept that was in force before: name a version");
  if (!found->activated_at) co_return fail(Code::conflict, named(found->number) + " was never in force: activate it");
  co_return co_await put_in_force(*found, std::move(order), true);
}

Task<Result<void>> PolicyShelf::remove(std::uint64_t number) {
  const PolicyVersion* const found = find(number);
  if (found == nullptr) co_return fail(Code::not_found, "no " + named(number));
  if (found->activated_at) co_return fail(Code::conflict, named(number) + " was in force: it stays in the history");
  if (number == state_.shadow) co_return fail(Code::conflict, named(number) + " is tried: end that first");
  if (number == state_.read) co_return fail(Code::conflict, named(number) + " is what ships: it stays");
  SP_CO_CHECK(store_.write_policies({.versions = {}, .forgotten = {number}, .state = state_}));
  std::erase_if(versions_, [number](const auto& version) { return version.number == number; });
  co_return Result<void>{};
}

Task<Result<PolicyVersion>> PolicyShelf::set_shadow(std::uint64_t number) {
  const PolicyVersion* const found = find(number);
  if (number != 0 && found == nullptr) co_return fail(Code::not_found, "no " + named(number));
  if (number == 0 && state_.shadow == 0) co_return fail(Code::not_found, "no candidate is tried");
  if (number == state_.active) co_return fail(Code::conflict, named(number) + " is in force: nothing is to be tried");
  PolicySetPtr set;
  if (found != nullptr) {
    SP_CO_TRY(set, compiled(*found, true));
  }
  const PolicyVersion version = found != nullptr ? *found : PolicyVersion{};
  PolicyState state = state_;
  state.shadow = number;
  SP_CO_CHECK(write({}, state));
  shadow_ = std::move(set);
  SP_CO_CHECK(co_await publish_(active_, shadow_));
  co_return version;
}

}  // namespace sallyport::control
