#include "control/certificate_desk.h"

#include <algorithm>
#include <array>

#include "control/gifts.h"
#include "core/encoding.h"

namespace sallyport::control {
namespace {

constexpr std::size_t kNameBytesMax =
    2048;  // of a URI or an address in a certificate, as net/peer_certificate.h reads them
constexpr std::size_t kDnsBytesMax = 253;

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::unexpected<Error> wrong(const char* sentence) { return fail(Code::validation, sentence); }

Result<std::string> fingerprint_name(std::string_view value) {
  std::string hex;
  for (const char c : value) {
    if (c != ':') hex += lower(c);
  }
  const auto bytes = hex_decode(hex);
  if (!bytes || bytes->size() != 32) return wrong("sha256: is the SHA-256 of a certificate, 64 hexadecimal digits");
  return "sha256:" + hex;
}

Result<std::string> dns_name(std::string_view value) {
  const auto ok = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
  };
  std::string name(value);
  std::ranges::transform(name, name.begin(), lower);
  const bool good = name.size() <= kDnsBytesMax && std::ranges::all_of(name, ok) && !name.starts_with('.') &&
                    !name.ends_with('.') && name.find("..") == std::string::npos;
  if (!good) return wrong("dns: is one name such as agent.example.com, without a wildcard");
  return "dns:" + name;
}

Result<void> check_issuer(std::string_view name, std::string_view issuer, bool must) {
  const bool one_certificate = name.starts_with("sha256:");
  if (issuer.empty() && must && !one_certificate)
    return wrong("tls.client_ca trusts several authorities, and each could issue that name: say whose it is (issuer)");
  if (issuer.empty()) return {};
  if (one_certificate) return wrong("sha256: is one certificate already: it takes no issuer");
  const auto bytes = hex_decode(issuer);
  const bool lower_case = std::ranges::none_of(issuer, [](char c) { return c >= 'A' && c <= 'F'; });
  if (bytes && bytes->size() == 32 && lower_case) return {};
  return wrong("an issuer is the SHA-256 of an authority's key, 64 hexadecimal digits in small letters");
}

bool is_there(const Principals& all, std::string_view principal) {
  if (principal.starts_with("user:")) return all.users.contains(principal.substr(5));
  return principal.starts_with("key:") && all.keys.contains(principal.substr(4));
}

}  // namespace

Result<std::string> certificate_name(std::string_view text) {
  const auto colon = text.find(':');
  const std::string_view kind = text.substr(0, colon);
  const std::string_view value = colon == std::string_view::npos ? std::string_view() : text.substr(colon + 1);
  if (kind != "sha256" && kind != "uri" && kind != "dns" && kind != "email")
    return wrong("a name is sha256:..., uri:..., dns:... or email:..., as it stands in the certificate");
  const bool printable = std::ranges::all_of(value, [](char c) { return c > ' ' && c <= '~'; });
  if (value.empty() || value.size() > kNameBytesMax || !printable)
    return wrong("a name has 1 to 2048 printable characters and no blank");
  if (kind == "sha256") return fingerprint_name(value);
  if (value.find('*') != std::string_view::npos) return wrong("a name is exact: * is no wildcard here");
  if (kind == "dns") return dns_name(value);
  if (kind == "email" && value.find('@') == std::string_view::npos) return wrong("email: is an address");
  if (kind == "uri" && value.find(':') == std::string_view::npos) return wrong("uri: is a whole URI, spiffe://... say");
  return std::string(text);
}

CertificateDesk::CertificateDesk(CertificateStore& store, const Clock& clock, Random& random, Publish publish,
                                 Newest newest)
    : store_(store), clock_(clock), random_(random), publish_(std::move(publish)), newest_(std::move(newest)) {}

void CertificateDesk::load(const std::vector<CertificateMapping>& stored) {
  auto all = std::make_shared<CertificateMappings>();
  for (const auto& one : stored) all->put(std::make_shared<const CertificateMapping>(one));
  all_ = std::move(all);
}

Task<Result<void>> CertificateDesk::take(std::shared_ptr<const CertificateMappings> next) {
  all_ = next;
  co_return co_await publish_(std::move(next));
}

Task<Result<CertificateMapping>> CertificateDesk::add(Wish wish, PrincipalPtr giver) {
  CertificateMapping mapping;
  SP_CO_TRY(mapping.name, certificate_name(wish.name));
  SP_CO_CHECK(check_issuer(mapping.name, wish.issuer, several_authorities_()));
  mapping.issuer = std::move(wish.issuer);
  mapping.principal = std::move(wish.principal);
  const SnapshotPtr now = newest_();
  if (!is_there(*now->principals, mapping.principal))
    co_return fail(Code::not_found, "no user and no key " + mapping.principal);
  SP_CO_CHECK(
      check_over(*now, *giver, mapping.principal));  // who shows that certificate may all that the principal may
  if (all_->by_name.contains(CertificateMappings::name_key(mapping.name, mapping.issuer)))
    co_return fail(Code::already_exists, "that name stands for somebody already; take it away there first");
  if (all_->by_id.size() >= kMost) co_return fail(Code::limit, "client certificates");
  std::array<std::byte, 8> bytes{};
  random_.fill(bytes);
  mapping.id = hex_encode(bytes);
  mapping.made_by = giver->id;
  mapping.created_at = clock_.wall();
  SP_CO_CHECK(store_.put_certificate(mapping));
  auto next = std::make_shared<CertificateMappings>(*all_);
  next->put(std::make_shared<const CertificateMapping>(mapping));
  SP_CO_CHECK(co_await take(std::move(next)));
  co_return mapping;
}

Task<Result<CertificateMapping>> CertificateDesk::remove(std::string id, PrincipalPtr giver) {
  const auto found = all_->by_id.find(id);
  if (found == all_->by_id.end()) co_return fail(Code::not_found, "no client certificate " + id);
  const CertificateMapping mapping = *found->second;
  SP_CO_CHECK(check_over(*newest_(), *giver, mapping.principal));  // else whoever may less locks them out
  SP_CO_CHECK(store_.delete_certificate(id));
  auto next = std::make_shared<CertificateMappings>(*all_);
  next->by_id.erase(mapping.id);
  next->by_name.erase(CertificateMappings::name_key(mapping.name, mapping.issuer));
  SP_CO_CHECK(co_await take(std::move(next)));
  co_return mapping;
}

std::shared_ptr<const CertificateMappings> CertificateDesk::without(const std::vector<std::string>& principals) {
  const auto gone = [&](const auto& entry) {
    return std::ranges::find(principals, entry.second->principal) != principals.end();
  };
  if (std::ranges::none_of(all_->by_id, gone)) return all_;
  auto next = std::make_shared<CertificateMappings>(*all_);
  std::erase_if(next->by_id, gone);
  std::erase_if(next->by_name, gone);
  all_ = std::move(next);
  return all_;
}

}  // namespace sallyport::control
