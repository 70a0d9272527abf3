#include "storage/sqlite.h"

#include <sqlite3.h>

#include <filesystem>

namespace sallyport::storage {
namespace {

Code class_of(int extended) noexcept {
  switch (extended) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY: return Code::already_exists;
    case SQLITE_CONSTRAINT_FOREIGNKEY: return Code::not_found;
    default: return Code::storage;
  }
}

std::string_view advice(int code) noexcept {
  switch (code & 0xFF) {
    case SQLITE_CORRUPT: return " (the file is damaged: restore it from a backup)";
    case SQLITE_NOTADB: return " (the file is not a Sallyport database)";
    case SQLITE_FULL: return " (the disk is full)";
    case SQLITE_BUSY: return " (another process holds it)";
    case SQLITE_READONLY: return " (no permission to write)";
    default: return "";
  }
}

// sqlite3_errmsg may quote values; sqlite3_errstr is a fixed text for a class.
std::unexpected<Error> sql_error(sqlite3* db, const char* what, int code) {
  const int extended = db != nullptr ? sqlite3_extended_errcode(db) : code;
  const int best = (extended & 0xFF) == (code & 0xFF) ? extended : code;
  return fail(class_of(best), std::string("database, ") + what + ": " + sqlite3_errstr(code) + std::string(advice(code)) +
                                  " [" + std::to_string(best) + "]");
}

constexpr int kBusyMs = 5000;

}  // namespace

std::string Row::text(int column) const {
  const void* bytes = sqlite3_column_blob(statement_, column);
  const int size = sqlite3_column_bytes(statement_, column);
  if (bytes == nullptr || size <= 0) return {};
  return {static_cast<const char*>(bytes), static_cast<std::size_t>(size)};
}

std::int64_t Row::number(int column) const noexcept { return sqlite3_column_int64(statement_, column); }

double Row::real(int column) const noexcept { return sqlite3_column_double(statement_, column); }

bool Row::null(int column) const noexcept { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }

void Statement::Finalize::operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }

Statement& Statement::bind(std::string_view text) {
  const char* bytes = text.data() != nullptr ? text.data() : "";
  // A null destructor is SQLITE_STATIC: the view lives until the statement has run.
  note(sqlite3_bind_text64(statement_.get(), ++bound_, bytes, text.size(), nullptr, SQLITE_UTF8));
  return *this;
}

Statement& Statement::bind(std::int64_t number) {
  note(sqlite3_bind_int64(statement_.get(), ++bound_, number));
  return *this;
}

Statement& Statement::bind_null() {
  note(sqlite3_bind_null(statement_.get(), ++bound_));
  return *this;
}

Result<bool> Statement::step() {
  if (!std::exchange(started_, true)) {
    if (bind_error_ != 0) return sql_error(nullptr, what_, bind_error_);
    if (bound_ != sqlite3_bind_parameter_count(statement_.get())) {
      return fail(Code::storage, std::string("database, ") + what_ + ": " + std::to_string(bound_) + " values for " +
                                     std::to_string(sqlite3_bind_parameter_count(statement_.get())) + " parameters");
    }
  }
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return sql_error(db_, what_, code);
}

Result<std::int64_t> Statement::run() {
  Result<bool> more = step();
  while (more && *more) more = step();
  const std::int64_t changes = sqlite3_changes64(db_);
  sqlite3_reset(statement_.get());
  sqlite3_clear_bindings(statement_.get());
  bound_ = bind_error_ = 0;
  started_ = false;
  if (!more) return fail(std::move(more).error());
  return changes;
}

void Sqlite::Close::operator()(sqlite3* db) const noexcept { sqlite3_close_v2(db); }

Result<Sqlite> Sqlite::connect(const std::string& path, int flags) {
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &raw,
                                   flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_EXRESCODE, nullptr);
  Sqlite db(raw);
  if (code != SQLITE_OK) return sql_error(raw, "open", code);
  // Hostile database files: no SQL functions from the schema, no writable schema, no double-quoted strings.
  sqlite3_db_config(raw, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_DQS_DDL, 0, nullptr);
  sqlite3_limit(raw, SQLITE_LIMIT_LENGTH, 64 << 20);
  sqlite3_limit(raw, SQLITE_LIMIT_ATTACHED, 0);
  sqlite3_busy_timeout(raw, kBusyMs);
  return db;
}

Result<Sqlite> Sqlite::open_to_read(const std::string& path) {
  std::error_code error;
  if (std::filesystem::symlink_status(path, error).type() == std::filesystem::file_type::not_found) {
    return fail(Code::not_found, "there is no database at " + path);
  }
  return connect(path, SQLITE_OPEN_READONLY);
}

Result<Sqlite> Sqlite::open(const std::string& path) {
  SP_TRY(Sqlite db, connect(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE));
  SP_CHECK(db.pragma("journal mode", "PRAGMA journal_mode=WAL"));
  SP_CHECK(db.pragma("synchronous", "PRAGMA synchronous=FULL"));
  SP_CHECK(db.pragma("foreign keys", "PRAGMA foreign_keys=ON"));
  SP_CHECK(db.pragma("secure delete", "PRAGMA secure_delete=ON"));
  return db;
}

Result<Statement> Sqlite::prepare(const char* what, std::string_view sql) {
  sqlite3_stmt* raw = nullptr;
  const char* rest = nullptr;
  const int code = sqlite3_prepare_v2(db_.get(), sql.data(), static_cast<int>(sql.size()), &raw, &rest);
  Statement statement(db_.get(), raw, what);
  if (code != SQLITE_OK) return sql_error(db_.get(), what, code);
  if (raw == nullptr || rest != sql.data() + sql.size()) {
    return fail(Code::storage, std::string("database, ") + what + ": not one statement");
  }
  return statement;
}

Result<void> Sqlite::script(const char* what, const std::string& sql) {
  const int code = sqlite3_exec(db_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return sql_error(db_.get(), what, code);
  return {};
}

Result<std::int64_t> Sqlite::pragma(const char* what, std::string_view sql) {
  SP_TRY(Statement statement, prepare(what, sql));
  SP_TRY(const bool row, statement.step());
  return row ? statement.row().number(0) : 0;
}

Result<std::int64_t> Sqlite::pragma_at_once(const char* what, std::string_view sql) {
  sqlite3_busy_timeout(db_.get(), 0);
  auto row = pragma(what, sql);
  sqlite3_busy_timeout(db_.get(), kBusyMs);
  return row;
}

Result<Transaction> Transaction::begin(Sqlite& db) {
  SP_CHECK(db.run("begin", "BEGIN IMMEDIATE"));
  return Transaction(db);
}

Transaction::~Transaction() {
  if (db_ != nullptr) (void)db_->run("roll back", "ROLLBACK");
}

Result<void> Transaction::commit() {
  SP_CHECK(db_->run("commit", "COMMIT"));
  db_ = nullptr;
  return {};
}

}  // namespace sallyport::storage
