#include "storage/database_copy.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <charconv>
#include <memory>
#include <optional>

#include "core/encoding.h"
#include "storage/migrations.h"

namespace sallyport::storage {
namespace {

constexpr int kPagesAtOnce = 256;

struct Close {
  void operator()(sqlite3* db) const noexcept { sqlite3_close_v2(db); }
};
using Connection = std::unique_ptr<sqlite3, Close>;

struct Finish {
  void operator()(sqlite3_backup* backup) const noexcept { sqlite3_backup_finish(backup); }
};

// Code::storage: the file is damaged or none of ours; Code::io: it could not be looked at (no room, no memory, no permission).
Code class_of(int code) noexcept {
  const int primary = code & 0xFF;
  return primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB || primary == SQLITE_ERROR ? Code::storage : Code::io;
}

// sqlite3_errstr is a fixed text for a class; sqlite3_errmsg may quote values.
std::unexpected<Error> sql_error(const char* what, int code) {
  return fail(class_of(code),
              std::string("database copy, ") + what + ": " + sqlite3_errstr(code) + " [" + std::to_string(code) + "]");
}

Result<Connection> connect(const std::string& path, int flags) {
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &raw, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW, nullptr);
  Connection db(raw);
  if (code != SQLITE_OK) return sql_error("open", code);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_limit(raw, SQLITE_LIMIT_LENGTH, 64 << 20);
  sqlite3_limit(raw, SQLITE_LIMIT_ATTACHED, 0);
  sqlite3_busy_timeout(raw, 5000);
  return db;
}

Result<void> run(sqlite3* db, const char* what, const char* sql) {
  const int code = sqlite3_exec(db, sql, nullptr, nullptr, nullptr);
  return code == SQLITE_OK ? Result<void>() : Result<void>(sql_error(what, code));
}

// The first column of the first row; nothing where there is no row.
Result<std::optional<std::string>> ask(sqlite3* db, const char* what, const char* sql) {
  sqlite3_stmt* raw = nullptr;
  const int prepared = sqlite3_prepare_v2(db, sql, -1, &raw, nullptr);
  const std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> statement(raw, sqlite3_finalize);
  if (prepared != SQLITE_OK) return sql_error(what, prepared);
  const int code = sqlite3_step(raw);
  if (code == SQLITE_DONE) return std::optional<std::string>();
  if (code != SQLITE_ROW) return sql_error(what, code);
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(raw, 0));
  return std::optional<std::string>(text == nullptr ? "" : text);
}

Result<void> make_private(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return fail(Code::storage, "database copy: the file cannot be made");
  ::close(fd);
  return {};
}

Result<void> copy_pages(sqlite3* from, sqlite3* to, const std::function<bool()>& go_on) {
  const std::unique_ptr<sqlite3_backup, Finish> backup(sqlite3_backup_init(to, "main", from, "main"));
  if (!backup) return sql_error("begin", sqlite3_errcode(to));
  for (;;) {
    const int code = sqlite3_backup_step(backup.get(), kPagesAtOnce);
    if (code == SQLITE_DONE) return {};
    if (code != SQLITE_OK) return sql_error("copy", code);
    if (!go_on()) return fail(Code::cancelled, "the copy of the database was stopped");
  }
}

}  // namespace

Result<void> copy_database(const std::string& from, const std::string& to, const std::function<bool()>& go_on) {
  SP_TRY(const Connection source, connect(from, SQLITE_OPEN_READWRITE));
  SP_CHECK(make_private(to));
  SP_TRY(const Connection copy, connect(to, SQLITE_OPEN_READWRITE));
  SP_CHECK(
      run(copy.get(), "journal", "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF"));  // it is sealed, then removed
  // One moment for all pages: without it the copy begins anew at each write of others, and may never end.
  SP_CHECK(run(source.get(), "begin", "BEGIN"));
  SP_TRY(const auto seen, ask(source.get(), "begin", "SELECT count(*) FROM sqlite_schema"));
  (void)seen;
  SP_CHECK(copy_pages(source.get(), copy.get(), go_on));
  SP_CHECK(run(source.get(), "end", "ROLLBACK"));
  return run(copy.get(), "journal", "PRAGMA journal_mode=DELETE");  // the pages say WAL, as in the original
}

Result<int> check_database(const std::string& path) {
  SP_TRY(const Connection db, connect(path, SQLITE_OPEN_READONLY));
  SP_TRY(const auto id, ask(db.get(), "application id", "PRAGMA application_id"));
  if (id != std::to_string(kApplicationId)) return fail(Code::storage, "the file is no database of Sallyport");
  SP_TRY(const auto whole, ask(db.get(), "check", "PRAGMA integrity_check(1)"));
  if (whole != "ok") return fail(Code::storage, "the database is damaged");
  SP_TRY(const auto orphan, ask(db.get(), "references", "PRAGMA foreign_key_check"));
  if (orphan) return fail(Code::storage, "the database has rows of " + *orphan + " that refer to what is not there");
  SP_TRY(const auto version, ask(db.get(), "version", "SELECT max(version) FROM migrations"));
  std::int64_t number = 0;
  if (version) std::from_chars(version->data(), version->data() + version->size(), number);
  if (number < 1 || number > newest_version()) {
    return fail(Code::storage, "the database has schema version " + std::to_string(number) +
                                   ", this program knows 1 to " + std::to_string(newest_version()));
  }
  return static_cast<int>(number);
}

Result<void> each_wrapped_key(const std::string& path, const std::function<void(std::string_view)>& take) {
  SP_TRY(const Connection db, connect(path, SQLITE_OPEN_READONLY));
  constexpr const char* kSql = "SELECT wrapped_key FROM vault_versions WHERE wrapped_key <> '' UNION ALL "
                               "SELECT wrapped_key FROM exchange_keys WHERE wrapped_key <> ''";
  sqlite3_stmt* raw = nullptr;
  const int prepared = sqlite3_prepare_v2(db.get(), kSql, -1, &raw, nullptr);
  const std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> statement(raw, sqlite3_finalize);
  if (prepared != SQLITE_OK) return sql_error("wrapped keys", prepared);
  for (;;) {
    const int code = sqlite3_step(raw);
    if (code == SQLITE_DONE) return {};
    if (code != SQLITE_ROW) return sql_error("wrapped keys", code);
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(raw, 0));
    const std::string_view stored = text == nullptr ? std::string_view() : std::string_view(text);
    const auto bytes = base64url_decode(stored);
    take(bytes ? as_text(*bytes) : std::string_view());  // damaged: who takes it learns that there is one
  }
}

}  // namespace sallyport::storage
