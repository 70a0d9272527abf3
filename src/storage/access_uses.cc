#include "storage/access_uses.h"

#include "storage/load.h"

namespace sallyport::storage {

Result<void> add_access_uses(Sqlite& db, std::span<const AccessUse> uses) {
  SP_TRY(Transaction transaction, Transaction::begin(db));
  SP_TRY(Statement add, db.prepare("add access use", "INSERT INTO access_uses VALUES (?, ?, ?, ?, ?) "
                                                     "ON CONFLICT (principal, server, tool) DO UPDATE SET "
                                                     "last_used_at = max(last_used_at, excluded.last_used_at), "
                                                     "use_count = use_count + excluded.use_count"));
  for (const AccessUse& use : uses) {
    add.bind(use.principal).bind(use.server).bind(use.tool);
    SP_CHECK(add.bind(to_micros(use.last)).bind(static_cast<std::int64_t>(use.count)).run());
  }
  SP_CHECK(db.run("prune access uses",
                  "DELETE FROM access_uses WHERE (principal, server, tool) IN (SELECT principal, server, tool "
                  "FROM access_uses ORDER BY last_used_at DESC LIMIT -1 OFFSET ?)",
                  kAccessUsesMax));
  return transaction.commit();
}

Result<void> find_access_uses(Sqlite& db, std::span<AccessUse> wanted) {
  SP_TRY(Transaction one_view, Transaction::begin(db));
  for (AccessUse& use : wanted) {
    SP_TRY(Statement find, db.prepare("find access use", "SELECT last_used_at, use_count FROM access_uses "
                                                         "WHERE principal = ? AND server = ? AND tool = ?"));
    SP_TRY(const bool there, find.bind(use.principal).bind(use.server).bind(use.tool).step());
    use.last = there ? from_micros(find.row().number(0)) : WallTime{};
    use.count = there ? static_cast<std::uint64_t>(find.row().number(1)) : 0;
  }
  return one_view.commit();
}

}  // namespace sallyport::storage
