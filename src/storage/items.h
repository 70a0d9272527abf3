// Lists and maps of a record as rows of one *_items table: (owner, list, position, name, value). Internal to storage.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "model/permission.h"
#include "storage/sqlite.h"

namespace sallyport::storage {

struct Item {
  std::string list;
  std::string name;
  std::string value;
};

// What one record adds, in order.
class ItemList {
 public:
  void add(std::string list, std::string name, std::string value) {
    items_.push_back({std::move(list), std::move(name), std::move(value)});
  }
  void add(std::string_view list, const std::vector<std::string>& values);
  void add(std::string_view list, const std::map<std::string, std::string>& values);
  void add(PermissionSet permissions);
  void add(const std::vector<Grant>& grants);
  [[nodiscard]] const std::vector<Item>& all() const noexcept { return items_; }

 private:
  std::vector<Item> items_;
};

// What one record has, as it was read.
class ItemView {
 public:
  explicit ItemView(const std::vector<Item>* items) noexcept : items_(items) {}
  [[nodiscard]] std::vector<std::string> strings(std::string_view list) const;
  [[nodiscard]] std::map<std::string, std::string> pairs(std::string_view list) const;
  [[nodiscard]] PermissionSet permissions() const;  // names that this program does not know grant nothing
  [[nodiscard]] std::vector<Grant> grants() const;

 private:
  const std::vector<Item>* items_;  // null: none
};

using ItemsByOwner = std::map<std::string, std::vector<Item>, std::less<>>;
ItemView items_of(const ItemsByOwner& all, std::string_view owner);

struct ItemTable {  // literals: table names cannot be bound
  const char* select;
  const char* remove;
  const char* insert;
};
extern const ItemTable kUserItems, kKeyItems, kServerItems, kToolItems, kRegisteredToolItems, kRoleItems, kGroupItems;

Result<ItemsByOwner> load_items(Sqlite& db, const ItemTable& table);

template <class Owner>
Result<void> replace_items(Sqlite& db, const ItemTable& table, const Owner& owner, const ItemList& list) {
  SP_CHECK(db.run("remove items", table.remove, owner));
  SP_TRY(Statement insert, db.prepare("insert items", table.insert));
  std::int64_t position = 0;
  for (const Item& item : list.all()) {
    insert.bind(owner).bind(item.list).bind(position++).bind(item.name).bind(item.value);
    SP_CHECK(insert.run());
  }
  return {};
}

}  // namespace sallyport::storage
