#include "control/backup/elsewhere.h"

#include <array>
#include <filesystem>

#include "control/backup/files.h"
#include "control/backup/manifest.h"
#include "core/fault_point.h"

namespace sallyport::backup {
namespace {

constexpr std::array<std::string_view, 4> kParts{"", "-wal", "-shm", "-journal"};
constexpr std::string_view kNote = "draft.place";
constexpr std::size_t kPlaceBytesMax = 4096;

std::string draft_of(const std::string& place, const std::string& id) { return place + ".restore-" + id; }

std::string folder_of(const std::string& place) { return std::filesystem::path(place).parent_path().string(); }

Result<void> copy(const std::string& from, const std::string& to) {
  SP_TRY(const File source, File::to_read(from));
  SP_TRY(File target, File::make(to));
  std::string part(64U << 10, '\0');
  for (std::size_t got = part.size(); got == part.size();) {
    SP_TRY(got, source.read(part));
    SP_CHECK(target.write(std::string_view(part).substr(0, got)));
  }
  return target.sync();
}

}  // namespace

Result<void> check_place(const std::string& place, bool force) {
  SP_CHECK(make_folder(folder_of(place)));
  for (const auto part : kParts) {
    const std::string there = place + std::string(part);
    if (force || !exists(there)) continue;
    return fail(Code::conflict, "'" + there +
                                    "' is there already, where storage.url of the backup puts the database; "
                                    "with --force it is kept beside it and the backup takes its place");
  }
  return {};
}

Result<void> draft_database(const std::string& scratch, const std::string& place, const std::string& id) {
  SP_TRY(File note, File::make(scratch + "/" + std::string(kNote)));
  SP_CHECK(note.write(place));
  SP_CHECK(note.sync());
  SP_CHECK(copy(scratch + "/" + std::string(kDatabase), draft_of(place, id)));
  fault_point("restore.drafted");
  return sync_folder(folder_of(place));
}

Result<void> drop_draft(const std::string& scratch, const std::string& id) {
  const std::string note = scratch + "/" + std::string(kNote);
  if (!exists(note)) return {};
  SP_TRY(const File file, File::to_read(note));
  std::string place(kPlaceBytesMax, '\0');
  SP_TRY(const std::size_t got, file.read(place));
  place.resize(got);
  std::error_code error;
  std::filesystem::remove(draft_of(place, id), error);
  if (error) return fail(Code::io, "remove '" + draft_of(place, id) + "': " + error.message());
  return {};
}

std::string aside_of_place(const std::string& place, const std::string& id) { return place + ".before-restore-" + id; }

Result<void> place_database(const std::string& place, const std::string& id) {
  const std::string draft = draft_of(place, id);
  if (!exists(draft)) return {};
  for (const auto part : kParts) {
    const std::string old = place + std::string(part);
    if (!exists(old)) continue;
    std::string kept = aside_of_place(place, id) + std::string(part);
    while (exists(kept)) kept += ".again";
    SP_CHECK(rename_file(old, kept));
    fault_point("restore.aside");
  }
  SP_CHECK(rename_file(draft, place));
  fault_point("restore.named");
  return sync_folder(folder_of(place));
}

}  // namespace sallyport::backup
