#include "app/bundle_age.h"

#include <charconv>

#include "engines/bundle/signature.h"

namespace sallyport::app {
namespace {

constexpr std::string_view kName = "policy_bundle_iat";

}  // namespace

BundleAge::BundleAge(control::Repository& store, const Clock& clock, const config::Settings& settings)
    : store_(&store),
      clock_(&clock),
      signed_(!settings.policy.bundle.empty() && !settings.policy.bundle_key.empty()),
      older_allowed_(settings.policy.bundle_allow_older) {}

Result<std::optional<std::int64_t>> BundleAge::newest() const {
  SP_TRY(const auto text, store_->get_meta(kName));
  if (!text || text->empty()) return std::nullopt;
  std::int64_t at = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), at);
  if (error == std::errc() && end == text->data() + text->size()) return at;
  return fail(Code::storage, "policy_bundle_iat in the database is no number");
}

Result<void> BundleAge::check(std::optional<std::int64_t> issued_at) const {
  if (!signed_) return {};
  SP_TRY(const auto former, newest());
  const bool again = former && former == issued_at;
  return bundle::check_age(older_allowed_ && !again ? std::nullopt : former, issued_at, clock_->wall());
}

Result<void> BundleAge::keep(std::optional<std::int64_t> issued_at) {
  if (!signed_) return {};
  SP_TRY(const auto former, newest());
  if (former == issued_at) return {};
  return store_->put_meta(kName, issued_at ? std::to_string(*issued_at) : "");
}

}  // namespace sallyport::app
