#include "storage/labels.h"

#include "storage/load.h"

namespace sallyport::storage {

Result<void> put_labels(Sqlite& db, std::string_view holder, const LabelsOfOne& labels) {
  SP_TRY(Transaction transaction, Transaction::begin(db));
  SP_CHECK(db.run("remove labels", "DELETE FROM labels WHERE holder = ?", holder));
  for (const auto& [name, label] : labels) {
    SP_CHECK(db.run("put label", "INSERT INTO labels (holder, name, until, set_by) VALUES (?, ?, ?, ?)", holder, name,
                    to_micros(label.until), label.set_by));
  }
  return transaction.commit();
}

Result<void> prune_labels(Sqlite& db, WallTime now) {
  SP_CHECK(db.run("prune labels", "DELETE FROM labels WHERE until <= ?", to_micros(now)));
  return {};
}

Result<void> load_labels(Sqlite& db, control::StoredState& state) {
  SP_TRY(Statement load, db.prepare("load labels", "SELECT holder, name, until, set_by FROM labels"));
  for (;;) {
    SP_TRY(const bool more, load.step());
    if (!more) return {};
    const Row row = load.row();
    state.labels[row.text(0)][row.text(1)] = Label{from_micros(row.number(2)), row.text(3)};
  }
}

}  // namespace sallyport::storage
