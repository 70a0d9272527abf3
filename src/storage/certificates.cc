#include "storage/certificates.h"

#include "storage/load.h"

namespace sallyport::storage {

Result<void> put_certificate(Sqlite& db, const CertificateMapping& mapping) {
  SP_TRY(Transaction transaction, Transaction::begin(db));
  SP_CHECK(db.run("put client certificate", "INSERT INTO client_certificates VALUES (?, ?, ?, ?, ?, ?)", mapping.id,
                  mapping.name, mapping.principal, mapping.made_by, to_micros(mapping.created_at), mapping.issuer));
  return transaction.commit();
}

Result<void> delete_certificate(Sqlite& db, std::string_view id) {
  SP_TRY(const std::int64_t gone,
         db.run("delete client certificate", "DELETE FROM client_certificates WHERE id = ?", id));
  return gone == 0 ? fail(Code::not_found, "no such client certificate") : Result<void>{};
}

Result<void> load_certificates(Sqlite& db, control::StoredState& state) {
  SP_TRY(Statement all,
         db.prepare("load client certificates",
                    "SELECT id, name, principal, made_by, created_at, issuer FROM client_certificates ORDER BY id"));
  for (;;) {
    SP_TRY(const bool more, all.step());
    if (!more) return {};
    const Row row = all.row();
    state.certificates.push_back(
        {row.text(0), row.text(1), row.text(2), row.text(3), from_micros(row.number(4)), row.text(5)});
  }
}

}  // namespace sallyport::storage
