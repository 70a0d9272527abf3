#include "control/backup/shelf.h"

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <ranges>
#include <set>

#include "control/backup/files.h"
#include "control/backup/reader.h"
#include "core/fault_point.h"

namespace sallyport::backup {
namespace {

namespace fs = std::filesystem;
constexpr std::string_view kPrefix = "sallyport-", kSuffix = ".backup", kDraft = ".draft", kDamaged = ".damaged";
constexpr std::size_t kBackupsMax = 10'000;
constexpr std::size_t kNameBytes = 10 + 16 + 1 + 8 + 7;

// What a head says that is not authentic is no id: whoever can write to the folder can write that.
const Shelved* by_id(const std::vector<Shelved>& all, std::string_view id) {
  const auto found =
      std::ranges::find_if(all, [&](const Shelved& one) { return one.authentic && one.header.id == id; });
  return found == all.end() ? nullptr : &*found;
}

// What the name of a file of this home ends with that is no backup yet, or none any more.
std::string own_suffix(const HomeKeys& keys, std::string_view what) {
  return (keys.owner.empty() ? "" : "." + keys.owner) + std::string(what);
}

bool head_opens(const std::string& path, const Unlock& unlock) {
  const auto header = read_head(path);
  return header && open_key(*header, unlock);
}

// Names of the regular files of this folder that end so. It alone is read: what lies in a folder of it (lost+found) is nobody's here.
Result<std::vector<std::string>> files_ending(const std::string& folder, std::string_view suffix) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator at(folder, error); !error && at != fs::directory_iterator(); at.increment(error)) {
    std::string name = at->path().filename().string();
    if (!name.starts_with(kPrefix) || !name.ends_with(suffix)) continue;
    if (names.size() >= 2 * kBackupsMax) return fail(Code::limit, "too many files in " + folder);
    std::error_code unknown;
    if (at->symlink_status(unknown).type() == fs::file_type::regular) names.push_back(std::move(name));
  }
  if (error) return fail(Code::io, "read the folder " + folder + ": " + error.message());
  return names;
}

// The manifest of one with that id, from whichever of its copies opens.
Result<Manifest> manifest_of(const std::string& folder, const std::vector<Shelved>& all, const std::string& id,
                             const Unlock& unlock) {
  std::unexpected<Error> why = fail(Code::not_found, "the backup " + id + " is not there");
  for (const Shelved& one : all) {
    if (!one.authentic || one.header.id != id) continue;
    auto backup = Backup::open(folder + "/" + one.name, unlock);
    if (backup) return backup->manifest();
    why = fail(backup.error().code, one.name + " does not open: " + backup.error().detail);
  }
  return why;
}

// Ids of what those stand on, themselves included. Each of them opens, or this is Code::conflict.
Result<std::set<std::string>> stood_on(const std::string& folder, const std::vector<Shelved>& all,
                                       const std::set<std::string>& kept, const Unlock& unlock) {
  std::set<std::string> needed;
  std::vector<std::string> next(kept.begin(), kept.end());
  while (!next.empty()) {
    const std::string id = std::move(next.back());
    next.pop_back();
    if (id.empty() || !needed.insert(id).second) continue;
    const auto manifest = manifest_of(folder, all, id, unlock);
    if (!manifest) {
      return fail(Code::conflict, "what a backup in " + folder + " that is to be kept stands on cannot be read: " +
                                      manifest.error().detail + "; none is removed until it can, or until newer ones " +
                                      "have taken its place; fix: bring that file back");
    }
    next.push_back(manifest->base);
    for (const Entry& entry : manifest->entries) next.push_back(entry.from);
  }
  return needed;
}

Result<void> remove_drafts(const std::string& folder, const Unlock& unlock) {
  const std::string own = std::string(kSuffix) + (unlock.home != nullptr ? own_suffix(*unlock.home, kDraft) : "/");
  SP_TRY(const auto drafts, files_ending(folder, kDraft));
  for (const std::string& name : drafts) {
    const std::string path = folder + "/" + name;
    if (name.ends_with(own) || head_opens(path, unlock)) SP_CHECK(remove_all(path));
  }
  return {};
}

// Those of this home that are not needed, the newest first, since that is what stands on another.
Result<void> remove_others(const std::string& folder, const std::vector<Shelved>& all,
                           const std::set<std::string>& needed, Pruned& done) {
  for (const Shelved& one : all | std::views::reverse) {
    if (!one.authentic || needed.contains(one.header.id)) continue;
    SP_CHECK(remove_all(folder + "/" + one.name));
    done.gone.push_back(one.name);
    fault_point("backup.pruned");
  }
  return {};
}

}  // namespace

std::string file_name(const Header& header) {
  std::string time;  // "2026-11-22T13:45:00Z" without what a file name is better without
  for (const char c : iso_time(header.at)) {
    if (c != '-' && c != ':') time.push_back(c);
  }
  return std::string(kPrefix) + time + "-" + header.id.substr(0, 8) + std::string(kSuffix);
}

std::string draft_name(const Header& header, const HomeKeys& keys) {
  return file_name(header) + own_suffix(keys, kDraft);
}

bool is_file_name(std::string_view name) noexcept {
  if (name.size() != kNameBytes || !name.starts_with(kPrefix) || !name.ends_with(kSuffix)) return false;
  const auto middle = name.substr(kPrefix.size(), name.size() - kPrefix.size() - kSuffix.size());
  return std::ranges::all_of(middle, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || c == 'T' || c == 'Z' || c == '-';
  });
}

Result<std::vector<Shelved>> backups_in(const std::string& folder, std::vector<std::string>* broken) {
  std::vector<Shelved> all;
  if (!exists(folder)) return all;
  std::error_code error;
  for (fs::directory_iterator at(folder, error); !error && at != fs::directory_iterator(); at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (!is_file_name(name)) continue;
    if (all.size() >= kBackupsMax) return fail(Code::limit, "over 10,000 backups in " + folder);
    auto header = read_head(at->path().string());
    if (!header && header.error().code == Code::not_found) continue;  // removed since the folder named it
    std::error_code no_size;
    const auto size = fs::file_size(at->path(), no_size);
    if (header && !no_size) all.push_back({name, std::move(*header), size});
    else if (broken != nullptr) broken->push_back(name);
  }
  if (error) return fail(Code::io, "read the folder " + folder + ": " + error.message());
  std::ranges::sort(all, [](const Shelved& a, const Shelved& b) {
    return std::pair(a.header.at, a.name) < std::pair(b.header.at, b.name);
  });
  return all;
}

Result<std::vector<Shelved>> every_backup_in(const std::string& folder) {
  std::vector<std::string> broken;
  SP_TRY(auto all, backups_in(folder, &broken));
  if (broken.empty()) return all;
  return fail(Code::conflict, "the head of " + broken.front() + " in " + folder + " cannot be read (" +
                                  std::to_string(broken.size()) +
                                  " such files): which keys and backups it needs is not known, so none is removed; "
                                  "fix: make it readable, or move it out of the folder");
}

std::size_t chain_length(const std::vector<Shelved>& all, const Header& newest) {
  std::size_t count = 1;
  for (const Shelved* at = by_id(all, newest.base); at != nullptr && count <= all.size();) {
    ++count;
    at = by_id(all, at->header.base);
  }
  return count;
}

Result<std::string> set_aside(const std::string& folder, const std::string& name, const HomeKeys& keys) {
  const std::string suffix = own_suffix(keys, kDamaged);
  SP_TRY(const auto earlier, files_ending(folder, std::string(kSuffix) + suffix));
  for (const std::string& one : earlier) SP_CHECK(remove_all(folder + "/" + one));
  std::string aside = folder + "/" + name + suffix;
  SP_CHECK(rename_file(folder + "/" + name, aside));
  SP_CHECK(sync_folder(folder));
  return aside;
}

Result<void> drop(const std::string& folder, const std::vector<std::string>& names) {
  SP_TRY(const auto all, every_backup_in(folder));
  std::set<std::string> gone;
  for (const Shelved& one : all | std::views::reverse) {
    if (std::ranges::find(names, one.name) == names.end()) continue;
    const bool needed = std::ranges::any_of(
        all, [&](const Shelved& other) { return other.header.base == one.header.id && !gone.contains(other.name); });
    if (needed) continue;
    SP_CHECK(remove_all(folder + "/" + one.name));
    gone.insert(one.name);
  }
  return {};
}

void authenticate(const std::string& folder, std::vector<Shelved>& all, const Unlock& unlock) {
  for (Shelved& one : all) one.authentic = is_authentic(folder + "/" + one.name, unlock);
}

Result<Pruned> prune(const std::string& folder, std::size_t keep, const Unlock& unlock) {
  Pruned done;
  SP_TRY(auto all, every_backup_in(folder));
  authenticate(folder, all, unlock);
  std::set<std::string> kept, others;  // ids: a copy under another name is no backup more
  for (const Shelved& one : all | std::views::reverse) {
    if (!one.authentic) done.strange.push_back(one.name);
    else if (kept.size() < keep) kept.insert(one.header.id);
    else if (!kept.contains(one.header.id)) others.insert(one.header.id);
  }
  if (!others.empty()) {
    SP_TRY(const auto needed, stood_on(folder, all, kept, unlock));
    if (const auto removed = remove_others(folder, all, needed, done); !removed) done.failed = removed.error().detail;
  }
  const auto cleaned = exists(folder) ? remove_drafts(folder, unlock) : Result<void>();
  if (!cleaned && done.failed.empty()) done.failed = cleaned.error().detail;
  return done;
}

}  // namespace sallyport::backup
