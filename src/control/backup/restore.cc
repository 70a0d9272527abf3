#include "control/backup/restore.h"

#include <algorithm>
#include <array>
#include <filesystem>

#include "control/backup/elsewhere.h"
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
constexpr std::size_t kPendingBytesMax = 16'384;
constexpr std::size_t kIdBytes = 9, kIdCharacters = 12;  // random, in base64url

struct Pending {
  std::string id;                 // of this restore
  std::vector<std::string> tops;  // what the new home has of its own
  std::string database;  // where it belongs, which is not in the home's folder under its own name; empty: it is
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
  Pending pending{std::string(*id), {}, std::string(document->root().string_at("database").value_or("")), {}};
  if (!pending.database.empty() && !pending.database.starts_with('/')) return damaged;
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

Result<void> write_pending(const std::string& home, const Pending& pending) {
  json::Writer w;
  w.object().member("id", pending.id).key("tops").array();
  for (const auto& top : pending.tops) w.value(top);
  w.end_array().member("by", pending.note.by).member("at", pending.note.at);
  w.member("backup", pending.note.backup).member("made_at", pending.note.made_at);
  const std::string text = w.member("database", pending.database).end_object().take();
  const std::string draft = scratch_of(home, pending.id) + "/" + std::string(kPending);
  SP_TRY(File file, File::make(draft));
  SP_CHECK(file.write(text));
  SP_CHECK(file.sync());
  const auto read = read_pending(draft);
  if (!read || read->database != pending.database)
    return fail(Code::config, "storage.url of the backup is no path in UTF-8");
  const std::string mark = home + "/" + std::string(kPending);
  SP_CHECK(rename_file(draft, mark));
  auto synced = sync_folder(home);
  if (!synced) (void)remove_all(mark);  // nothing was moved yet
  return synced;
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
    const bool elsewhere = top == kDatabase && !pending.database.empty();
    if (!ready(top) || elsewhere) continue;
    SP_CHECK(rename_file(scratch + "/" + top, home + "/" + top));
    fault_point("restore.named");
  }
  if (exists(aside)) SP_CHECK(sync_folder(aside));
  if (!pending.database.empty()) SP_CHECK(place_database(pending.database, pending.id));
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

// All that is needed for the restored home is in its places to be named, and the mark says so; or nothing is left of it.
Result<void> decide(const std::string& home, const std::string& scratch, const Pending& pending) {
  auto marked = [&]() -> Result<void> {
    if (!pending.database.empty()) SP_CHECK(draft_database(scratch, pending.database, pending.id));
    return write_pending(home, pending);
  }();
  if (!marked) (void)drop_draft(scratch, pending.id);
  return marked;
}

}  // namespace

Result<Restored> restore(const std::string& home, const Tools& tools, const RestoreWish& wish) {
  SP_TRY(const bool finished, finish_restore(home));
  (void)finished;
  Pending pending{random_id(tools.random, kIdBytes), {}, {}, {}};
  std::ranges::replace(pending.id, '-', '_');
  SP_TRY(Scratch scratch, Scratch::make(scratch_of(home, pending.id)));
  fault_point("restore.scratch");
  const auto free = [&](const Manifest& manifest) { return check_free(home, manifest, wish.force); };
  SP_TRY(Manifest manifest, extract_all(wish.file, {&tools.keys, wish.password}, scratch.path(), tools.go_on, free));
  pending.tops = tops_of(manifest);
  pending.note = {{}, wish.by, iso_time(tools.clock.wall()), manifest.id, iso_time(manifest.at)};
  if (wish.database_of) pending.database = wish.database_of(scratch.path());
  if (!pending.database.empty()) SP_CHECK(check_place(pending.database, wish.force));
  SP_TRY(auto unopened, tools.check_home(scratch.path()));
  SP_CHECK(sync_tree(scratch.path()));
  fault_point("restore.checked");
  SP_CHECK(decide(home, scratch.path(), pending));
  scratch.keep();
  fault_point("restore.marked");
  SP_TRY(const bool done, finish_restore(home));
  if (!done) return fail(Code::internal, "a restore lost its own mark");
  const auto where_there = [](std::string path) { return exists(path) ? std::move(path) : std::string(); };
  return Restored{std::move(manifest), std::move(unopened), where_there(aside_of(home, pending.id)), pending.database,
                  where_there(aside_of_place(pending.database, pending.id))};
}

Result<std::vector<RestoreNote>> restore_notes(const std::string& home) {
  std::vector<RestoreNote> notes;
  std::error_code error;
  for (std::filesystem::directory_iterator at(home, error); !error && at != std::filesystem::directory_iterator();
       at.increment(error)) {
    const std::string name = at->path().filename().string();
    const bool ours = name.size() == kNotePrefix.size() + kIdCharacters && name.starts_with(kNotePrefix);
    if (!ours || !at->is_regular_file(error)) continue;  // somebody's own notes, say
    auto one = read_pending(at->path().string());
    if (!one)
      return fail(Code::config, "'" + at->path().string() + "' is no note of a restore; fix: move it out of the home");
    one->note.path = at->path().string();
    notes.push_back(std::move(one->note));
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
  for (const auto& path : scratches) {
    SP_CHECK(drop_draft(path, path.substr(path.rfind(kScratchPrefix) + kScratchPrefix.size())));
    SP_CHECK(remove_scratch(path));
  }
  return forward;
}

}  // namespace sallyport::backup
