#include "control/secret_resolver.h"

#include <algorithm>

namespace sallyport::control {
namespace {

std::string schemes_of(const std::map<std::string, std::unique_ptr<SecretSource>, std::less<>>& sources) {
  std::string out;
  for (const auto& [scheme, source] : sources) out += (out.empty() ? "${" : ", ${") + scheme + ":...}";
  return out;
}

}  // namespace

Task<Result<Secret>> SecretResolver::fetch(SecretSource& source, std::string name, std::string inner, SecretUse use) {
  const std::string reference = "${" + inner + "}";
  auto found = co_await source.fetch(std::move(name), use);
  if (!found) found = fail(Code::config, reference + ": " + found.error().detail);
  if (!found) {
    (void)note_(reference, use, fail(found.error()));
    co_return found;
  }
  if (source.kept_for().count() != 0) {
    if (kept_.size() >= kKeptMax) kept_.clear();
    kept_[inner] = {found->clone(), clock_.steady()};
  }
  co_return given(inner, use, std::move(*found));
}

Result<Secret> SecretResolver::given(const std::string& inner, const SecretUse& use, Secret value) {
  SP_CHECK(note_("${" + inner + "}", use, Result<void>()));
  return value;
}

Task<Result<Secret>> SecretResolver::value_of(std::string inner, SecretUse use) {
  const auto colon = std::min(inner.find(':'), inner.size());
  const auto source = sources_.find(std::string_view(inner).substr(0, colon));
  if (source == sources_.end() || colon == inner.size()) {
    co_return fail(Code::config, "${" + inner + "}: no such source; there are " + schemes_of(sources_));
  }
  const auto kept = kept_.find(inner);
  const auto lasts = source->second->kept_for();
  const SteadyTime now = clock_.steady();
  const bool there = kept != kept_.end() && now < kept->second.at + lasts;
  Secret before = there ? kept->second.value.clone() : Secret();
  if (there && now < kept->second.at + lasts * 3 / 4) co_return given(inner, use, std::move(before));
  auto fresh = co_await fetch(*source->second, inner.substr(colon + 1), inner, use);
  if (!fresh && there && fresh.error().code == Code::config) co_return given(inner, use, std::move(before));
  co_return fresh;
}

Task<Result<Secret>> SecretResolver::resolve(std::string text, SecretUse use) {
  std::string out;
  std::string_view rest = text;
  for (std::size_t count = 0; !rest.empty(); ++count) {
    const auto at = std::min(rest.find("${"), rest.size());
    out.append(rest.substr(0, at));
    rest.remove_prefix(at);
    if (rest.empty()) break;
    const auto end = rest.find('}');
    if (end == std::string_view::npos || count >= kReferencesMax) {
      wipe(out);
      co_return fail(Code::config, "a malformed reference, or more than 16 of them");
    }
    const auto value = co_await value_of(std::string(rest.substr(2, end - 2)), use);
    if (!value) {
      wipe(out);
      co_return fail(value.error());
    }
    out.append(value->reveal());
    rest.remove_prefix(end + 1);
  }
  co_return Secret(std::move(out));
}

Task<void> SecretResolver::stop() {
  for (const auto& [scheme, source] : sources_) co_await source->stop();
}

}  // namespace sallyport::control
