// Inside config only: how a row of the table is written, one call for each type, so that the table reads like one.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "config/assign.h"
#include "config/table.h"
#include "config/values.h"

namespace sallyport::config {

struct Range {
  std::int64_t min, max;
  std::string_view unit;
};

// `min`: bytes of a text (0 or 1), items of a list; `max`: bytes of the text or of one item.
struct Shape {
  std::int64_t min, max;
  Check check;
};

// What may follow a row: its names in the environment of the guides, and that a reload takes it up.
class Added {
 public:
  explicit Added(RowBase& row) : row_(row) {}
  Added env(std::vector<EnvName> names) const {
    row_.env = std::move(names);
    return *this;
  }
  Added reload() const {
    row_.restart = false;
    return *this;
  }

 private:
  RowBase& row_;
};

template <class Target>
class Add {
 public:
  using Into = std::function<void(Target&, const Value&)>;
  explicit Add(std::vector<RowOf<Target>>& rows) : rows_(rows) {}

  Added integer(std::string path, std::int64_t fallback, Range range, std::string_view doc, Into into) {
    RowBase& row = next(std::move(path), Type::integer, std::to_string(fallback), doc, std::move(into));
    row.min = range.min;
    row.max = range.max;
    row.unit = range.unit;
    return Added(row);
  }
  Added flag(std::string path, bool fallback, std::string_view doc, Into into) {
    return Added(next(std::move(path), Type::boolean, fallback ? "true" : "false", doc, std::move(into)));
  }
  Added choice(std::string path, std::string fallback, std::vector<std::string_view> choices, std::string_view doc,
               Into into) {
    RowBase& row = next(std::move(path), Type::choice, std::move(fallback), doc, std::move(into));
    row.choices = std::move(choices);
    return Added(row);
  }
  Added text(std::string path, std::string fallback, Shape shape, std::string_view doc, Into into) {
    return shaped(next(std::move(path), Type::text, std::move(fallback), doc, std::move(into)), shape);
  }
  // `fallback`: separated by commas, as in the environment.
  Added list(std::string path, std::string fallback, Shape shape, std::string_view doc, Into into) {
    return shaped(next(std::move(path), Type::list, std::move(fallback), doc, std::move(into)), shape);
  }
  Added map(std::string path, std::int64_t value_bytes_max, std::string_view doc, Into into) {
    return shaped(next(std::move(path), Type::map, "", doc, std::move(into)), {0, value_bytes_max, nullptr});
  }
  Added secret(std::string path, std::string_view doc, Into into) {
    return Added(next(std::move(path), Type::secret, "", doc, std::move(into)));
  }

 private:
  RowBase& next(std::string path, Type type, std::string fallback, std::string_view doc, Into into) {
    RowOf<Target>& row = rows_.emplace_back();
    row.path = std::move(path);
    row.type = type;
    row.fallback = std::move(fallback);
    row.doc = doc;
    row.apply = std::move(into);
    return row;
  }
  static Added shaped(RowBase& row, Shape shape) {
    row.min = shape.min;
    row.max = shape.max;
    row.check = shape.check;
    return Added(row);
  }

  std::vector<RowOf<Target>>& rows_;
};

}  // namespace sallyport::config
