// What is kept of the versions of the policies, and what keeps it for good. Plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/clock.h"
#include "core/result.h"

namespace sallyport::control {

// A set of policies that this gateway has known, without its sources: those are read when somebody asks for them.
struct PolicyVersion {
  std::uint64_t number = 0;  // from 1; never given twice
  std::string source;        // "shipped", "folder", "bundle", "activated"
  std::string author;        // principal id; "system", "folder"
  std::string reason;
  WallTime created_at{};
  std::string digest;       // SHA-256 of names and sources, hex
  std::uint64_t files = 0;  // how many
  // Of the last time that it was put in force; nullopt: it is a candidate.
  std::optional<WallTime> activated_at;
  std::string activated_by;
  std::string activation_reason;
  std::uint64_t before = 0;  // what was in force before; 0: nothing
};

// Numbers of versions; 0: none.
struct PolicyState {
  std::uint64_t active = 0;
  std::uint64_t shadow = 0;
  std::uint64_t read = 0;    // what the folder, or what ships, held when it was read last
  std::uint64_t newest = 0;  // the last number given
};

using PolicyModules = std::vector<std::pair<std::string, std::string>>;  // file name, source

struct PolicyWrite {
  std::vector<PolicyVersion> versions;                               // inserted, or in place of what has the number
  std::optional<std::pair<std::uint64_t, PolicyModules>> modules{};  // of a version that is new
  std::vector<std::uint64_t> forgotten{};  // with their modules; unknown ones are passed over
  PolicyState state;
};

// Each call is one durable transaction; error `storage`.
class PolicyStore {
 public:
  virtual ~PolicyStore() = default;
  virtual Result<void> write_policies(const PolicyWrite& write) = 0;  // all of it or nothing
  virtual Result<PolicyModules> policy_modules(std::uint64_t version) = 0;  // in the order given; not_found
};

}  // namespace sallyport::control
