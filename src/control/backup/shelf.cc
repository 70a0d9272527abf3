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

const Shelved* by_id(const std::vector<Shelved>& all, std::string_view id) {
  const auto found = std::ranges::find_if(all, [&](const Shelved& one) { return one.header.id == id; });
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

Result<std::string> find_by_id(const std::string& folder, std::string_view id) {
  SP_TRY(const auto all, backups_in(folder.empty() ? "." : folder));
  if (const Shelved* const found = by_id(all, id)) return folder + found->name;
  return fail(Code::not_found, "the backup " + std::string(id) + " that this one adds to is not beside it");
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
  std::vector<std::string> ignored;
  SP_TRY(const auto files, files_below(folder, 2 * kBackupsMax, ignored));
  for (const Found& file : files) {
    if (file.name.starts_with(kPrefix) && file.name.ends_with(std::string(kSuffix) + suffix)) {
      SP_CHECK(remove_all(file.path));
    }
  }
  std::string aside = folder + "/" + name + suffix;
  SP_CHECK(rename_file(folder + "/" + name, aside));
  SP_CHECK(sync_folder(folder));
  return aside;
}

Result<void> drop(const std::string& folder, const std::vector<std::string>& names) {
  SP_TRY(const auto all, every_backup_in(folder));
  for (const Shelved& one : all | std::views::reverse) {
    if (std::ranges::find(names, one.name) == names.end()) continue;
    const bool needed =
        std::ranges::any_of(all, [&](const Shelved& other) { return other.header.base == one.header.id; });
    if (!needed) SP_CHECK(remove_all(folder + "/" + one.name));
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
  std::set<std::string> needed;
  std::size_t kept = 0;
  for (const Shelved& one : all | std::views::reverse) {
    if (!one.authentic) {
      done.strange.push_back(one.name);
      continue;
    }
    if (kept++ >= keep) continue;
    for (const Shelved* at = &one; at != nullptr && needed.insert(at->header.id).second;) {
      at = by_id(all, at->header.base);
    }
  }
  for (const Shelved& one : all | std::views::reverse) {  // what stands on another goes first
    if (!one.authentic || needed.contains(one.header.id)) continue;
    SP_CHECK(remove_all(folder + "/" + one.name));
    done.gone.push_back(one.name);
    fault_point("backup.pruned");
  }
  std::vector<std::string> ignored;
  SP_TRY(const auto files, files_below(folder, 2 * kBackupsMax, ignored));
  const std::string own_draft =
      std::string(kSuffix) + (unlock.home != nullptr ? own_suffix(*unlock.home, kDraft) : "/");
  for (const Found& file : files) {
    if (!file.name.starts_with(kPrefix) || !file.name.ends_with(kDraft)) continue;
    if (file.name.ends_with(own_draft) || head_opens(file.path, unlock)) SP_CHECK(remove_all(file.path));
  }
  return done;
}

}  // namespace sallyport::backup
