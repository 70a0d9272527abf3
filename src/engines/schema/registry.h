// Internal to schema: the documents at hand while compiling, their schema resources ($id), anchors, and what a
// reference means. Lives as long as one compilation.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/result.h"
#include "engines/schema/schema.h"
#include "json/document.h"

namespace sallyport::schema {

struct Dialect {
  bool draft7 = false;
  bool validation = true;  // false: a metaschema without the validation vocabulary
};

// A value of one of the documents.
struct Place {
  std::uint32_t document = 0;
  json::Value value;
  [[nodiscard]] std::uint64_t id() const noexcept {
    return (static_cast<std::uint64_t>(document) << 32U) | value.index();
  }
};

struct Resource {
  struct Anchor {
    Place place;
    bool dynamic = false;
  };
  std::string uri;  // without fragment
  Place root;
  Dialect dialect;
  std::map<std::string, Anchor, std::less<>> anchors;
};

struct Target {
  Place place;
  std::string dynamic_name;  // the anchor it was found by, if that is a dynamic one
};

class Registry {
 public:
  explicit Registry(const CompileLimits& limits) : limits_(limits) {}

  // Reads a document and finds its resources and anchors. Errors are Code::config.
  Result<Place> add(std::string_view text, const std::string& retrieval_uri, Dialect otherwise);
  // What `reference` means in the resource `from`.
  Result<Target> find(std::uint32_t from, std::string_view reference);
  // The resource of a place that add() or find() gave, or of a subschema of one.
  [[nodiscard]] std::uint32_t resource_of(const Place& place);
  [[nodiscard]] const Resource& resource(std::uint32_t index) const { return *resources_[index]; }
  [[nodiscard]] std::size_t size() const noexcept { return resources_.size(); }
  // The JSON pointer of a place within its document, for messages.
  [[nodiscard]] std::string pointer(const Place& place) const;

 private:
  Result<Dialect> dialect_of(json::Value schema, Dialect otherwise);
  Result<void> walk(const Place& place, std::uint32_t resource, bool root);
  Result<void> walk_children(const Place& place, std::uint32_t resource);
  Result<std::uint32_t> enter_resource(const Place& place, std::uint32_t resource, bool root);
  void note_anchors(const Place& place, std::uint32_t resource);
  Result<std::uint32_t> resource_at(const std::string& uri, Dialect dialect);
  std::optional<json::Value> child(const Place& place, std::string_view token);
  Result<Place> follow_pointer(const Resource& resource, std::string_view pointer);

  const CompileLimits& limits_;
  std::vector<std::unique_ptr<json::Document>> documents_;
  std::vector<std::unique_ptr<Resource>> resources_;
  std::map<std::string, std::uint32_t, std::less<>> by_uri_;
  std::unordered_map<std::uint64_t, std::uint32_t> resource_by_place_;
  // Members of large objects: thousands of pointers into one $defs would otherwise search it thousands of times.
  std::unordered_map<std::uint64_t, std::map<std::string_view, json::Value>> indexed_;
};

}  // namespace sallyport::schema
