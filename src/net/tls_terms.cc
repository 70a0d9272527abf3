#include "net/tls_terms.h"

#include <fcntl.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "core/encoding.h"
#include "net/tls_pem.h"

namespace sallyport::net {
namespace {

constexpr std::size_t kPemBytesMax = 1U << 20;
constexpr std::size_t kPinsMax = 16;
constexpr std::string_view kPem = "-----BEGIN ";

std::string id_of(const TlsParts& parts, const std::vector<crypto::Digest>& pins) {
  crypto::Sha256 hash;
  const auto add = [&hash](std::string_view text) {
    hash.update(std::to_string(text.size()) + ":");
    hash.update(text);
  };
  hash.update("sallyport tls terms/1");
  add(parts.ca_pem);
  add(parts.certificate_pem);
  add(parts.key_pem.reveal());
  for (const auto& pin : pins) add(as_text(pin));
  return hex_encode(hash.finish());
}

Result<void> check_own(const TlsParts& parts) {
  if (parts.certificate_pem.empty() != parts.key_pem.empty())
    return fail(Code::config, "a client certificate and its key go together");
  if (parts.certificate_pem.empty()) return {};
  SP_TRY(const auto chain, read_certificates(parts.certificate_pem, "client certificate"));
  SP_TRY(const auto key, read_key(parts.key_pem.reveal(), "client key"));
  if (X509_check_private_key(chain.front().get(), key.get()) != 1)
    return fail(Code::config, "the client key is not that of the first client certificate");
  return {};
}

Result<std::string> read_pem_file(const std::string& path, std::string_view what) {
  const auto wrong = [&](const char* why) { return fail(Code::config, std::string(what) + ": " + path + why); };
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) return wrong(" cannot be opened");
  std::string text(kPemBytesMax + 1, '\0');
  std::size_t size = 0;
  struct stat st{};
  const bool regular = ::fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
  ssize_t got = regular ? 1 : -1;
  while (got > 0 && size < text.size()) {
    got = ::read(fd, text.data() + size, text.size() - size);
    if (got > 0) size += static_cast<std::size_t>(got);
  }
  ::close(fd);
  if (!regular) return wrong(" is no regular file");
  if (got < 0) return wrong(" cannot be read");
  if (size > kPemBytesMax) return wrong(" is larger than 1 MiB");
  text.resize(size);
  return text;
}

}  // namespace

Result<crypto::Digest> read_pin(std::string_view pin) {
  static constexpr std::string_view kPrefix = "sha256/";
  const auto wrong = [] {
    return fail(Code::config, "a pin is sha256/ and the base64 of 32 bytes (RFC 7469 2.4), 51 characters in all");
  };
  if (!pin.starts_with(kPrefix) || pin.size() != kPrefix.size() + 44 || !pin.ends_with('=')) return wrong();
  std::string text(pin.substr(kPrefix.size(), 43));
  if (text.find_first_of("-_") != std::string::npos) return wrong();
  std::ranges::replace(text, '+', '-');
  std::ranges::replace(text, '/', '_');
  const auto bytes = base64url_decode(text);
  crypto::Digest digest{};
  if (!bytes || bytes->size() != digest.size()) return wrong();
  std::ranges::copy(*bytes, digest.begin());
  return digest;
}

Result<void> check_certificates(std::string_view pem, std::string_view what) {
  SP_CHECK(read_certificates(pem, what));
  return {};
}

Result<PeerCertificate> first_certificate(std::string_view pem) {
  SP_TRY(const auto chain, read_certificates(pem, "certificate"));
  return read_certificate(chain.front().get());
}

Result<std::string> authority_key(std::string_view pem) {
  SP_TRY(const auto chain, read_certificates(pem, "issuer"));
  if (chain.size() != 1) return fail(Code::config, "issuer: more than one certificate");
  if (X509_check_ca(chain.front().get()) <= 0) return fail(Code::config, "issuer: no authority's certificate");
  return hex_encode(spki_digest(*chain.front()));
}

Result<std::string> pem_of(const std::string& text, std::string_view what) {
  if (text.size() > kPemBytesMax) return fail(Code::config, std::string(what) + ": larger than 1 MiB");
  if (text.find(kPem) != std::string::npos) return text;
  if (text.starts_with('/') && text.find('\0') == std::string::npos) return read_pem_file(text, what);
  return fail(Code::config, std::string(what) + ": neither PEM text nor the absolute path of a PEM file");
}

Result<std::shared_ptr<const TlsTerms>> TlsTerms::make(TlsParts parts) {
  std::shared_ptr<TlsTerms> terms(new TlsTerms);
  if (!parts.ca_pem.empty()) SP_CHECK(check_certificates(parts.ca_pem, "certificate authorities"));
  if (parts.pins.size() > kPinsMax) return fail(Code::config, "more than 16 pins");
  for (const std::string& pin : parts.pins) {
    SP_TRY(const auto digest, read_pin(pin));
    terms->pins_.push_back(digest);
  }
  std::ranges::sort(terms->pins_);
  SP_CHECK(check_own(parts));
  terms->id_ = id_of(parts, terms->pins_);
  terms->parts_ = std::move(parts);
  return terms;
}

Result<TlsTermsPtr> read_terms(TlsSources sources) {
  TlsParts parts;
  parts.pins = std::move(sources.pins);
  parts.key_pem = std::move(sources.key_pem);
  if (!sources.ca.empty()) {
    SP_TRY(parts.ca_pem, pem_of(sources.ca, "certificate authorities"));
  }
  if (!sources.certificate.empty()) {
    SP_TRY(parts.certificate_pem, pem_of(sources.certificate, "client certificate"));
  }
  return TlsTerms::make(std::move(parts));
}

}  // namespace sallyport::net
