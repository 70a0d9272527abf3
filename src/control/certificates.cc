#include <algorithm>

#include "control/certificates_draft.h"

#include "core/encoding.h"
#include "crypto/aead.h"

namespace sallyport::control {
namespace {

constexpr std::string_view kSealHeader = "sallyport-sealed-1\n";
constexpr std::size_t kIndexBytesMax = 48U << 20;
constexpr std::size_t kKeyBytesMax = 32U << 10;
constexpr std::chrono::minutes kFirstRetry{1};
constexpr std::chrono::hours kLastRetry{1};

std::string seal_context(std::string_view what) { return "sallyport certificates " + std::string(what); }

std::string lower_hex(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c != ':') out += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  }
  return out;
}

}  // namespace

Certificates::Certificates(Deps deps, CertificateRules rules) : deps_(std::move(deps)), rules_(rules) {}

Result<std::string> Certificates::seal(std::string_view plain, std::string_view what) const {
  SP_TRY(const std::string sealed, crypto::seal(deps_.key, plain, seal_context(what), deps_.random));
  return std::string(kSealHeader) + base64url_encode(as_bytes(sealed)) + "\n";
}

Result<Secret> Certificates::unseal(const std::string& name, std::size_t bytes_max) const {
  SP_TRY(const std::string text, files_->read(name, bytes_max));
  const bool ours = text.starts_with(kSealHeader) && text.ends_with('\n');
  const auto bytes =
      ours ? base64url_decode(std::string_view(text).substr(kSealHeader.size(), text.size() - kSealHeader.size() - 1))
           : std::nullopt;
  auto plain = crypto::open(deps_.key, bytes ? as_text(*bytes) : std::string_view(), seal_context(name));
  if (!plain) {
    return fail(Code::config, (files_->folder() / name).string() +
                                  " was changed, or sealed under another master key; fix: restore it with "
                                  "keys/master.key from one backup");
  }
  return Secret(std::move(*plain));
}

Result<void> Certificates::open() {
  stale_ = true;  // what is not known for certain is not built upon
  files_.reset();
  authority_.reset();
  index_ = {};
  SP_CHECK(read_folder());
  stale_ = false;
  return {};
}

Result<void> Certificates::refresh() { return files_ && !stale_ ? Result<void>() : open(); }

Result<void> Certificates::read_folder() {
  SP_TRY(auto files, CertificateFiles::open(deps_.folder, deps_.step));
  files_.emplace(std::move(files));
  const auto text = unseal("index.sealed", kIndexBytesMax);
  const auto pem = files_->read("ca.crt", crypto::kChainPemBytesMax);
  // Without index and key it is no authority of ours: perhaps somebody's own files for TLS lie there, or nothing at all.
  const auto sealed = files_->read("ca.key", kKeyBytesMax);
  if (!text && text.error().code == Code::not_found && !sealed && sealed.error().code == Code::not_found) return {};
  if (!text) return fail(Code::config, text.error().detail);
  SP_TRY(index_, read_index(text->reveal()));
  const auto* const known = in_use(CertificateKind::authority);
  if (known == nullptr && !pem && pem.error().code == Code::not_found) return {};  // nothing but what others issued
  if (!pem) return fail(Code::config, pem.error().detail);
  auto authority = crypto::Certificate::from_pem(*pem);
  if (!authority || known == nullptr || authority->facts().fingerprint_sha256 != known->fingerprint_sha256) {
    return fail(Code::config,
                (files_->folder() / "ca.crt").string() + " is not the authority of this folder; fix: restore it");
  }
  SP_TRY(const auto key, authority_key());
  if (!authority->belongs_to(key)) {
    return fail(Code::config, (files_->folder() / "ca.key").string() + " is not the key of ca.crt; fix: restore it");
  }
  authority_.emplace(std::move(*authority));
  return {};
}

Result<crypto::CertificateKey> Certificates::authority_key() const {
  SP_TRY(const Secret pem, unseal("ca.key", kKeyBytesMax));
  return crypto::CertificateKey::from_pem(pem.reveal());
}

Result<std::string> Certificates::authority_pem() const {
  if (!authority_) return fail(Code::not_found, "there is no authority yet; fix: sallyport certs init --host NAME");
  return authority_->pem();
}

const IssuedCertificate* Certificates::in_use(CertificateKind kind) const noexcept {
  const auto found =
      std::ranges::find_if(index_.issued, [&](const auto& one) { return one.in_use && one.kind == kind; });
  return found == index_.issued.end() ? nullptr : &*found;
}

Result<IssuedCertificate> Certificates::find(std::string_view which) const {
  const IssuedCertificate* found = nullptr;
  if (which == "server") found = in_use(CertificateKind::server);
  if (which == "ca") found = in_use(CertificateKind::authority);
  const std::string serial = lower_hex(which);
  for (const auto& one : index_.issued) {
    if (one.serial == serial) found = &one;
  }
  for (auto one = index_.issued.rbegin(); found == nullptr && one != index_.issued.rend(); ++one) {
    if (one->name == which) found = &*one;
  }
  if (found == nullptr)
    return fail(Code::not_found, "no certificate has that serial or name; fix: sallyport certs list");
  return *found;
}

Result<NewCertificate> Certificates::renew(std::string_view which, bool revoke_old, const std::string& by) {
  SP_CHECK(refresh());
  SP_TRY(const IssuedCertificate old, find(which));
  if (old.kind == CertificateKind::authority) {
    if (revoke_old) return fail(Code::validation, "an authority is not revoked");
    return renew_authority(by);
  }
  if (old.revoked_at) return fail(Code::conflict, "it is revoked; issue a new one");
  if (old.foreign) return fail(Code::conflict, "another authority issued it (acme.directory)");
  SP_TRY(Draft next, draft());
  SP_TRY(NewCertificate made, add_successor(next, old, by));
  SP_CHECK(deps_.note("renew", made.record, by));
  if (revoke_old) {
    SP_CHECK(deps_.note("revoke", old, by));
    mark_revoked(next, old.serial, crypto::RevocationReason::superseded);
  }
  SP_CHECK(commit(std::move(next)));
  return made;
}

Result<IssuedCertificate> Certificates::revoke(std::string_view which, crypto::RevocationReason reason,
                                               const std::string& by) {
  SP_CHECK(refresh());
  const std::string serial = lower_hex(which);
  const auto found = std::ranges::find(index_.issued, serial, &IssuedCertificate::serial);
  if (found == index_.issued.end()) return fail(Code::not_found, "no certificate with that serial");
  if (found->kind == CertificateKind::authority)
    return fail(Code::validation, "an authority is not revoked: make another");
  if (found->foreign) return fail(Code::validation, "another authority issued it (acme.directory)");
  if (found->revoked_at) return fail(Code::conflict, "it is revoked already");
  if (found->not_after <= deps_.clock.wall()) return fail(Code::conflict, "it has ended already");
  const IssuedCertificate old = *found;
  SP_TRY(Draft next, draft());
  SP_CHECK(deps_.note("revoke", old, by));
  if (old.in_use) {  // the gateway would go on showing a revoked one
    SP_TRY(const NewCertificate made, add_successor(next, old, by));
    SP_CHECK(deps_.note("renew", made.record, by));
  }
  mark_revoked(next, serial, reason);
  SP_CHECK(commit(std::move(next)));
  return find(serial);
}

bool Certificates::server_due() const {
  const auto* const server = in_use(CertificateKind::server);
  return authority_ && server != nullptr && !server->foreign && server->renew_at <= deps_.clock.wall() &&
         server->not_after < authority_->facts().not_after;
}

bool Certificates::list_due() const {
  return authority_ && deps_.clock.wall() >= index_.crl_update + (index_.crl_next - index_.crl_update) * 2 / 3;
}

bool Certificates::is_due(CertificateKind kind) const {
  return kind == CertificateKind::server ? server_due() : kind == CertificateKind::authority && list_due();
}

std::optional<crypto::CertificateKeyType> Certificates::key_due() const {
  if (deps_.clock.wall() < retry_at_ || !server_due()) return std::nullopt;
  return in_use(CertificateKind::server)->key_type;
}

void Certificates::stock(crypto::CertificateKeyType type, crypto::CertificateKey key) {
  if (stock_.size() >= 2) stock_.erase(stock_.begin());
  stock_.emplace_back(type, std::move(key));
}

Result<crypto::CertificateKey> Certificates::take_key(crypto::CertificateKeyType type) {
  const auto found = std::ranges::find_if(stock_, [&](const auto& one) { return one.first == type; });
  if (found == stock_.end()) return crypto::CertificateKey::generate(type);
  auto key = std::move(found->second);
  stock_.erase(found);
  return key;
}

Result<std::vector<IssuedCertificate>> Certificates::tick() {
  std::vector<IssuedCertificate> renewed;
  const WallTime now = deps_.clock.wall();
  if (now < retry_at_) return renewed;
  SP_CHECK(refresh());
  if (!authority_) return renewed;
  const auto* const server = in_use(CertificateKind::server);
  const bool server_due = this->server_due();
  const bool list_due = this->list_due();
  if (!server_due && !list_due) return renewed;
  auto work = [&]() -> Result<void> {
    SP_TRY(Draft next, draft());
    if (server_due) SP_CHECK(renew_server(next, renewed));
    next.list_anew = true;
    return commit(std::move(next));
  };
  const auto done = work();
  if (done) {
    failures_ = 0;
    retry_at_ = {};
    return renewed;
  }
  const auto pause = std::min<std::chrono::minutes>(kFirstRetry * (1 << std::min(failures_, 6)), kLastRetry);
  ++failures_;
  retry_at_ = now + pause;
  (void)deps_.note("renew_failed", server != nullptr ? *server : *in_use(CertificateKind::authority), "system");
  return fail(done.error());
}

}  // namespace sallyport::control
