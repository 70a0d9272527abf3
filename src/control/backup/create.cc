#include "control/backup/create.h"

#include <algorithm>
#include <filesystem>
#include <ranges>
#include <set>
#include <utility>

#include "control/backup/shelf.h"
#include "core/encoding.h"
#include "core/fault_point.h"
#include "crypto/hash.h"

namespace sallyport::backup {
namespace {

constexpr std::string_view kScratchPrefix = ".backup-scratch-";
constexpr int kTries = 3;
constexpr std::uint64_t kLinkedBytesMax = 16U << 20;  // of a file behind a link

struct Item {
  Entry entry;
  std::string path;
  Links links = Links::refuse;
};

struct Contents {
  std::vector<Item> items;             // by name
  std::vector<std::uint32_t> key_ids;  // that rows of the database name
  std::vector<std::string> notices;
};

// Reads `size` bytes of a file (it may be longer by now), part by part.
Result<std::string> digest_of(const File& file, const std::string& path, std::uint64_t size, const GoOn& go_on,
                              const std::function<Result<void>(std::string_view)>& each) {
  crypto::Sha256 digest;
  std::string part(64U << 10, '\0');
  for (std::uint64_t left = size; left > 0;) {
    if (!go_on()) return fail(Code::cancelled, "the backup was stopped");
    const std::size_t now = std::min<std::uint64_t>(left, part.size());
    SP_TRY(const std::size_t got, file.read(std::span(part).first(now)));
    if (got != now) return fail(Code::conflict, "'" + path + "' became shorter while it was read");
    left -= now;
    const std::string_view bytes = std::string_view(part).substr(0, now);
    digest.update(bytes);
    if (each) SP_CHECK(each(bytes));
  }
  return hex_encode(digest.finish());
}

// As it can be shown and stand in a manifest.
std::string plain(std::string_view name) {
  std::string out;
  for (const char c : name) out.push_back(c >= 0x20 && c < 0x7F ? c : '?');
  return out;
}

Result<void> add(Contents& to, std::string name, const std::string& path, const GoOn& go_on,
                 Links links = Links::refuse) {
  if (const auto good = check_name(name); !good) {
    to.notices.push_back("left out, for its name: " + plain(name));
    return {};
  }
  SP_TRY(const File file, File::to_read(path, links));
  SP_TRY(const std::uint64_t size, file.size());
  if (links == Links::follow && size > kLinkedBytesMax) return fail(Code::limit, "'" + path + "' is over 16 MiB");
  SP_TRY(std::string digest, digest_of(file, path, size, go_on, nullptr));
  to.items.push_back({{std::move(name), size, std::move(digest), ""}, path, links});
  return {};
}

std::string passed_over_text(std::string_view folder, std::string_view name) {
  return "left out, no regular file: " + std::string(folder) + "/" + plain(name);
}

Result<void> add_folder(Contents& to, std::string_view name, const std::string& folder, const GoOn& go_on) {
  std::vector<std::string> passed_over;
  SP_TRY(const auto files, files_below(folder, kEntriesMax - to.items.size(), passed_over));
  for (const Found& file : files) SP_CHECK(add(to, std::string(name) + "/" + file.name, file.path, go_on));
  for (const auto& one : passed_over) to.notices.push_back(passed_over_text(name, one));
  return {};
}

// In a folder as ..2026_11_22, to which the links of a ConfigMap or a Secret lead by way of ..data.
bool kept_for_links(std::string_view name) {
  const auto folder = name.substr(0, name.rfind('/') + 1);
  return folder.starts_with("..") || folder.find("/..") != std::string_view::npos;
}

// The file behind a link is in it under the link's name; else it is said. Where it lies: empty: it is not in it.
Result<std::string> add_link(Contents& to, std::string name, const std::string& path, const GoOn& go_on) {
  std::error_code error;
  std::string target = std::filesystem::canonical(path, error).string();
  if (error || !std::filesystem::is_regular_file(target, error)) {
    if (!name.ends_with("/..data")) to.notices.push_back("left out, no regular file: " + plain(name));
    return std::string();
  }
  const auto added = add(to, name, path, go_on, Links::follow);
  if (added) return target;
  if (added.error().code == Code::cancelled || added.error().code == Code::conflict) return fail(added.error());
  to.notices.push_back("left out: " + plain(name) + ": " + plain(added.error().detail));
  return std::string();
}

// Certificates and secret files, which the gateway reads through links as well.
Result<void> add_linked_folder(Contents& to, std::string_view name, const std::string& folder, const GoOn& go_on) {
  std::vector<std::string> passed_over;
  SP_TRY(const auto files, files_below(folder, kEntriesMax - to.items.size(), passed_over));
  std::set<std::string> behind_links;
  for (const auto& one : passed_over) {
    SP_TRY(auto target, add_link(to, std::string(name) + "/" + one, folder + "/" + one, go_on));
    behind_links.insert(std::move(target));
  }
  for (const Found& file : files) {
    std::error_code error;
    const bool twice =
        kept_for_links(file.name) && behind_links.contains(std::filesystem::canonical(file.path, error).string());
    if (!twice) SP_CHECK(add(to, std::string(name) + "/" + file.name, file.path, go_on));
  }
  return {};
}

// The *.rego at the top, which the gateway reads; through links too, as a ConfigMap lays them out.
bool is_read_by_gateway(std::string_view name) {
  return name.find('/') == std::string_view::npos && std::filesystem::path(name).extension() == ".rego";
}

// A policy that is in force is in the backup, or there is none: without it another one would come into force by a restore.
Result<void> add_policy(Contents& to, const Places& places, const Found& file, const GoOn& go_on) {
  const std::string name = std::string(kPolicies) + "/" + file.name;
  auto added = check_name(name);
  if (added) added = add(to, name, file.path, go_on, Links::follow);
  if (added || added.error().code == Code::cancelled || added.error().code == Code::conflict) return added;
  if (!places.policies_in_force) {
    to.notices.push_back("left out: " + plain(name));
    return {};
  }
  return fail(Code::config, "the policy '" + plain(file.name) + "' is in force and could not be put into the backup: " +
                                added.error().detail + "; fix: mend, rename or remove it");
}

Result<void> add_policies(Contents& to, const Places& places, const GoOn& go_on) {
  std::vector<std::string> passed_over;
  SP_TRY(const auto files, files_below(places.policies, kEntriesMax - to.items.size(), passed_over));
  for (const Found& file : files) {
    if (file.name.starts_with("..") && kept_for_links(file.name)) continue;
    const bool read = is_read_by_gateway(file.name);
    SP_CHECK(read ? add_policy(to, places, file, go_on)
                  : add(to, std::string(kPolicies) + "/" + file.name, file.path, go_on));
  }
  for (const auto& one : passed_over) {
    const bool read = is_read_by_gateway(one);
    if (!read && !one.starts_with("..")) to.notices.push_back(passed_over_text(kPolicies, one));
    if (!read) continue;
    SP_CHECK(add_policy(to, places, {one, places.policies + "/" + one}, go_on));
  }
  return {};
}

// The file behind the link, where it is one. One that was read at the start and is gone is not left out in silence.
Result<void> add_settings(Contents& to, const Places& places, const GoOn& go_on) {
  if (places.settings_file.empty() || !exists(places.settings_file)) return {};
  auto added = add(to, std::string(kSettingsFile), places.settings_file, go_on, Links::follow);
  if (added || added.error().code == Code::cancelled || added.error().code == Code::conflict) return added;
  return fail(Code::config, "the settings file could not be put into the backup: " + added.error().detail);
}

// The digests of the keys, before and after the database was copied: a rotation in between leaves a copy whose rows no key opens.
Result<Contents> keys_of(const Places& places, const GoOn& go_on) {
  Contents keys;
  SP_CHECK(add_folder(keys, kKeys, places.home + "/keys", go_on));
  return keys;
}

bool same(const Contents& a, const Contents& b) {
  return std::ranges::equal(a.items, b.items, [](const Item& x, const Item& y) { return x.entry == y.entry; });
}

Result<Contents> gather(const Places& places, const Tools& tools, const Wish& wish, const std::string& copy) {
  Contents all;
  for (int tries = 1;; ++tries) {
    (void)remove_all(copy);
    SP_TRY(const Contents before, keys_of(places, tools.go_on));
    SP_CHECK(tools.copy_database(places.database, copy, tools.go_on));
    SP_TRY(all, keys_of(places, tools.go_on));
    if (same(before, all)) break;
    if (tries == kTries) return fail(Code::conflict, "the keys are being changed: try again later");
  }
  fault_point("backup.snapshot");
  if (wish.password == nullptr) {
    all = {};
    all.notices.push_back("the keys (keys/) are not in it, since no recovery password closes them: it opens only where "
                          "the home's keys are, "
                          "so keep a copy of them elsewhere");
  }
  SP_TRY(all.key_ids, tools.keys_named_in(copy));
  SP_CHECK(add(all, std::string(kDatabase), copy, tools.go_on));
  SP_CHECK(add_settings(all, places, tools.go_on));
  if (const auto bundle = places.home + "/" + std::string(kBundle); exists(bundle)) {
    SP_CHECK(add(all, std::string(kBundle), bundle, tools.go_on));
  }
  SP_CHECK(add_policies(all, places, tools.go_on));
  for (const auto name : {kCerts, kSecrets}) {
    SP_CHECK(add_linked_folder(all, name, places.home + "/" + std::string(name), tools.go_on));
  }
  if (wish.with_audit) SP_CHECK(add_folder(all, kAudit, places.audit, tools.go_on));
  std::ranges::sort(all.items, {}, [](const Item& item) -> const std::string& { return item.entry.name; });
  return all;
}

// The newest that opens with the keys of this home, to lean on. It and those that it takes bytes from have to open by the recovery
// password as well, where there is one: what leans on another that it does not open is lost with the home's keys. Errors: why this
// one stands alone, for people.
Result<Backup> find_base(const Places& places, const Tools& tools, const Wish& wish) {
  SP_TRY(auto all, backups_in(places.folder));
  authenticate(places.folder, all, {&tools.keys, nullptr});
  for (const Shelved& one : all | std::views::reverse) {
    if (!one.authentic || std::ranges::find(wish.untried, one.name) != wish.untried.end()) continue;
    const std::string path = places.folder + "/" + one.name;
    auto base = Backup::open(path, {&tools.keys, nullptr});
    if (!base) continue;
    if (chain_length(all, base->header()) >= kChainMax) {
      return fail(Code::limit, std::to_string(kChainMax) + " add to one another already");
    }
    auto opens = check_chain(path, {&tools.keys, nullptr});
    if (!opens) return fail(opens.error().code, one.name + " does not open: " + opens.error().detail);
    if (wish.password == nullptr) return base;
    opens = check_chain(path, {nullptr, wish.password});
    if (opens) return base;
    return fail(opens.error().code, one.name + " does not open with this recovery password: " + opens.error().detail);
  }
  return fail(Code::not_found, "there is no earlier one to add to that opens with the keys of this home");
}

// Bytes that an earlier backup has already are taken from there. Its id; empty, with a notice: this one stands alone.
std::string lean_on_newest(const Places& places, const Tools& tools, const Wish& wish, Contents& contents) {
  const auto base = find_base(places, tools, wish);
  if (!base) {
    contents.notices.push_back("it stands alone: " + base.error().detail);
    return {};
  }
  const std::string& id = base->header().id;
  std::size_t leaning = 0;
  for (Item& item : contents.items) {
    const Entry* const before = base->manifest().find(item.entry.name);
    if (before == nullptr || before->size != item.entry.size || before->sha256 != item.entry.sha256) continue;
    item.entry.from = before->from.empty() ? id : before->from;
    ++leaning;
  }
  if (leaning > 0) return id;
  contents.notices.emplace_back("it stands alone: nothing is as it was in the one before");
  return {};
}

Result<void> write_content(SealedWriter& to, const Manifest& manifest, const Contents& contents, const GoOn& go_on) {
  const std::string text = write_manifest(manifest);
  if (text.size() > kManifestBytesMax) return fail(Code::limit, "too many files for one backup");
  for (int shift = 24; shift >= 0; shift -= 8) {
    const char byte = static_cast<char>((text.size() >> shift) & 0xFF);
    SP_CHECK(to.write({&byte, 1}));
  }
  SP_CHECK(to.write(text));
  for (const Item& item : contents.items) {
    if (!item.entry.from.empty()) continue;
    SP_TRY(const File file, File::to_read(item.path, item.links));
    SP_TRY(const std::string digest,
           digest_of(file, item.path, item.entry.size, go_on, [&](std::string_view part) { return to.write(part); }));
    if (digest != item.entry.sha256) return fail(Code::conflict, "'" + item.path + "' was changed while it was read");
    fault_point("backup.part");
  }
  return to.finish();
}

Result<std::uint64_t> write_draft(const std::string& path, const NewKey& key, const Manifest& manifest,
                                  const Contents& contents, const Tools& tools) {
  SP_TRY(File file, File::make(path));
  fault_point("backup.draft");
  const std::string head = write_header(key.header);
  SP_CHECK(file.write(head));
  SealedWriter body([&](std::string_view sealed) { return file.write(sealed); }, key.key, head, tools.random);
  SP_CHECK(write_content(body, manifest, contents, tools.go_on));
  SP_CHECK(file.sync());
  fault_point("backup.written");
  return file.size();
}

std::string scratch_name(const std::string& folder, Random& random) {
  return folder + "/" + std::string(kScratchPrefix) + random_id(random, 9);
}

Result<Made> create_once(const Places& places, const Tools& tools, const Wish& wish) {
  SP_TRY(const Scratch scratch, Scratch::make(scratch_name(places.home, tools.random)));
  const std::string copy = scratch.path() + "/" + std::string(kDatabase);
  SP_TRY(Contents contents, gather(places, tools, wish, copy));
  Header wanted;
  wanted.at = tools.clock.wall();
  wanted.key_ids = std::move(contents.key_ids);
  wanted.base = wish.incremental ? lean_on_newest(places, tools, wish, contents) : std::string();
  SP_TRY(const NewKey key, new_key(std::move(wanted), tools.keys, wish.password, tools.random));
  Manifest manifest{key.header.id, key.header.base, key.header.at, tools.program, {}, contents.notices};
  for (const Item& item : contents.items) manifest.entries.push_back(item.entry);
  const std::string path = places.folder + "/" + file_name(key.header);
  const std::string draft = places.folder + "/" + draft_name(key.header, tools.keys);
  auto bytes = write_draft(draft, key, manifest, contents, tools);
  if (!bytes || exists(path)) {
    (void)remove_all(draft);
    return bytes ? fail(Code::already_exists, path + " is there") : fail(std::move(bytes).error());
  }
  SP_CHECK(rename_file(draft, path));
  fault_point("backup.named");
  SP_CHECK(sync_folder(places.folder));
  Made made{file_name(key.header), key.header.id, key.header.base, *bytes, manifest.entries.size(), 0,
            manifest.notices};
  made.stored = static_cast<std::size_t>(std::ranges::count(manifest.entries, "", &Entry::from));
  return made;
}

}  // namespace

Result<Made> create(const Places& places, const Tools& tools, const Wish& wish) {
  SP_CHECK(make_folder(places.folder));
  for (int tries = 1;; ++tries) {
    auto made = create_once(places, tools, wish);
    if (made || made.error().code != Code::conflict || tries == kTries) return made;
  }
}

Result<Verified> verify(const std::string& path, const Unlock& unlock, const std::string& scratch_in,
                        const Tools& tools) {
  SP_TRY(const File file, File::to_read(path));
  SP_TRY(const std::uint64_t bytes, file.size());
  SP_TRY(const Scratch scratch, Scratch::make(scratch_name(scratch_in, tools.random)));
  SP_TRY(Manifest manifest, extract_all(path, unlock, scratch.path(), tools.go_on));
  SP_TRY(auto unopened, tools.check_home(scratch.path()));
  return Verified{std::move(manifest), std::move(unopened), bytes};
}

Result<void> sweep(const std::string& home) {
  std::error_code error;
  std::vector<std::string> old;
  for (std::filesystem::directory_iterator at(home, error); !error && at != std::filesystem::directory_iterator();
       at.increment(error)) {
    if (at->path().filename().string().starts_with(kScratchPrefix)) old.push_back(at->path().string());
  }
  for (const auto& path : old) SP_CHECK(sweep_scratch(path));
  return {};
}

}  // namespace sallyport::backup
