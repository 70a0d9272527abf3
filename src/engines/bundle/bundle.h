// OPA bundles for the embedded engine (OPA, Bundles): *.rego, data.json, .manifest with revision and roots, signed or not. Data
// becomes modules: data.json {"limits": {"rows": 5}} is "package limits" with "rows := 5", so that one kind of thing is compiled,
// versioned and compared. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "engines/bundle/files.h"
#include "engines/policy/policy.h"

namespace sallyport::bundle {

struct Bundle {
  std::string revision;  // of the manifest; empty: it names none
  std::optional<std::int64_t> issued_at;  // of the signature, where it was verified and says so
  policy::Modules modules;  // sorted by name; none of them compiled yet
};

// Code::validation with the reason: a manifest or data that is no JSON, a package or data outside of the roots, data that no
// rule can say, a form that is not read here (YAML, WebAssembly, a delta). A bundle without Rego is refused.
Result<Bundle> read_bundle(const Files& files);

}  // namespace sallyport::bundle
