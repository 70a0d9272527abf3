// Steps of a change on the disk at which the crash test ends the process as `kill -9` does (issue 6):
// `fault_point("backup.draft");` stands just after what its name says was done. Nothing at all but in a build with
// AddressSanitizer, which is never the one that serves; nothing there either until a test arms it in its own process: no
// file, argument or environment variable can. A name that is not in the list does not compile; the crash test walks the
// list. Any thread.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

#if defined(__SANITIZE_ADDRESS__)
#define SALLYPORT_FAULTS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SALLYPORT_FAULTS 1
#endif
#endif

namespace sallyport {

inline constexpr auto kFaultPoints = std::to_array<std::string_view>({
    // making a backup: control/backup/create.cc, shelf.cc
    "backup.snapshot",  // the database is copied
    "backup.draft",  // the draft is there and empty
    "backup.part",  // one file is written into it
    "backup.written",  // it is complete and synced
    "backup.named",  // it has its name
    "backup.pruned",  // one old backup is removed
    // restoring one: control/backup/restore.cc, reader.cc
    "restore.scratch",  // the folder of what is restored is made
    "restore.part",  // one file is written into it
    "restore.checked",  // all of it is written, synced and checked
    "restore.drafted",  // the database is written beside the place outside of the home where it belongs
    "restore.marked",  // from here on the home is the restored one
    "restore.aside",  // one part of the former home is out of the way
    "restore.named",  // one part of the restored one is in its place
    "restore.unmarked",  // all are
    // keys/keyring and keys/master.key: crypto/private_file.cc
    "keyring.draft",  // the draft is there and empty
    "keyring.written",  // it is complete and synced
    "keyring.linked",  // a first file has its name; its draft is still there
    "keyring.checked",  // the draft of a replacement was read back
    "keyring.named",  // it has taken the name
    "keyring.removed",  // the key file that no longer opens anything is gone
    // rows of the vault: storage/vault.cc
    "vault.rewrapping",  // data keys are wrapped anew, not yet committed
    "vault.rewrapped",  // they are
    "vault.unkeyed",  // the data key of a version is destroyed, its ciphertext is still there
    "exchange.kept",  // a key pair of the key exchange is stored, or wrapped anew
    // keys of API keys and of tokens: control/hash_key_desk.cc, token_key_desk.cc
    "hash_keys.stored",  // the generations that there are, one more or some fewer, are stored
    "hash_keys.turned",  // one API key is stored under its fresh hash
    "token_keys.stored",  // the signing keys that there are are stored
});

class FaultPoint {
 public:
  consteval FaultPoint(const char* name) : place_(place_of(name)) {}  // NOLINT(google-explicit-constructor)
  [[nodiscard]] constexpr std::size_t place() const noexcept { return place_; }

 private:
  static void is_not_in_the_list() {}  // not a constant: whoever calls it does not compile
  static consteval std::size_t place_of(std::string_view name) {
    const auto found = std::ranges::find(kFaultPoints, name);
    if (found == kFaultPoints.end()) is_not_in_the_list();
    return static_cast<std::size_t>(found - kFaultPoints.begin());
  }
  std::size_t place_;
};

#ifdef SALLYPORT_FAULTS
void fault_point(FaultPoint point) noexcept;

// For tests. The process ends at the hit-th time (from 1) that it comes to the point of that place in kFaultPoints; with
// kAnyFaultPoint, at the hit-th of all. Counts anew. hit 0: it only counts.
inline constexpr std::size_t kAnyFaultPoint = kFaultPoints.size();
void arm_fault(std::size_t place, unsigned hit) noexcept;
// How often it came to each point since.
std::array<unsigned, kFaultPoints.size()> fault_hits() noexcept;
#else
inline void fault_point(FaultPoint) noexcept {}
#endif

}  // namespace sallyport
