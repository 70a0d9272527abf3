// Our own thin layer over sqlite3: values are bound, never spliced; a statement with a missing or surplus binding is an error;
// error details carry SQLite's class and our name for the operation, never a bound value or SQLite's own sentence (it may
// quote one). Strings may hold NUL. Internal to the storage module; one thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace sallyport::storage {

// One row of a result. Columns by position, from 0; NULL reads as empty or 0.
class Row {
 public:
  explicit Row(sqlite3_stmt* statement) noexcept : statement_(statement) {}
  [[nodiscard]] std::string text(int column) const;
  [[nodiscard]] std::int64_t number(int column) const noexcept;
  [[nodiscard]] bool flag(int column) const noexcept { return number(column) != 0; }
  [[nodiscard]] double real(int column) const noexcept;
  [[nodiscard]] bool null(int column) const noexcept;

 private:
  sqlite3_stmt* statement_;
};

class Statement {
 public:
  Statement(Statement&&) noexcept = default;
  Statement& operator=(Statement&&) noexcept = default;

  // Bind in order. Views need to live until the statement has run.
  Statement& bind(std::string_view text);
  Statement& bind(std::int64_t number);
  Statement& bind(bool flag) { return bind(static_cast<std::int64_t>(flag)); }
  Statement& bind(const char* text) { return bind(std::string_view(text)); }
  Statement& bind_null();

  // True: a row is there, see row(). False: done.
  Result<bool> step();
  [[nodiscard]] Row row() const noexcept { return Row(statement_.get()); }
  // For statements without rows: how many rows were changed. The statement is ready to be bound again.
  Result<std::int64_t> run();

 private:
  friend class Sqlite;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const noexcept;
  };
  Statement(sqlite3* db, sqlite3_stmt* statement, const char* what) : db_(db), statement_(statement), what_(what) {}
  void note(int code) noexcept {
    if (code != 0 && bind_error_ == 0) bind_error_ = code;
  }

  sqlite3* db_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  const char* what_;  // names the operation in errors
  int bound_ = 0;
  int bind_error_ = 0;
  bool started_ = false;
};

class Sqlite {
 public:
  // Opens or makes the file; WAL, synchronous=FULL, foreign keys, secure_delete, busy timeout of 5 s. A file that is no
  // database, or a damaged one, is `storage` with a detail that says so.
  static Result<Sqlite> open(const std::string& path);
  // A file that is there, to be read: nothing in it is changed. Code::not_found: there is none.
  static Result<Sqlite> open_to_read(const std::string& path);

  // One statement; `what` must be a literal.
  Result<Statement> prepare(const char* what, std::string_view sql);
  // Prepare, bind, run.
  template <class... Values>
  Result<std::int64_t> run(const char* what, std::string_view sql, const Values&... values) {
    SP_TRY(Statement statement, prepare(what, sql));
    (statement.bind(values), ...);
    return statement.run();
  }
  // Several statements without values: schema only.
  Result<void> script(const char* what, const std::string& sql);
  Result<std::int64_t> pragma(const char* what, std::string_view sql);
  // The same without waiting for other connections.
  Result<std::int64_t> pragma_at_once(const char* what, std::string_view sql);

 private:
  struct Close {
    void operator()(sqlite3* db) const noexcept;
  };
  explicit Sqlite(sqlite3* db) : db_(db) {}
  static Result<Sqlite> connect(const std::string& path, int flags);
  std::unique_ptr<sqlite3, Close> db_;
};

// Rolled back unless committed.
class Transaction {
 public:
  static Result<Transaction> begin(Sqlite& db);
  Transaction(Transaction&& other) noexcept : db_(std::exchange(other.db_, nullptr)) {}
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();
  Result<void> commit();

 private:
  explicit Transaction(Sqlite& db) : db_(&db) {}
  Sqlite* db_;
};

}  // namespace sallyport::storage
