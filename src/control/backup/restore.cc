#include "control/backup/restore.h"

#include <algorithm>
#include <array>
#include <filesystem>

#include "core/encoding.h"
#include "core/fault_point.h"
#include "json/document.h"
#include "json/writer.h"

namespace sallyport::backup {
namespace {

constexpr std::string_view kPending = "restore.pending", kScratchPrefix = ".restore-", kAsidePrefix = "before-restore-",
                           kNotePrefix = "restored-";
// What a home consists of, for a restore. The keys and the audit stay where the backup has none.
constexpr std::array kAlways{kDatabase,
                             std::string_view("sallyport.db-wal"),
                             std::string_view("sallyport.db-shm"),
                             std::string_view("sallyport.db-journal"),
                             kSettingsFile,
                             kBundle,
                             kPolicies,
                             kCerts,
                             kSecrets};
constexpr std::array kWhereInBackup{kKeys, kAudit};
constexpr std::size_t kPendingBytesMax = 4096;

struct Pending {
  std::string id;                 // of this restore
  std::vector<std::string> tops;  // what the new home has of its own
  RestoreNote note;
};

std::string note_of(const std::string& home, const std::string& id) {
  return home + "/" + std::string(kNotePrefix) + id;
}

std::string scratch_of(const std::string& home, const std::string& id) {
  return home + "/" + std::string(kScratchPrefix) + id;
}
std::string aside_of(const std::string& home, const std::string& id) {
  return home + "/" + std::string(kAsidePrefix) + id;
}

bool is_ours(std::string_view top) {
  return std::ranges::find(kAlways, top) != kAlways.end() ||
         std::ranges::find(kWhereInBackup, top) != kWhereInBackup.end();
}

std::vector<std::string> tops_of(const Manifest& manifest) {
  std::vector<std::string> tops;
  for (const Entry& entry : manifest.entries) {
    if (tops.empty() || tops.back() != top_of(entry.name)) tops.emplace_back(top_of(entry.name));
  }
  return tops;
}

// What of the home there is to be moved away for a home with these tops.
std::vector<std::string_view> in_the_way(const std::vector<std::string>& tops) {
  std::vector<std::string_view> out(kAlways.begin(), kAlways.end());
  for (const auto top : kWhereInBackup) {
    if (std::ranges::find(tops, top) != tops.end()) out.push_back(top);
  }
  return out;
}

Result<void> write_pending(const std::string& home, const Pending& pending) {
  json::Writer w;
  w.object().member("id", pending.id).key("tops").array();
  for (const auto& top : pending.tops) w.value(top);
  w.end_array().member("by", pending.note.by).member("at", pending.note.at);
  const std::string text =
      w.member("backup", pending.note.backup).member("made_at", pending.note.made_at).end_object().take();
  const std::string draft = scratch_of(home, pending.id) + "/" + std::string(kPending);
  SP_TRY(File file, File::make(draft));
  SP_CHECK(file.write(text));
  SP_CHECK(file.sync());
  SP_CHECK(rename_file(draft, home + "/" + std::string(kPending)));
  return sync_folder(home);
}

Result<Pending> read_pending(const std::string& path) {
  SP_TRY(const File file, File::to_read(path));
  std::string text(kPendingBytesMax, '\0');
  SP_TRY(const std::size_t got, file.read(text));
  text.resize(got);
  const auto damaged = fail(Code::config, "'" + path + "' is not as a restore writes it; fix: restore once more");
  const auto document = json::read(text);
  if (!document) return damaged;
  const auto id = document->root().string_at("id");
  const auto tops = document->root().find("tops");
  if (!id || id->empty() || id->find_first_of("/.") != std::string_view::npos || !tops) return damaged;
  Pending pending{std::string(*id), {}, {}};
  for (auto [name, to] : {std::pair("by", &pending.note.by), std::pair("at", &pending.note.at),
                          std::pair("backup", &pending.note.backup), std::pair("made_at", &pending.note.made_at)}) {
    *to = document->root().string_at(name).value_or("");
  }
  for (const json::Value top : tops->elements()) {
    if (!is_ours(top.as_string().value_or(""))) return damaged;
    pending.tops.emplace_back(*top.as_string());
  }
  return pending;
}

// Each step is one rename and finds out by itself whether it was done: what lies in the scratch is not yet in its place.
Result<void> move_in(const std::string& home, const Pending& pending) {
  const std::string scratch = scratch_of(home, pending.id), aside = aside_of(home, pending.id);
  const auto ready = [&](std::string_view top) { return exists(scratch + "/" + std::string(top)); };
  for (const auto top : in_the_way(pending.tops)) {
    const std::string old = home + "/" + std::string(top);
    std::string kept = aside + "/" + std::string(top);
    const bool comes = std::ranges::find(pending.tops, top) != pending.tops.end();
    if (!exists(old) || (comes && !ready(top))) continue;
    while (exists(kept)) kept += ".again";  // who looked in between (doctor, say) made an empty one anew
    SP_CHECK(make_folder(aside));
    SP_CHECK(rename_file(old, kept));
    fault_point("restore.aside");
  }
  for (const auto& top : pending.tops) {
    if (!ready(top)) continue;
    SP_CHECK(rename_file(scratch + "/" + top, home + "/" + top));
    fault_point("restore.named");
  }
  if (exists(aside)) SP_CHECK(sync_folder(aside));
  return sync_folder(home);
}

Result<void> check_free(const std::string& home, const Manifest& manifest, bool force) {
  if (force) return {};
  for (const auto top : in_the_way(tops_of(manifest))) {
    if (!exists(home + "/" + std::string(top))) continue;
    return fail(Code::conflict, "'" + home + "' holds " + std::string(top) +
                                    " already; with --force it is kept aside and the backup takes its place");
  }
  return {};
}

}  // namespace

Result<Restored> restore(const std::string& home, const Tools& tools, const RestoreWish& wish) {
  SP_TRY(const bool finished, finish_restore(home));
  (void)finished;
  Pending pending{random_id(tools.random, 9), {}, {}};
  std::ranges::replace(pending.id, '-', '_');
  SP_TRY(Scratch scratch, Scratch::make(scratch_of(home, pending.id)));
  fault_point("restore.scratch");
  const auto free = [&](const Manifest& manifest) { return check_free(home, manifest, wish.force); };
  SP_TRY(Manifest manifest, extract_all(wish.file, {&tools.keys, wish.password}, scratch.path(), tools.go_on, free));
  pending.tops = tops_of(manifest);
  pending.note = {{}, wish.by, iso_time(tools.clock.wall()), manifest.id, iso_time(manifest.at)};
  SP_TRY(auto unopened, tools.check_home(scratch.path()));
  SP_CHECK(sync_tree(scratch.path()));
  fault_point("restore.checked");
  SP_CHECK(write_pending(home, pending));
  scratch.keep();
  fault_point("restore.marked");
  SP_TRY(const bool done, finish_restore(home));
  if (!done) return fail(Code::internal, "a restore lost its own mark");
  const std::string aside = aside_of(home, pending.id);
  return Restored{std::move(manifest), std::move(unopened), exists(aside) ? aside : std::string()};
}

Result<std::vector<RestoreNote>> restore_notes(const std::string& home) {
  std::vector<RestoreNote> notes;
  std::error_code error;
  for (std::filesystem::directory_iterator at(home, error); !error && at != std::filesystem::directory_iterator();
       at.increment(error)) {
    if (!at->path().filename().string().starts_with(kNotePrefix)) continue;
    SP_TRY(Pending one, read_pending(at->path().string()));
    one.note.path = at->path().string();
    notes.push_back(std::move(one.note));
  }
  if (error) return fail(Code::io, "read the folder " + home + ": " + error.message());
  std::ranges::sort(notes, {}, &RestoreNote::at);
  return notes;
}

Result<bool> finish_restore(const std::string& home) {
  const std::string mark = home + "/" + std::string(kPending);
  const bool forward = exists(mark);
  if (forward) {
    SP_TRY(const Pending pending, read_pending(mark));
    SP_CHECK(move_in(home, pending));
    SP_CHECK(rename_file(mark, note_of(home, pending.id)));
    SP_CHECK(sync_folder(home));
    fault_point("restore.unmarked");
  }
  std::vector<std::string> scratches;
  std::error_code error;
  for (std::filesystem::directory_iterator at(home, error); !error && at != std::filesystem::directory_iterator();
       at.increment(error)) {
    if (at->path().filename().string().starts_with(kScratchPrefix)) scratches.push_back(at->path().string());
  }
  for (const auto& path : scratches) SP_CHECK(remove_all(path));
  return forward;
}

}  // namespace sallyport::backup
