// The built-in certificate authority (S2-27; docs/certificates.md): it makes itself, issues certificates for this gateway and
// for its clients, revokes, and renews what the gateway serves by itself. All of it lies in one folder: ca.crt, ca.key (sealed),
// server.crt, server.key, crl.pem, index.sealed. Every change is noted in the audit first, then written so that a crash leaves
// all of it or nothing, then told to on_change(). The authority's key is opened for as long as one use of it takes.
// One thread at a time (the control executor); nothing suspends. Owned by app, or by sdk/tls_config.h.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "control/certificate_files.h"
#include "control/certificate_index.h"
#include "control/certificate_wish.h"
#include "core/random.h"
#include "core/secret.h"
#include "crypto/x509_issue.h"

namespace sallyport::control {

class Certificates {
 public:
  // `what`: "init", "issue", "adopt", "renew", "revoke", "renew_failed". `by`: principal id, or "system". An error: it must not happen.
  using Note = std::function<Result<void>(std::string_view what, const IssuedCertificate& about, std::string_view by)>;
  struct Deps {
    std::filesystem::path folder;
    std::span<const std::byte> key;  // KeyStore, Purpose::certificates
    Random& random;
    const Clock& clock;
    Note note;
    CertificateFiles::Step step = {};  // tests alone
  };

  Certificates(Deps deps, CertificateRules rules = {});
  // Reads what there is; ends a change that was cut off. Errors: those of CertificateFiles::open; config: files that do not
  // belong together, or were sealed under another master key.
  Result<void> open();
  Result<void> refresh();  // open(), where that has not succeeded yet, or a change failed half way
  void on_change(std::function<void()> changed) { changed_ = std::move(changed); }

  // Makes the authority where there is none, and a server certificate for these hosts (names and addresses; none: localhost,
  // 127.0.0.1, ::1) in place of the one in use. Errors: validation, io.
  Result<NewCertificate> init(const std::vector<std::string>& hosts, std::optional<crypto::CertificateKeyType> key_type,
                              const std::string& by);
  // Errors: not_found: no authority yet; validation; limit.
  Result<NewCertificate> issue(CertificateWish wish, const std::string& by);
  // `which`: a serial, "server" (the one in use), "ca" (a new certificate of the same key), or a name: the newest of it. With
  // a new key; the one before stays good unless `revoke_old`. Errors: not_found, conflict (it is revoked).
  Result<NewCertificate> renew(std::string_view which, bool revoke_old, const std::string& by);
  // The server certificate in use is replaced with it. Errors: not_found, conflict (it is revoked, or has ended), validation
  // (the authority).
  Result<IssuedCertificate> revoke(std::string_view serial, crypto::RevocationReason reason, const std::string& by);

  // What a wish without a type gets.
  [[nodiscard]] crypto::CertificateKeyType key_type(std::optional<crypto::CertificateKeyType> wished) const noexcept {
    return wished.value_or(rules_.key_type);
  }
  // An RSA key takes a second or more, which nobody on this thread should wait for: made beside it, and given here, it is the next
  // that is used. The two newest are kept. The type that tick() will need a key of now; none: nothing falls due.
  void stock(crypto::CertificateKeyType type, crypto::CertificateKey key);
  [[nodiscard]] std::optional<crypto::CertificateKeyType> key_due() const;

  // Puts what another authority issued in the place of the server certificate in use: its chain, and its key (PKCS #8). Nothing
  // else of it is looked at. It is renewed by whoever got it, from renew_at on.
  Result<IssuedCertificate> adopt(std::string_view chain_pem, const Secret& key_pem, const std::string& by);

  // Every minute or so: renews the server certificate and the revocation list when their time has come. What was renewed, or
  // nothing; an error is noted, and tried again after a while that grows to an hour.
  Result<std::vector<IssuedCertificate>> tick();
  [[nodiscard]] bool is_due(CertificateKind kind) const;  // the server's renewal; of the authority: the list's

  [[nodiscard]] bool ready() const noexcept { return authority_.has_value(); }
  [[nodiscard]] const std::vector<IssuedCertificate>& list() const noexcept { return index_.issued; }  // oldest first
  [[nodiscard]] Result<IssuedCertificate> find(std::string_view which) const;  // as of renew()
  [[nodiscard]] Result<std::string> authority_pem() const;  // not_found
  [[nodiscard]] const IssuedCertificate* in_use(CertificateKind kind) const noexcept;  // null: none
  [[nodiscard]] const CertificateIndex& index() const noexcept { return index_; }

 private:
  struct Draft;
  Result<void> read_folder();
  Result<Draft> draft();
  Result<void> add_list(Draft& draft);
  [[nodiscard]] Result<void> check_nobodys() const;
  Result<crypto::CertificateKey> authority_key() const;
  [[nodiscard]] bool server_due() const;
  [[nodiscard]] bool list_due() const;
  Result<crypto::CertificateKey> take_key(crypto::CertificateKeyType type);
  Result<void> make_authority(Draft& draft, std::optional<crypto::CertificateKeyType> type, const std::string& by);
  Result<NewCertificate> renew_authority(const std::string& by);
  Result<NewCertificate> add_leaf(Draft& draft, const CertificateWish& wish, bool for_us, const std::string& by);
  void serve(Draft& draft, IssuedCertificate& record, const std::string& pem, const Secret& key_pem);
  Result<NewCertificate> add_successor(Draft& draft, const IssuedCertificate& old, const std::string& by);
  void mark_revoked(Draft& draft, const std::string& serial, crypto::RevocationReason reason);
  Result<void> renew_server(Draft& draft, std::vector<IssuedCertificate>& renewed);
  Result<void> commit(Draft draft);
  [[nodiscard]] Result<std::string> seal(std::string_view plain, std::string_view what) const;
  [[nodiscard]] Result<Secret> unseal(const std::string& name, std::size_t bytes_max) const;
  [[nodiscard]] WallTime renewal_time(WallTime issued, WallTime ends) const;

  Deps deps_;
  CertificateRules rules_;
  std::optional<CertificateFiles> files_;
  CertificateIndex index_;
  std::optional<crypto::Certificate> authority_;
  std::function<void()> changed_;
  std::vector<std::pair<crypto::CertificateKeyType, crypto::CertificateKey>> stock_;
  bool stale_ = false;  // a change failed half way: the folder is read anew first
  WallTime retry_at_{};
  int failures_ = 0;
};

}  // namespace sallyport::control
