#include "storage/policies.h"

#include "storage/load.h"

namespace sallyport::storage {
namespace {

std::int64_t number(std::uint64_t value) { return static_cast<std::int64_t>(value); }
std::uint64_t number(const Row& row, int column) { return static_cast<std::uint64_t>(row.number(column)); }

// Not REPLACE, which would take the modules away with the row.
Result<void> put_version(Sqlite& db, const control::PolicyVersion& version) {
  SP_TRY(Statement put,
         db.prepare(
             "put policy version",
             "INSERT INTO policy_versions (number, source, author, reason, created_at, digest, files, activated_at, "
             "activated_by, activation_reason, before) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
             "ON CONFLICT (number) DO UPDATE SET activated_at = excluded.activated_at, activated_by = "
             "excluded.activated_by, activation_reason = excluded.activation_reason, before = excluded.before"));
  put.bind(number(version.number)).bind(version.source).bind(version.author).bind(version.reason);
  put.bind(to_micros(version.created_at)).bind(version.digest).bind(number(version.files));
  if (version.activated_at) put.bind(to_micros(*version.activated_at));
  else put.bind_null();
  put.bind(version.activated_by).bind(version.activation_reason).bind(number(version.before));
  SP_CHECK(put.run());
  return {};
}

Result<void> put_modules(Sqlite& db, std::uint64_t version, const control::PolicyModules& modules) {
  std::int64_t position = 0;
  for (const auto& [name, source] : modules) {
    SP_CHECK(db.run("put policy", "INSERT INTO policy_modules VALUES (?, ?, ?, ?)", number(version), position++, name,
                    source));
  }
  return {};
}

}  // namespace

Result<void> write_policies(Sqlite& db, const control::PolicyWrite& write) {
  for (const auto& version : write.versions) SP_CHECK(put_version(db, version));
  if (write.modules) SP_CHECK(put_modules(db, write.modules->first, write.modules->second));
  for (const std::uint64_t version : write.forgotten) {
    SP_CHECK(db.run("forget policy version", "DELETE FROM policy_versions WHERE number = ?", number(version)));
  }
  const control::PolicyState& state = write.state;
  SP_CHECK(db.run("put policy state", "INSERT OR REPLACE INTO policy_state VALUES (1, ?, ?, ?, ?)",
                  number(state.active), number(state.shadow), number(state.read), number(state.newest)));
  return {};
}

Result<control::PolicyModules> policy_modules(Sqlite& db, std::uint64_t version) {
  control::PolicyModules modules;
  SP_TRY(Statement select, db.prepare("load policy", "SELECT name, source FROM policy_modules WHERE version = ? "
                                                     "ORDER BY position"));
  select.bind(number(version));
  for (;;) {
    SP_TRY(const bool more, select.step());
    if (!more) break;
    modules.emplace_back(select.row().text(0), select.row().text(1));
  }
  if (modules.empty()) return fail(Code::not_found, "no modules of policy version " + std::to_string(version));
  return modules;
}

Result<void> load_policies(Sqlite& db, control::StoredState& state) {
  SP_TRY(Statement versions,
         db.prepare("load policy versions",
                    "SELECT number, source, author, reason, created_at, digest, files, activated_at, "
                    "activated_by, activation_reason, before FROM policy_versions ORDER BY number"));
  for (;;) {
    SP_TRY(const bool more, versions.step());
    if (!more) break;
    const Row row = versions.row();
    control::PolicyVersion& version = state.policies.emplace_back();
    version.number = number(row, 0);
    version.source = row.text(1);
    version.author = row.text(2);
    version.reason = row.text(3);
    version.created_at = from_micros(row.number(4));
    version.digest = row.text(5);
    version.files = number(row, 6);
    if (!row.null(7)) version.activated_at = from_micros(row.number(7));
    version.activated_by = row.text(8);
    version.activation_reason = row.text(9);
    version.before = number(row, 10);
  }
  SP_TRY(Statement numbers, db.prepare("load policy state", "SELECT active, shadow, read, newest FROM policy_state"));
  SP_TRY(const bool there, numbers.step());
  if (!there) return {};
  const Row row = numbers.row();
  state.policy_state = {number(row, 0), number(row, 1), number(row, 2), number(row, 3)};
  return {};
}

}  // namespace sallyport::storage
