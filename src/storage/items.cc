#include "storage/items.h"

#include <optional>

namespace sallyport::storage {
namespace {

constexpr std::string_view kPermission = "permission";
constexpr std::string_view kGrant = "grant:";

}  // namespace

#define SP_ITEM_TABLE(table)                                                                     \
  {"SELECT owner, list, name, value FROM " table " ORDER BY owner, position", "DELETE FROM " table " WHERE owner = ?", \
   "INSERT INTO " table " (owner, list, position, name, value) VALUES (?, ?, ?, ?, ?)"}
const ItemTable kUserItems = SP_ITEM_TABLE("user_items");
const ItemTable kKeyItems = SP_ITEM_TABLE("key_items");
const ItemTable kServerItems = SP_ITEM_TABLE("server_items");
const ItemTable kToolItems = SP_ITEM_TABLE("tool_items");
const ItemTable kRegisteredToolItems = SP_ITEM_TABLE("registered_tool_items");
const ItemTable kRoleItems = SP_ITEM_TABLE("role_items");
const ItemTable kGroupItems = SP_ITEM_TABLE("group_items");
#undef SP_ITEM_TABLE

void ItemList::add(std::string_view list, const std::vector<std::string>& values) {
  for (const std::string& value : values) add(std::string(list), {}, value);
}

void ItemList::add(std::string_view list, const std::map<std::string, std::string>& values) {
  for (const auto& [name, value] : values) add(std::string(list), name, value);
}

void ItemList::add(PermissionSet permissions) {
  for (std::size_t i = 0; i < kPermissionNames.size(); ++i) {
    if (permissions.has(static_cast<Permission>(i))) add(std::string(kPermission), {}, std::string(kPermissionNames[i]));
  }
}

void ItemList::add(const std::vector<Grant>& grants) {
  for (const Grant& grant : grants) add(std::string(kGrant) + std::string(name_of(grant.permission)), grant.server, grant.tool);
}

std::vector<std::string> ItemView::strings(std::string_view list) const {
  std::vector<std::string> out;
  if (items_ == nullptr) return out;
  for (const Item& item : *items_) {
    if (item.list == list) out.push_back(item.value);
  }
  return out;
}

std::map<std::string, std::string> ItemView::pairs(std::string_view list) const {
  std::map<std::string, std::string> out;
  if (items_ == nullptr) return out;
  for (const Item& item : *items_) {
    if (item.list == list) out.emplace(item.name, item.value);
  }
  return out;
}

PermissionSet ItemView::permissions() const {
  PermissionSet set;
  for (const std::string& name : strings(kPermission)) {
    if (const auto permission = permission_from_name(name)) set.add(*permission);
  }
  return set;
}

std::vector<Grant> ItemView::grants() const {
  std::vector<Grant> out;
  if (items_ == nullptr) return out;
  for (const Item& item : *items_) {
    if (!item.list.starts_with(kGrant)) continue;
    const auto permission = permission_from_name(std::string_view(item.list).substr(kGrant.size()));
    if (permission) out.push_back({*permission, item.name, item.value});
  }
  return out;
}

ItemView items_of(const ItemsByOwner& all, std::string_view owner) {
  const auto found = all.find(owner);
  return ItemView(found == all.end() ? nullptr : &found->second);
}

Result<ItemsByOwner> load_items(Sqlite& db, const ItemTable& table) {
  ItemsByOwner all;
  SP_TRY(Statement statement, db.prepare("load items", table.select));
  for (;;) {
    SP_TRY(const bool more, statement.step());
    if (!more) return all;
    const Row row = statement.row();
    all[row.text(0)].push_back({row.text(1), row.text(2), row.text(3)});
  }
}

}  // namespace sallyport::storage
