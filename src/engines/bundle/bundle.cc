#include "engines/bundle/bundle.h"

#include <algorithm>
#include <array>
#include <vector>

#include "engines/bundle/signature.h"
#include "json/document.h"

namespace sallyport::bundle {
namespace {

constexpr std::string_view kManifest = ".manifest";

std::unexpected<Error> refused(const std::string& why) { return fail(Code::validation, "bundle: " + why); }

struct Manifest {
  std::string revision;
  std::vector<std::string> roots{""};
};

Result<Manifest> read_manifest(const Files& files) {
  Manifest out;
  const auto file = files.find(kManifest);
  if (file == files.end()) return out;
  const auto document = json::read_upstream_document(file->second);
  if (!document || !document->root().is_object()) return refused(".manifest is no JSON object");
  out.revision = document->root().string_at("revision").value_or("");
  const auto roots = document->root().find("roots");
  if (!roots || roots->is_null()) return out;
  if (!roots->is_array()) return refused(".manifest: roots is no array");
  out.roots.clear();
  for (const json::Value root : roots->elements()) {
    const auto text = root.as_string();
    if (!text) return refused(".manifest: a root is no text");
    const auto from = std::min(text->find_first_not_of('/'), text->size());
    const auto to = text->find_last_not_of('/');
    out.roots.emplace_back(to == std::string_view::npos ? "" : text->substr(from, to + 1 - from));
  }
  return out;
}

// `path`: "a/b/c".
bool is_below(std::string_view path, const std::vector<std::string>& roots) {
  return std::ranges::any_of(roots, [&](const std::string& root) {
    return root.empty() || path == root || (path.starts_with(root) && path[root.size()] == '/');
  });
}

// Can stand as the name of a rule or as a part of a package.
bool is_name(std::string_view name) {
  static constexpr std::array<std::string_view, 17> kKeywords{
      "as", "contains", "data", "default", "else",    "every", "false", "if",  "import",
      "in", "input",    "not",  "null",    "package", "some",  "true",  "with"};
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  return !name.empty() && letter(name.front()) && name != "_" &&
         std::ranges::all_of(name, [&](char c) { return letter(c) || (c >= '0' && c <= '9'); }) &&
         std::ranges::find(kKeywords, name) == kKeywords.end();
}

// One module for the members of `value` below `package`.
Result<void> add_data(const std::string& file, const std::string& package, json::Value value, Bundle& out) {
  std::string source = "package " + package + "\nimport rego.v1\n";
  for (const auto& [key, member] : value.members()) {
    if (!is_name(key)) return refused(file + ": the name \"" + std::string(key) + "\" cannot be a rule");
    source.append(key).append(" := ").append(member.raw()).append("\n");
  }
  out.modules.emplace_back(file + "#" + package, std::move(source));
  return {};
}

Result<void> read_data(const std::string& file, std::string_view bytes, const Manifest& manifest, Bundle& out) {
  const auto document = json::read_upstream_document(bytes, {.bytes_max = kTotalBytesMax, .depth_max = 32});
  if (!document) return refused(file + ": " + document.error().detail);
  if (!document->root().is_object()) return refused(file + " is no JSON object");
  std::string folder = file.substr(0, file.size() - std::string_view("data.json").size());
  if (!folder.empty()) folder.pop_back();
  if (!folder.empty()) {
    if (!is_below(folder, manifest.roots)) return refused(file + " is outside of the roots");
    std::string package = folder;
    std::ranges::replace(package, '/', '.');
    return add_data(file, package, document->root(), out);
  }
  for (const auto& [key, member] : document->root().members()) {
    if (!is_below(key, manifest.roots)) return refused(file + ": " + std::string(key) + " is outside of the roots");
    if (!is_name(key) || !member.is_object()) {
      return refused(file + ": \"" + std::string(key) + "\" is not an object below a name that can be a package");
    }
    SP_CHECK(add_data(file, std::string(key), member, out));
  }
  return {};
}

Result<void> read_rego(const std::string& file, const std::string& source, const Manifest& manifest, Bundle& out) {
  std::string path = policy::package_of(source);
  std::ranges::replace(path, '.', '/');
  if (!is_below(path, manifest.roots)) return refused(file + ": its package is outside of the roots");
  out.modules.emplace_back(file, source);
  return {};
}

}  // namespace

Result<Bundle> read_bundle(const Files& files) {
  SP_TRY(const Manifest manifest, read_manifest(files));
  Bundle out;
  out.revision = manifest.revision;
  bool rego = false;
  for (const auto& [path, bytes] : files) {
    const std::string name = path.substr(path.rfind('/') + 1);
    if (name == "data.yaml" || name == "data.yml" || name == "patch.json" || path.ends_with(".wasm")) {
      return refused(path + ": only *.rego and data.json are read; fix: opa build without -t wasm, data as JSON");
    }
    if (path.ends_with(".rego")) {
      SP_CHECK(read_rego(path, bytes, manifest, out));
      rego = true;
    } else if (name == "data.json") {
      SP_CHECK(read_data(path, bytes, manifest, out));
    }
  }
  if (!rego) return refused("there is no Rego in it");
  std::ranges::sort(out.modules);
  return out;
}

}  // namespace sallyport::bundle
