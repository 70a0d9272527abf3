#include "control/backup/manifest.h"

#include <algorithm>
#include <array>
#include <set>

#include "json/document.h"
#include "json/writer.h"

namespace sallyport::backup {
namespace {

constexpr std::array kFiles{kDatabase, kSettingsFile, kBundle};
constexpr std::array kFolders{kPolicies, kCerts, kSecrets, kKeys, kAudit};
constexpr std::size_t kNameBytesMax = 1024;
constexpr int kPartsMax = 8;

std::unexpected<Error> damaged(const std::string& why) { return fail(Code::crypto, "the backup's manifest " + why); }

bool is_hex(std::string_view text, std::size_t digits) {
  return text.size() == digits &&
         std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool only(json::Value object, std::initializer_list<std::string_view> names) {
  if (!object.is_object()) return false;
  for (const auto [key, value] : object.members()) {
    if (std::ranges::find(names, key) == names.end()) return false;
  }
  return object.size() == names.size();
}

Result<Entry> read_entry(json::Value value) {
  const auto text = [&](std::string_view key) { return std::string(value.string_at(key).value_or("")); };
  const auto size = value.is_object() ? value.find("size") : std::nullopt;
  const auto bytes = size ? size->as_uint64() : std::nullopt;
  if (!only(value, {"name", "size", "sha256", "from"}) || !bytes || *bytes > kFileBytesMax) {
    return damaged("has an entry of another form");
  }
  Entry entry{text("name"), *bytes, text("sha256"), text("from")};
  if (const auto good = check_name(entry.name); !good) return damaged(good.error().detail);
  if (!is_hex(entry.sha256, 64) || (!entry.from.empty() && !is_hex(entry.from, 32))) {
    return damaged("has an entry with a broken digest or id");
  }
  return entry;
}

// By name, none twice, and none of them a folder of another.
Result<void> check_entries(const Manifest& manifest, std::uint64_t bytes_max) {
  std::set<std::string, std::less<>> folders;
  const Entry* before = nullptr;
  for (const Entry& entry : manifest.entries) {
    if (before != nullptr && before->name >= entry.name) return damaged("names a file twice or out of order");
    before = &entry;
    for (auto slash = entry.name.find('/'); slash != std::string::npos; slash = entry.name.find('/', slash + 1)) {
      folders.insert(entry.name.substr(0, slash));
    }
    if (entry.from == manifest.id || (manifest.base.empty() && !entry.from.empty())) {
      return damaged("has an entry from nowhere");
    }
  }
  for (const Entry& entry : manifest.entries) {
    if (folders.contains(entry.name)) return damaged("has a file that is a folder of another");
  }
  std::uint64_t sum = 0;  // 65,536 times 2^40 does not overflow
  for (const Entry& entry : manifest.entries) sum += entry.from.empty() ? entry.size : 0;
  if (sum > bytes_max) return damaged("promises more bytes than there are");
  return {};
}

// Bytes that are no UTF-8 would come back from it as others.
bool stands_in_json(std::string_view name) {
  std::string text;
  json::append_string(text, name);
  const auto back = json::read(text);
  return back && back->root().as_string() == name;
}

}  // namespace

const Entry* Manifest::find(std::string_view name) const noexcept {
  const auto found = std::ranges::lower_bound(entries, name, {}, &Entry::name);
  return found != entries.end() && found->name == name ? &*found : nullptr;
}

bool Manifest::holds(std::string_view top) const noexcept {
  return std::ranges::any_of(entries, [&](const Entry& entry) { return top_of(entry.name) == top; });
}

std::uint64_t Manifest::stored_bytes() const noexcept {
  std::uint64_t sum = 0;
  for (const Entry& entry : entries) sum += entry.from.empty() ? entry.size : 0;
  return sum;
}

std::string_view top_of(std::string_view name) noexcept { return name.substr(0, name.find('/')); }

Result<void> check_name(std::string_view name) {
  const auto refused = [&](const char* why) { return fail(Code::validation, std::string("holds a name that ") + why); };
  if (name.empty() || name.size() > kNameBytesMax) return refused("is empty or too long");
  for (const char c : name) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F || c == '\\')
      return refused("has characters that no name has");
  }
  if (!stands_in_json(name)) return refused("is no UTF-8");
  int parts = 0;
  for (std::size_t at = 0; at <= name.size(); ++parts) {
    const auto end = std::min(name.find('/', at), name.size());
    const auto part = name.substr(at, end - at);
    if (part.empty() || part == "." || part == ".." || part.size() > 255) return refused("leads elsewhere");
    at = end + 1;
  }
  if (parts > kPartsMax) return refused("is too deep");
  const auto top = top_of(name);
  const bool known =
      parts == 1 ? std::ranges::find(kFiles, top) != kFiles.end() : std::ranges::find(kFolders, top) != kFolders.end();
  return known ? Result<void>() : refused("no backup holds");
}

std::string write_manifest(const Manifest& manifest) {
  json::Writer w;
  w.object().member("format", 1).member("id", manifest.id).member("base", manifest.base);
  w.member("at", manifest.at.time_since_epoch().count()).member("program", manifest.program);
  w.key("notices").array();
  for (const auto& notice : manifest.notices) w.value(notice);
  w.end_array().key("entries").array();
  for (const Entry& entry : manifest.entries) {
    w.object().member("name", entry.name).member("size", entry.size).member("sha256", entry.sha256);
    w.member("from", entry.from).end_object();
  }
  return w.end_array().end_object().take();
}

Result<Manifest> read_manifest(std::string_view text, std::uint64_t bytes_max) {
  json::ReadLimits limits;
  limits.bytes_max = kManifestBytesMax;
  limits.depth_max = 4;
  const auto document = json::read(text, limits);
  if (!document) return damaged("cannot be read");
  const json::Value root = document->root();
  if (!only(root, {"format", "id", "base", "at", "program", "notices", "entries"})) return damaged("has another form");
  const auto at = root.find("at")->as_int64();
  const auto id = root.string_at("id"), base = root.string_at("base"), program = root.string_at("program");
  const json::Value notices = *root.find("notices"), entries = *root.find("entries");
  const bool shaped = root.find("format")->as_int64() == 1 && at && id && base && program && notices.is_array() &&
                      entries.is_array() && entries.size() <= kEntriesMax;
  if (!shaped || !is_hex(*id, 32) || (!base->empty() && !is_hex(*base, 32))) return damaged("has another form");
  Manifest manifest{
      std::string(*id), std::string(*base), WallTime(std::chrono::microseconds(*at)), std::string(*program), {}, {}};
  for (const json::Value notice : notices.elements()) {
    if (!notice.is_string()) return damaged("has another form");
    manifest.notices.emplace_back(*notice.as_string());
  }
  manifest.entries.reserve(entries.size());
  for (const json::Value value : entries.elements()) {
    SP_TRY(Entry entry, read_entry(value));
    manifest.entries.push_back(std::move(entry));
  }
  SP_CHECK(check_entries(manifest, bytes_max));
  return manifest;
}

}  // namespace sallyport::backup
