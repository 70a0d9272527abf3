// Arbitrary bytes as certificates, keys, revocation lists and names. What is accepted comes back the same.
#include <cstdlib>

#include "crypto/x509_issue.h"

namespace {

using namespace sallyport::crypto;

void require(bool condition) {
  if (!condition) std::abort();
}

void names(std::string_view text) {
  for (const auto kind : {AltNameKind::dns, AltNameKind::ip, AltNameKind::uri, AltNameKind::email}) {
    const auto name = alt_name(kind, text);
    if (!name) continue;
    const auto again = alt_name(kind, name->value);
    const auto read = read_alt_name(to_string(*name));
    require(again.has_value() && *again == *name && read.has_value() && *read == *name);
  }
  (void)host_name(text);
  (void)check_common_name(text);
}

const Certificate& authority() {
  static const Certificate kMade = [] {
    sallyport::SystemRandom random;
    const auto key = CertificateKey::generate(CertificateKeyType::ec_p256);
    const sallyport::WallTime now{std::chrono::seconds(1'790'000'000)};
    return *make_authority(*key, "fuzz", {now, now + std::chrono::days(1)}, random);
  }();
  return kMade;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  names(text);
  (void)read_crl(text, authority());
  if (const auto key = CertificateKey::from_pem(text)) require(key->spki_sha256().size() == 64);
  const auto chain = Certificate::chain_from_pem(text);
  if (!chain) return 0;
  for (const Certificate& one : *chain) {
    const auto again = Certificate::from_pem(one.pem());
    require(again.has_value() && again->facts().fingerprint_sha256 == one.facts().fingerprint_sha256);
    for (const AltName& name : one.facts().alt_names) require(name.value.find('\0') == std::string::npos);
    (void)one.issued_by(chain->front());
  }
  return 0;
}
