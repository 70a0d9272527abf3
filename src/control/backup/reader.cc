#include "control/backup/reader.h"

#include <algorithm>
#include <map>
#include <set>

#include "control/backup/shelf.h"
#include "core/encoding.h"
#include "core/fault_point.h"
#include "crypto/hash.h"

namespace sallyport::backup {
namespace {

struct Head {
  Header header;
  std::string bytes;
};

Result<Head> head_of(const File& file) {
  std::string bytes(kFixedHeadBytes, '\0');
  SP_TRY(std::size_t got, file.read(bytes));
  bytes.resize(got);
  SP_TRY(const std::size_t length, header_length(bytes));
  std::string rest(length - kFixedHeadBytes, '\0');
  SP_TRY(got, file.read(rest));
  bytes.append(rest, 0, got);
  SP_TRY(Header header, read_header(bytes));
  return Head{std::move(header), std::move(bytes)};
}

Result<void> read_all(const PlainSource& source, std::span<char> out) {
  SP_TRY(const std::size_t got, source(out));
  if (got != out.size()) return fail(Code::crypto, "the backup ends before its content does");
  return {};
}

// The earlier backups that it takes bytes from.
Result<std::set<std::string>> origins_of(const Manifest& manifest) {
  std::set<std::string> origins;
  for (const Entry& entry : manifest.entries) origins.insert(entry.from);
  origins.erase("");
  if (origins.size() > kChainMax) return fail(Code::crypto, "the backup stands on too many others");
  return origins;
}

std::string folder_of(const std::string& path) { return path.substr(0, path.find_last_of('/') + 1); }

struct Beside {
  std::string name;
  Backup backup;
};

std::unexpected<Error> of_beside(const std::string& name, const Error& why) {
  return fail(why.code, name + ", which it takes files from: " + why.detail);
}

// Of the files beside it whose heads claim that id the one that opens: until then the claim is worth nothing. The name of an honest
// one follows from its head, so whole copies and parts of it under other names come last.
Result<Beside> open_beside(const std::string& path, const std::string& id, const Unlock& unlock) {
  const std::string folder = folder_of(path);
  SP_TRY(auto all, backups_in(folder.empty() ? "." : folder));
  std::erase_if(all, [&](const Shelved& one) { return one.header.id != id; });
  std::ranges::partition(all, [](const Shelved& one) { return one.name == file_name(one.header); });
  auto why = fail(Code::not_found, "the backup " + id + " that this one adds to is not beside it");
  for (const Shelved& one : all) {
    auto backup = Backup::open(folder + one.name, unlock);
    if (backup) return Beside{one.name, std::move(*backup)};
    why = of_beside(one.name, backup.error());
  }
  return why;
}

}  // namespace

Result<ContentReader> ContentReader::open(PlainSource source, std::uint64_t bytes_max) {
  std::array<char, 4> length{};
  SP_CHECK(read_all(source, length));
  std::uint64_t bytes = 0;
  for (const char c : length) bytes = bytes << 8 | static_cast<unsigned char>(c);
  if (bytes > kManifestBytesMax || bytes > bytes_max) return fail(Code::crypto, "the backup's manifest is too long");
  std::string text(bytes, '\0');
  SP_CHECK(read_all(source, text));
  SP_TRY(Manifest manifest, read_manifest(text, bytes_max - bytes));
  return ContentReader(std::move(source), std::move(manifest));
}

Result<void> ContentReader::take(const Entry& entry, File* to, const GoOn& go_on) {
  crypto::Sha256 digest;
  std::string part(64U << 10, '\0');
  for (std::uint64_t left = entry.size; left > 0;) {
    if (!go_on()) return fail(Code::cancelled, "reading the backup was stopped");
    const std::size_t now = std::min<std::uint64_t>(left, part.size());
    SP_CHECK(read_all(source_, std::span(part).first(now)));
    left -= now;
    const std::string_view bytes = std::string_view(part).substr(0, now);
    digest.update(bytes);
    if (to != nullptr) SP_CHECK(to->write(bytes));
  }
  if (hex_encode(digest.finish()) == entry.sha256) return {};
  return fail(Code::crypto, "the backup's " + entry.name + " is not what its manifest says");
}

Result<void> ContentReader::extract(const std::string& folder, const std::function<bool(const Entry&)>& wanted,
                                    const GoOn& go_on) {
  for (const Entry& entry : manifest_.entries) {
    if (!entry.from.empty()) continue;
    if (!wanted(entry)) {
      SP_CHECK(take(entry, nullptr, go_on));
      continue;
    }
    const std::string path = folder + "/" + entry.name;
    SP_CHECK(make_folder(path.substr(0, path.rfind('/'))));
    SP_TRY(File file, File::make(path));
    SP_CHECK(take(entry, &file, go_on));
    fault_point("restore.part");
  }
  std::array<char, 1> more{};
  SP_TRY(const std::size_t got, source_(more));
  if (got != 0) return fail(Code::crypto, "the backup goes on after its content");
  return {};
}

Result<Backup> Backup::open(const std::string& path, const Unlock& unlock) {
  Backup backup;
  SP_TRY(File file, File::to_read(path));
  SP_TRY(backup.bytes_, file.size());
  SP_TRY(Head head, head_of(file));
  backup.header_ = std::move(head.header);
  SP_TRY(crypto::LockedKey key, open_key(backup.header_, unlock));
  backup.file_ = std::make_unique<File>(std::move(file));
  backup.key_ = std::make_unique<crypto::LockedKey>(std::move(key));
  backup.body_ = std::make_unique<SealedReader>(
      [from = backup.file_.get()](std::span<char> out) { return from->read(out); }, *backup.key_, head.bytes);
  SP_TRY(
      ContentReader content,
      ContentReader::open([body = backup.body_.get()](std::span<char> out) { return body->read(out); }, backup.bytes_));
  if (content.manifest().id != backup.header_.id || content.manifest().base != backup.header_.base) {
    return fail(Code::crypto, "the backup's head and manifest do not belong together");
  }
  backup.content_ = std::make_unique<ContentReader>(std::move(content));
  return backup;
}

Result<Header> read_head(const std::string& path) {
  SP_TRY(const File file, File::to_read(path));
  SP_TRY(Head head, head_of(file));
  return std::move(head.header);
}

bool is_authentic(const std::string& path, const Unlock& unlock) {
  const auto one_byte = [&]() -> Result<std::size_t> {
    SP_TRY(const File file, File::to_read(path));
    SP_TRY(const Head head, head_of(file));
    SP_TRY(const crypto::LockedKey key, open_key(head.header, unlock));
    SealedReader body([&](std::span<char> out) { return file.read(out); }, key, head.bytes);
    std::array<char, 1> first{};
    return body.read(first);
  };
  return one_byte().value_or(0) == 1;
}

bool is_damaged(const std::string& path, const Unlock& unlock, const GoOn& go_on) {
  const auto header = read_head(path);
  if (!header) return header.error().code == Code::crypto;
  if (!open_key(*header, unlock)) return false;
  auto backup = Backup::open(path, unlock);
  if (!backup) return backup.error().code == Code::crypto;
  const auto read = backup->content().extract({}, [](const Entry&) { return false; }, go_on);
  return !read && read.error().code == Code::crypto;
}

Result<void> check_chain(const std::string& path, const Unlock& unlock) {
  SP_TRY(const Backup top, Backup::open(path, unlock));
  SP_TRY(const auto origins, origins_of(top.manifest()));
  for (const std::string& id : origins) {
    SP_TRY(const Beside older, open_beside(path, id, unlock));
  }
  return {};
}

std::string damaged_beside(const std::string& path, const Unlock& unlock, const GoOn& go_on) {
  const auto top = Backup::open(path, unlock);
  const auto origins = top ? origins_of(top->manifest()) : Result<std::set<std::string>>();
  if (!origins) return {};
  for (const std::string& id : *origins) {
    const auto older = open_beside(path, id, unlock);
    if (older && is_damaged(folder_of(path) + older->name, unlock, go_on)) return older->name;
  }
  return {};
}

Result<Manifest> extract_all(const std::string& path, const Unlock& unlock, const std::string& folder,
                             const GoOn& go_on, const std::function<Result<void>(const Manifest&)>& accept) {
  SP_TRY(Backup top, Backup::open(path, unlock));
  const Manifest manifest = top.manifest();
  if (accept) SP_CHECK(accept(manifest));
  SP_CHECK(top.content().extract(folder, [](const Entry&) { return true; }, go_on));
  SP_TRY(const auto origins, origins_of(manifest));
  for (const std::string& id : origins) {
    SP_TRY(Beside older, open_beside(path, id, unlock));
    std::size_t count = 0;
    const auto wanted = [&](const Entry& stored) {
      const Entry* const entry = manifest.find(stored.name);
      const bool is = entry != nullptr && *entry == Entry{stored.name, stored.size, stored.sha256, id};
      count += is ? 1 : 0;
      return is;
    };
    const auto read = older.backup.content().extract(folder, wanted, go_on);
    if (!read) return of_beside(older.name, read.error());
    if (std::cmp_not_equal(count, std::ranges::count(manifest.entries, id, &Entry::from))) {
      return fail(Code::crypto, older.name + " lacks what one that adds to it takes from there");
    }
  }
  return manifest;
}

}  // namespace sallyport::backup
