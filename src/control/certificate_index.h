// What the built-in authority has issued, as plain values, and their text (JSON), which is kept sealed. Plain functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/result.h"
#include "crypto/x509_issue.h"

namespace sallyport::control {

enum class CertificateKind : std::uint8_t { authority, server, client };

[[nodiscard]] std::string_view name_of(CertificateKind kind) noexcept;  // "authority", "server", "client"
[[nodiscard]] std::optional<CertificateKind> certificate_kind(std::string_view name) noexcept;

struct IssuedCertificate {
  std::string serial;  // 32 lower-case hex digits
  CertificateKind kind = CertificateKind::client;
  std::string name;  // the subject's common name
  std::vector<crypto::AltName> alt_names;
  std::string user_id;  // whom a client stands for; empty: nobody in particular
  crypto::CertificateKeyType key_type = crypto::CertificateKeyType::ec_p256;
  std::string fingerprint_sha256, spki_sha256;
  WallTime issued_at{}, not_before{}, not_after{};
  WallTime renew_at{};  // when the gateway renews it by itself; the epoch: never
  std::string issued_by;  // principal id, or "system"
  std::string replaced_by;  // serial
  bool in_use = false;  // the authority in force; the gateway's own server certificate
  bool foreign = false;  // another authority issued it (ACME): it is on no list of ours
  std::optional<WallTime> revoked_at;
  crypto::RevocationReason reason = crypto::RevocationReason::unspecified;
  friend bool operator==(const IssuedCertificate&, const IssuedCertificate&) = default;
};

struct CertificateIndex {
  std::uint64_t crl_number = 0;
  WallTime crl_update{}, crl_next{};  // of the list that stands
  std::vector<IssuedCertificate> issued;  // oldest first
  friend bool operator==(const CertificateIndex&, const CertificateIndex&) = default;
};

[[nodiscard]] std::string write_index(const CertificateIndex& index);
// Code::config for anything that write_index() does not write.
[[nodiscard]] Result<CertificateIndex> read_index(std::string_view text);

}  // namespace sallyport::control
