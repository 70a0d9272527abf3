// When the newest signed bundle that was in force was signed, kept in the store, so that an old one does not come back unasked.
// On the control executor, or before there are threads.
#pragma once

#include <cstdint>
#include <optional>

#include "config/config.h"
#include "control/repository.h"

namespace sallyport::app {

class BundleAge {
 public:
  // Copies what it needs of the settings; the others outlive it.
  BundleAge(control::Repository& store, const Clock& clock, const config::Settings& settings);

  // May it come into force? Errors: those of bundle::check_age; Code::storage. Nothing is asked of a bundle that need not be
  // signed; where policy.bundle_allow_older says so, it may be older.
  [[nodiscard]] Result<void> check(std::optional<std::int64_t> issued_at) const;
  // It is in force now. Code::storage.
  Result<void> keep(std::optional<std::int64_t> issued_at);

 private:
  [[nodiscard]] Result<std::optional<std::int64_t>> newest() const;

  control::Repository* store_;
  const Clock* clock_;
  bool signed_;
  bool older_allowed_;
};

}  // namespace sallyport::app
