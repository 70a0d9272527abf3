#include "storage/groups.h"

#include "storage/items.h"
#include "storage/load.h"

namespace sallyport::storage {

Result<void> put_group(Sqlite& db, const Group& group) {
  ItemList items;
  items.add("role", group.roles);
  items.add("dotted", group.dotted);
  items.add(group.permissions);
  items.add(group.grants);
  SP_TRY(Transaction transaction, Transaction::begin(db));
  SP_CHECK(db.run("put group",
                  "INSERT INTO user_groups VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET "
                  "description = excluded.description, created_at = excluded.created_at",
                  group.name, group.description, to_micros(group.created_at)));
  SP_CHECK(replace_items(db, kGroupItems, group.name, items));
  return transaction.commit();
}

Result<void> delete_group(Sqlite& db, std::string_view name) {
  SP_TRY(const std::int64_t gone, db.run("delete group", "DELETE FROM user_groups WHERE name = ?", name));
  return gone == 0 ? fail(Code::not_found, "no such group") : Result<void>{};
}

Result<void> load_groups(Sqlite& db, control::StoredState& state) {
  SP_TRY(const ItemsByOwner items, load_items(db, kGroupItems));
  SP_TRY(Statement all,
         db.prepare("load groups", "SELECT name, description, created_at FROM user_groups ORDER BY name"));
  for (;;) {
    SP_TRY(const bool more, all.step());
    if (!more) return {};
    const Row row = all.row();
    Group group;
    group.name = row.text(0);
    group.description = row.text(1);
    group.created_at = from_micros(row.number(2));
    const ItemView view = items_of(items, group.name);
    group.roles = view.strings("role");
    group.dotted = view.strings("dotted");
    group.permissions = view.permissions();
    group.grants = view.grants();
    state.groups.push_back(std::move(group));
  }
}

}  // namespace sallyport::storage
