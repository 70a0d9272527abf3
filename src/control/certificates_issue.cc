// How a change of the authority's folder is put together, and written.
#include <algorithm>

#include "control/certificates_draft.h"
#include "core/encoding.h"
#include "crypto/aead.h"

namespace sallyport::control {
namespace {

constexpr std::chrono::minutes kBackdate{5};  // for clocks of others that are slow
constexpr std::chrono::days kLifeMax{825};

std::chrono::days life_of(const IssuedCertificate& one) {
  return std::max(std::chrono::days(1), std::chrono::round<std::chrono::days>(one.not_after - one.issued_at));
}

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

std::string escaped(std::string_view text) {  // RFC 3986 2.1
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (is_unreserved(c)) out += c;
    else out.append({'%', kHex[byte >> 4U], kHex[byte & 15U]});
  }
  return out;
}

Result<void> check(const CertificateWish& wish) {
  if (wish.kind == CertificateKind::authority) return fail(Code::validation, "an authority is made by init alone");
  if (wish.life && (*wish.life < std::chrono::days(1) || *wish.life > kLifeMax)) {
    return fail(Code::validation, "a certificate lasts 1 to 825 days");
  }
  if (wish.kind == CertificateKind::server && !wish.user_id.empty()) {
    return fail(Code::validation, "a server's certificate stands for no user");
  }
  const auto reserved = [](const crypto::AltName& name) { return name.value.starts_with(kUrnPrefix); };
  if (std::ranges::any_of(wish.alt_names, reserved)) {
    return fail(Code::validation, std::string(kUrnPrefix) + " is for the gateway itself to give");
  }
  return crypto::check_common_name(wish.name);
}

std::vector<crypto::AltName> names_of(const CertificateWish& wish) {
  auto names = wish.alt_names;
  if (wish.kind == CertificateKind::client) {
    names.insert(names.begin(),
                 {crypto::AltNameKind::uri, wish.user_id.empty() ? client_uri(wish.name) : user_uri(wish.user_id)});
  }
  return names;
}

IssuedCertificate record_of(const crypto::Certificate& made, CertificateKind kind, const CertificateWish& wish,
                            crypto::CertificateKeyType key_type, WallTime now, const std::string& by) {
  const auto& facts = made.facts();
  IssuedCertificate record;
  record.serial = facts.serial;
  record.kind = kind;
  record.name = facts.common_name;
  record.alt_names = facts.alt_names;
  record.user_id = wish.user_id;
  record.key_type = key_type;
  record.fingerprint_sha256 = facts.fingerprint_sha256;
  record.spki_sha256 = facts.spki_sha256;
  record.issued_at = now;
  record.not_before = facts.not_before;
  record.not_after = facts.not_after;
  record.issued_by = by;
  return record;
}

}  // namespace

std::string user_uri(std::string_view user_id) { return std::string(kUrnPrefix) + "user:" + escaped(user_id); }
std::string client_uri(std::string_view name) { return std::string(kUrnPrefix) + "client:" + escaped(name); }

// Two thirds of the life, and up to a thirtieth of it more, so that certificates of one day are not renewed in one minute.
WallTime Certificates::renewal_time(WallTime issued, WallTime ends) const {
  const auto life = ends - issued;
  std::uint32_t dice = 0;
  deps_.random.fill(std::as_writable_bytes(std::span(&dice, 1)));
  return issued + life * 2 / 3 +
         std::chrono::duration_cast<std::chrono::microseconds>(life / 30 * (dice / 4294967296.0));
}

Result<Certificates::Draft> Certificates::draft() {
  SP_CHECK(refresh());
  Draft next;
  next.index = index_;
  const WallTime now = deps_.clock.wall();
  std::erase_if(next.index.issued,
                [&](const IssuedCertificate& one) { return !one.in_use && one.not_after + rules_.kept < now; });
  return next;
}

Result<void> Certificates::make_authority(Draft& next, std::optional<crypto::CertificateKeyType> type,
                                          const std::string& by) {
  const auto key_type = this->key_type(type);
  SP_TRY(const auto key, take_key(key_type));
  const WallTime now = deps_.clock.wall();
  // Told apart in a trust store by its key's first digits.
  const std::string name = "Sallyport CA " + key.spki_sha256().substr(0, 8);
  SP_TRY(auto made, crypto::make_authority(key, name, {now - kBackdate, now + rules_.authority_life}, deps_.random));
  IssuedCertificate record = record_of(made, CertificateKind::authority, {}, key_type, now, by);
  record.in_use = true;
  SP_CHECK(deps_.note("init", record, by));
  SP_TRY(const Secret pem, key.private_pem());
  SP_TRY(std::string sealed, seal(pem.reveal(), "ca.key"));
  next.files.push_back({"ca.key", std::move(sealed), true});
  next.files.push_back({"ca.crt", made.pem(), false});
  next.index.issued.push_back(std::move(record));
  next.authority.emplace(std::move(made));
  next.new_key = pem.clone();
  next.list_anew = true;
  return {};
}

Result<NewCertificate> Certificates::renew_authority(const std::string& by) {
  SP_TRY(Draft next, draft());
  SP_TRY(const auto key, authority_key());
  const WallTime now = deps_.clock.wall();
  const auto* const old = in_use(CertificateKind::authority);
  SP_TRY(auto made, crypto::make_authority(key, authority_->facts().common_name,
                                           {now - kBackdate, now + rules_.authority_life}, deps_.random));
  IssuedCertificate record = record_of(made, CertificateKind::authority, {}, old->key_type, now, by);
  record.in_use = true;
  for (auto& one : next.index.issued) {
    if (one.kind != CertificateKind::authority || !one.in_use) continue;
    one.in_use = false;
    one.replaced_by = record.serial;
  }
  next.index.issued.push_back(record);
  SP_CHECK(deps_.note("renew", record, by));
  next.files.push_back({"ca.crt", made.pem(), false});
  NewCertificate out{std::move(record), made.pem(), made.pem(), {}};
  next.authority.emplace(std::move(made));
  SP_CHECK(commit(std::move(next)));
  return out;
}

// In the place of what the gateway shows now.
void Certificates::serve(Draft& next, IssuedCertificate& record, const std::string& pem, const Secret& key_pem) {
  for (auto& one : next.index.issued) {
    if (one.kind != CertificateKind::server || !one.in_use) continue;
    one.in_use = false;
    one.replaced_by = record.serial;
  }
  record.in_use = true;
  record.renew_at = renewal_time(record.issued_at, record.not_after);
  next.files.push_back({"server.key", std::string(key_pem.reveal()), true});
  next.files.push_back({"server.crt", pem, false});
}

namespace {

constexpr std::ptrdiff_t kForeignKept = 10;

// Who issued them keeps their record; here the newest tell what was served.
void forget_foreign(std::vector<IssuedCertificate>& issued) {
  auto surplus = std::ranges::count_if(issued, &IssuedCertificate::foreign) - kForeignKept;
  std::erase_if(issued, [&](const IssuedCertificate& one) { return one.foreign && !one.in_use && surplus-- > 0; });
}

}  // namespace

Result<IssuedCertificate> Certificates::adopt(std::string_view chain_pem, const Secret& key_pem,
                                              const std::string& by) {
  SP_TRY(Draft next, draft());
  SP_TRY(const auto chain, crypto::Certificate::chain_from_pem(chain_pem));
  SP_TRY(const auto key, crypto::CertificateKey::from_pem(key_pem.reveal()));
  if (!chain.front().belongs_to(key)) return fail(Code::crypto, "the certificate belongs to another key");
  IssuedCertificate record =
      record_of(chain.front(), CertificateKind::server, {}, rules_.key_type, deps_.clock.wall(), by);
  record.foreign = true;
  SP_CHECK(deps_.note("adopt", record, by));
  serve(next, record, std::string(chain_pem), key_pem);
  next.index.issued.push_back(record);
  forget_foreign(next.index.issued);
  SP_CHECK(commit(std::move(next)));
  return record;
}

// `for_us`: what this gateway itself serves; its key goes into the folder, and into nobody's hands.
Result<NewCertificate> Certificates::add_leaf(Draft& next, const CertificateWish& wish, bool for_us,
                                              const std::string& by) {
  SP_CHECK(check(wish));
  const auto* const authority = next.authority ? &*next.authority : authority_ ? &*authority_ : nullptr;
  if (authority == nullptr)
    return fail(Code::not_found, "there is no authority yet; fix: sallyport certs init --host NAME");
  // What we serve is renewed whatever others had issued.
  if (!for_us && next.index.issued.size() >= rules_.total) return fail(Code::limit, "certificates in the index");
  SP_TRY(const auto authority_key,
         next.new_key.empty() ? this->authority_key() : crypto::CertificateKey::from_pem(next.new_key.reveal()));
  const auto key_type = this->key_type(wish.key_type);
  SP_TRY(const auto key, take_key(key_type));
  const WallTime now = deps_.clock.wall();
  const auto kind = wish.kind == CertificateKind::server ? crypto::LeafKind::server : crypto::LeafKind::client;
  const crypto::Leaf leaf{
      kind, wish.name, names_of(wish), {now - kBackdate, now + wish.life.value_or(rules_.leaf_life)}};
  SP_TRY(const auto made, crypto::issue(*authority, authority_key, key, leaf, deps_.random));
  NewCertificate out{record_of(made, wish.kind, wish, key_type, now, by), made.pem(), authority->pem(), {}};
  SP_TRY(Secret pem, key.private_pem());
  if (for_us) {
    serve(next, out.record, out.certificate_pem, pem);
  } else {
    out.key_pem = std::move(pem);
  }
  next.index.issued.push_back(out.record);
  return out;
}

Result<NewCertificate> Certificates::add_successor(Draft& next, const IssuedCertificate& old, const std::string& by) {
  CertificateWish wish{old.kind, old.name, old.alt_names, old.user_id, std::min(life_of(old), kLifeMax), old.key_type};
  std::erase_if(wish.alt_names, [](const crypto::AltName& name) { return name.value.starts_with(kUrnPrefix); });
  SP_TRY(NewCertificate made, add_leaf(next, wish, old.in_use, by));
  const auto former = std::ranges::find(next.index.issued, old.serial, &IssuedCertificate::serial);
  if (former != next.index.issued.end()) former->replaced_by = made.record.serial;
  return made;
}

// Files that were put there by hand are not overwritten.
Result<void> Certificates::check_nobodys() const {
  for (const char* name : {"ca.crt", "server.crt", "server.key"}) {
    const bool ours =
        std::string_view(name) == "ca.crt" ? authority_.has_value() : in_use(CertificateKind::server) != nullptr;
    std::error_code error;
    if (ours || !std::filesystem::exists(files_->folder() / name, error)) continue;
    return fail(Code::conflict, (files_->folder() / name).string() +
                                    " is not of this authority; fix: move it away, or leave "
                                    "TLS to it");
  }
  return {};
}

Result<NewCertificate> Certificates::init(const std::vector<std::string>& hosts,
                                          std::optional<crypto::CertificateKeyType> key_type, const std::string& by) {
  CertificateWish wish{
      CertificateKind::server, hosts.empty() ? "localhost" : hosts.front().substr(0, 64), {}, {}, {}, key_type};
  const std::vector<std::string> usual{"localhost", "127.0.0.1", "::1"};
  for (const std::string& host : hosts.empty() ? usual : hosts) {
    SP_TRY(auto name, crypto::host_name(host));
    wish.alt_names.push_back(std::move(name));
  }
  SP_TRY(Draft next, draft());
  if (!authority_ || in_use(CertificateKind::server) == nullptr) SP_CHECK(check_nobodys());
  if (!authority_) SP_CHECK(make_authority(next, key_type, by));
  SP_TRY(NewCertificate made, add_leaf(next, wish, true, by));
  SP_CHECK(deps_.note("issue", made.record, by));
  SP_CHECK(commit(std::move(next)));
  return made;
}

Result<NewCertificate> Certificates::issue(CertificateWish wish, const std::string& by) {
  SP_TRY(Draft next, draft());
  SP_TRY(NewCertificate made, add_leaf(next, wish, false, by));
  SP_CHECK(deps_.note("issue", made.record, by));
  SP_CHECK(commit(std::move(next)));
  return made;
}

Result<void> Certificates::renew_server(Draft& next, std::vector<IssuedCertificate>& renewed) {
  const IssuedCertificate old = *in_use(CertificateKind::server);
  SP_TRY(NewCertificate made, add_successor(next, old, "system"));
  SP_CHECK(deps_.note("renew", made.record, "system"));
  renewed.push_back(std::move(made.record));
  return {};
}

void Certificates::mark_revoked(Draft& next, const std::string& serial, crypto::RevocationReason reason) {
  const auto found = std::ranges::find(next.index.issued, serial, &IssuedCertificate::serial);
  if (found == next.index.issued.end()) return;
  found->revoked_at = deps_.clock.wall();
  found->reason = reason;
  next.list_anew = true;
}

// What has ended stays on the list for the life of one list more (RFC 5280 3.3).
Result<void> Certificates::add_list(Draft& next) {
  const WallTime now = deps_.clock.wall();
  const auto* const authority = next.authority ? &*next.authority : &*authority_;
  SP_TRY(const auto key,
         next.new_key.empty() ? authority_key() : crypto::CertificateKey::from_pem(next.new_key.reveal()));
  crypto::RevocationList list{next.index.crl_number + 1, now - kBackdate, now + rules_.crl_life, {}};
  for (const IssuedCertificate& one : next.index.issued) {
    if (one.revoked_at && one.not_after + rules_.crl_life > now)
      list.revoked.push_back({one.serial, *one.revoked_at, one.reason});
  }
  SP_TRY(std::string pem, crypto::make_crl(*authority, key, list));
  next.index.crl_number = list.number;
  next.index.crl_update = now;
  next.index.crl_next = list.next_update;
  next.files.push_back({"crl.pem", std::move(pem), false});
  return {};
}

Result<void> Certificates::commit(Draft next) {
  if (next.list_anew && (next.authority || authority_)) SP_CHECK(add_list(next));
  SP_TRY(std::string sealed, seal(write_index(next.index), "index.sealed"));
  next.files.push_back({"index.sealed", std::move(sealed), true});
  stale_ = true;  // until it is known that folder and memory say the same
  const auto written = files_->replace(next.files);
  for (CertificateFile& file : next.files) wipe(file.content);
  if (!written) return written;
  stale_ = false;
  index_ = std::move(next.index);
  if (next.authority) authority_ = std::move(next.authority);
  if (changed_) changed_();
  return {};
}

}  // namespace sallyport::control
