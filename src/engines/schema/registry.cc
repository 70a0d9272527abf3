#include "engines/schema/registry.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "engines/schema/metaschema.h"
#include "engines/schema/uri.h"

namespace sallyport::schema {
namespace {

constexpr std::size_t kDocumentsMax = 64;

enum class Holds : std::uint8_t { nothing, schema, map, list, schema_or_list };

// Where subschemas stand. The keywords of both dialects: in the other one they are harmless, nothing refers to them.
Holds holds(std::string_view keyword) {
  constexpr std::array<std::pair<std::string_view, Holds>, 22> kTable = {{
      {"additionalItems", Holds::schema},
      {"additionalProperties", Holds::schema},
      {"contains", Holds::schema},
      {"contentSchema", Holds::schema},
      {"else", Holds::schema},
      {"if", Holds::schema},
      {"not", Holds::schema},
      {"propertyNames", Holds::schema},
      {"then", Holds::schema},
      {"unevaluatedItems", Holds::schema},
      {"unevaluatedProperties", Holds::schema},
      {"$defs", Holds::map},
      {"definitions", Holds::map},
      {"dependencies", Holds::map},
      {"dependentSchemas", Holds::map},
      {"patternProperties", Holds::map},
      {"properties", Holds::map},
      {"allOf", Holds::list},
      {"anyOf", Holds::list},
      {"oneOf", Holds::list},
      {"prefixItems", Holds::list},
      {"items", Holds::schema_or_list},
  }};
  const auto* row = std::ranges::find(kTable, keyword, [](const auto& entry) { return entry.first; });
  return row == kTable.end() ? Holds::nothing : row->second;
}

bool draft7_reference(json::Value schema, const Dialect& dialect) {
  return dialect.draft7 && schema.string_at("$ref").has_value();
}

std::string decode_token(std::string_view token) {
  std::string out;
  for (std::size_t i = 0; i < token.size(); ++i) {
    const bool tilde = token[i] == '~' && i + 1 < token.size() && (token[i + 1] == '0' || token[i + 1] == '1');
    out += tilde ? (token[++i] == '0' ? '~' : '/') : token[i];
  }
  return out;
}

}  // namespace

Result<Place> Registry::add(std::string_view text, const std::string& retrieval_uri, Dialect otherwise) {
  if (documents_.size() >= kDocumentsMax) return fail(Code::config, "schema: too many documents");
  auto document = json::read(text, {.bytes_max = limits_.bytes_max, .depth_max = 128, .nodes_max = 200'000});
  if (!document) return fail(Code::config, "schema: " + document.error().detail);
  documents_.push_back(std::make_unique<json::Document>(std::move(*document)));
  const Place root{static_cast<std::uint32_t>(documents_.size() - 1), documents_.back()->root()};
  SP_TRY(const Dialect dialect, dialect_of(root.value, otherwise));
  std::string uri = retrieval_uri;
  if (const auto id = root.value.string_at("$id"); id && !draft7_reference(root.value, dialect)) {
    const std::string resolved = resolve_uri(retrieval_uri, *id);
    uri = split_fragment(resolved).first;
  }
  const auto index = static_cast<std::uint32_t>(resources_.size());
  resources_.push_back(std::make_unique<Resource>(Resource{uri, root, dialect, {}}));
  by_uri_.emplace(uri, index);
  by_uri_.emplace(retrieval_uri, index);
  SP_CHECK(walk(root, index, true));
  return root;
}

Result<Dialect> Registry::dialect_of(json::Value schema, Dialect otherwise) {
  const auto named = schema.string_at("$schema");
  if (!named) return otherwise;
  const std::string uri(split_fragment(*named).first);
  if (uri == "https://json-schema.org/draft/2020-12/schema") return Dialect{};
  if (uri == "http://json-schema.org/draft-07/schema" || uri == "https://json-schema.org/draft-07/schema") {
    return Dialect{.draft7 = true};
  }
  const auto text = limits_.resolver ? limits_.resolver(uri) : std::nullopt;
  if (!text) {
    return fail(Code::config, "schema: dialect \"" + uri.substr(0, 128) + "\" is not known; 2020-12 and draft-07 are");
  }
  const auto metaschema_document = json::read(*text);
  if (!metaschema_document) return fail(Code::config, "schema: metaschema: " + metaschema_document.error().detail);
  const auto vocabulary = metaschema_document->root().find("$vocabulary");
  const bool validation =
      !vocabulary || vocabulary->find("https://json-schema.org/draft/2020-12/vocab/validation").has_value();
  return Dialect{.validation = validation};
}

// Depth is bounded by the reader.
Result<void> Registry::walk(const Place& place, std::uint32_t resource, bool root) {
  if (resource_by_place_.contains(place.id())) return {};
  if (place.value.is_object()) {
    SP_TRY(resource, enter_resource(place, resource, root));
    note_anchors(place, resource);
  }
  resource_by_place_.emplace(place.id(), resource);
  return walk_children(place, resource);
}

Result<void> Registry::walk_children(const Place& place, std::uint32_t resource) {
  for (const auto [keyword, value] : place.value.members()) {
    const Holds kind = holds(keyword);
    if (kind == Holds::nothing) continue;
    if (kind == Holds::schema || (kind == Holds::schema_or_list && !value.is_array())) {
      SP_CHECK(walk({place.document, value}, resource, false));
      continue;
    }
    for (const json::Value element : value.elements()) SP_CHECK(walk({place.document, element}, resource, false));
    if (kind != Holds::map) continue;
    for (const auto [name, element] : value.members()) SP_CHECK(walk({place.document, element}, resource, false));
  }
  return {};
}

Result<std::uint32_t> Registry::enter_resource(const Place& place, std::uint32_t resource, bool root) {
  const auto id = place.value.string_at("$id");
  if (!id || draft7_reference(place.value, resources_[resource]->dialect)) return resource;
  const auto [uri_part, fragment] = split_fragment(*id);
  if (!root && !uri_part.empty()) {
    SP_TRY(const Dialect dialect, dialect_of(place.value, resources_[resource]->dialect));
    const std::string resolved = resolve_uri(resources_[resource]->uri, uri_part);
    resource = static_cast<std::uint32_t>(resources_.size());
    resources_.push_back(std::make_unique<Resource>(Resource{resolved, place, dialect, {}}));
    by_uri_.emplace(resolved, resource);
  }
  if (!fragment.empty()) resources_[resource]->anchors.emplace(fragment, Resource::Anchor{place, false});  // draft-07
  return resource;
}

void Registry::note_anchors(const Place& place, std::uint32_t resource) {
  Resource& owner = *resources_[resource];
  if (owner.dialect.draft7) return;
  if (const auto name = place.value.string_at("$dynamicAnchor"))
    owner.anchors.insert_or_assign(std::string(*name), Resource::Anchor{place, true});
  if (const auto name = place.value.string_at("$anchor")) owner.anchors.emplace(*name, Resource::Anchor{place, false});
}

Result<std::uint32_t> Registry::resource_at(const std::string& uri, Dialect dialect) {
  if (const auto known = by_uri_.find(uri); known != by_uri_.end()) return known->second;
  if (const auto builtin = metaschema(uri)) {
    SP_CHECK(add(*builtin, uri, dialect));
  } else if (const auto text = limits_.resolver ? limits_.resolver(uri) : std::nullopt) {
    SP_CHECK(add(*text, uri, dialect));
  } else {
    return fail(Code::config,
                "reference to \"" + uri.substr(0, 256) + "\" outside the schema; remote references are not followed");
  }
  return by_uri_.find(uri)->second;
}

Result<Target> Registry::find(std::uint32_t from, std::string_view reference) {
  const std::string full = resolve_uri(resources_[from]->uri, reference);
  const auto [uri, raw_fragment] = split_fragment(full);
  SP_TRY(const std::uint32_t index, resource_at(std::string(uri), resources_[from]->dialect));
  const Resource& resource = *resources_[index];
  const std::string fragment = percent_decode(raw_fragment);
  if (fragment.empty()) return Target{resource.root, {}};
  if (fragment.front() == '/') {
    SP_TRY(Place place, follow_pointer(resource, fragment));
    return Target{place, {}};
  }
  const auto anchor = resource.anchors.find(fragment);
  if (anchor == resource.anchors.end()) {
    return fail(Code::config,
                "reference \"" + std::string(reference.substr(0, 256)) + "\" names an anchor that does not exist");
  }
  return Target{anchor->second.place, anchor->second.dynamic ? fragment : std::string()};
}

std::optional<json::Value> Registry::child(const Place& place, std::string_view token) {
  constexpr std::size_t kSearchedMax = 32;
  if (place.value.is_object()) {
    if (place.value.size() <= kSearchedMax) return place.value.find(token);
    auto& members = indexed_[place.id()];
    if (members.empty()) {
      for (const auto [key, value] : place.value.members()) members.emplace(key, value);
    }
    const auto found = members.find(token);
    return found == members.end() ? std::nullopt : std::optional(found->second);
  }
  std::size_t index = 0;
  const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), index);
  if (error != std::errc() || end != token.data() + token.size()) return std::nullopt;
  for (const json::Value element : place.value.elements()) {
    if (index-- == 0) return element;
  }
  return std::nullopt;
}

Result<Place> Registry::follow_pointer(const Resource& resource, std::string_view pointer) {
  Place place = resource.root;
  std::uint32_t owner = resource_of(place);
  for (std::string_view left = pointer; !left.empty();) {
    left.remove_prefix(1);
    const std::size_t slash = std::min(left.find('/'), left.size());
    const auto next = child(place, decode_token(left.substr(0, slash)));
    if (!next) return fail(Code::config, "reference \"#" + std::string(pointer.substr(0, 256)) + "\" leads nowhere");
    place.value = *next;
    if (const auto known = resource_by_place_.find(place.id()); known != resource_by_place_.end())
      owner = known->second;
    left.remove_prefix(slash);
  }
  SP_CHECK(walk(place, owner, false));
  return place;
}

std::uint32_t Registry::resource_of(const Place& place) {
  const auto known = resource_by_place_.find(place.id());
  return known == resource_by_place_.end() ? 0 : known->second;
}

std::string Registry::pointer(const Place& place) const {
  std::string path;
  json::Value at = documents_[place.document]->root();
  while (at.index() != place.value.index()) {
    json::Value into = at;
    std::string token;
    for (const auto [key, value] : at.members()) {
      if (value.index() <= place.value.index()) into = value, token = key;
    }
    std::size_t i = 0;
    for (const json::Value element : at.elements()) {
      if (element.index() <= place.value.index()) into = element, token = std::to_string(i);
      ++i;
    }
    if (into.index() == at.index()) break;
    at = into;
    path.append("/").append(token.substr(0, 64));
  }
  return path;
}

}  // namespace sallyport::schema
