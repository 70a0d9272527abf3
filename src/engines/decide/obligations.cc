#include "engines/decide/obligations.h"

#include <algorithm>
#include <limits>
#include <string>

#include "json/document.h"

namespace sallyport::decide_internal {
namespace {

constexpr std::size_t kNamesMax = 256;
constexpr std::size_t kNameBytesMax = 256;

[[nodiscard]] std::unexpected<Error> wrong(std::string_view name, std::string_view wanted) {
  return fail(Code::internal, "obligation \"" + std::string(name.substr(0, 64)) + "\" " + std::string(wanted));
}

void add(std::vector<std::string>& names, std::string_view name) {
  const auto place = std::ranges::lower_bound(names, name);
  if (place == names.end() || *place != name) names.emplace(place, name);
}

Result<void> redact(const json::Value& value, Obligations& out) {
  if (!value.is_array()) return wrong("redact", "is not a list of names");
  for (const json::Value item : value.elements()) {
    const auto name = item.as_string();
    if (!name || name->empty() || name->size() > kNameBytesMax) return wrong("redact", "has what is no name");
    add(out.redact, *name);
    if (out.redact.size() > kNamesMax) return wrong("redact", "has more than 256 names");
  }
  return {};
}

Result<void> flag(std::string_view name, const json::Value& value, bool& out) {
  const auto set = value.as_bool();
  if (!set) return wrong(name, "is neither true nor false");
  out = out || *set;
  return {};
}

Result<void> limit(const json::Value& value, Obligations& out) {
  const auto calls = value.as_int64();
  if (!calls || *calls < 1 || *calls > std::numeric_limits<std::uint32_t>::max()) {
    return wrong("calls_per_minute", "is no whole number from 1 to 4294967295");
  }
  out.calls_per_minute = std::min(out.calls_per_minute.value_or(std::numeric_limits<std::uint32_t>::max()),
                                  static_cast<std::uint32_t>(*calls));
  return {};
}

Result<void> read_one(const json::Value& object, Obligations& out) {
  if (!object.is_object())
    return fail(Code::internal, "an obligation is no object: " + std::string(object.raw().substr(0, 64)));
  for (const auto [name, value] : object.members()) {
    Result<void> read;
    if (name == "redact") {
      read = redact(value, out);
    } else if (name == "require_approval") {
      read = flag(name, value, out.require_approval);
    } else if (name == "log_full") {
      read = flag(name, value, out.log_full);
    } else if (name == "calls_per_minute") {
      read = limit(value, out);
    } else {
      return wrong(name, "is unknown");
    }
    if (!read) return read;
  }
  return {};
}

}  // namespace

Result<ObligationsPtr> read_obligations(std::string_view json) {
  SP_TRY(const json::Document document,
         json::read(json, {.bytes_max = 1U << 20U, .depth_max = 8, .nodes_max = 20'000}));
  Obligations out;
  if (document.root().is_array()) {
    for (const json::Value one : document.root().elements()) {
      SP_CHECK(read_one(one, out));
    }
  } else {
    SP_CHECK(read_one(document.root(), out));
  }
  return out == Obligations{} ? nullptr : std::make_shared<const Obligations>(std::move(out));
}

ObligationsPtr unite(const ObligationsPtr& a, const ObligationsPtr& b) {
  if (!a || !b) return a ? a : b;
  Obligations both = *a;
  for (const std::string& name : b->redact) add(both.redact, name);
  both.require_approval = a->require_approval || b->require_approval;
  both.log_full = a->log_full || b->log_full;
  if (b->calls_per_minute) {
    both.calls_per_minute = std::min(*b->calls_per_minute, a->calls_per_minute.value_or(*b->calls_per_minute));
  }
  return std::make_shared<const Obligations>(std::move(both));
}

}  // namespace sallyport::decide_internal
