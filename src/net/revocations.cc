#include "net/revocations.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "core/encoding.h"
#include "crypto/x509_fields.h"
#include "net/peer_certificate.h"

namespace sallyport::net {
namespace {

constexpr std::size_t kMost = 1'000'000;
using Id = std::array<std::byte, kLinkBytes / 2>;

Id cut(const crypto::Digest& digest) noexcept {
  Id out{};
  std::copy_n(digest.begin(), out.size(), out.begin());
  return out;
}

// RFC 5280 7.1: names are compared without regard to case and to how many blanks are between words, whatever kind of string
// either is.
std::optional<Id> issuer_id(const X509_NAME* name) {
  auto text = crypto::name_text(name, crypto::NameForm::utf8);
  if (!text) return std::nullopt;
  for (char& c : *text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  const auto doubled = std::ranges::unique(*text, [](char a, char b) { return a == ' ' && b == ' '; });
  text->erase(doubled.begin(), doubled.end());
  return cut(crypto::sha256(*text));
}

Id certificate_id(const Id& issuer, const ASN1_INTEGER* serial) {
  const auto size = static_cast<std::size_t>(ASN1_STRING_length(serial));
  std::string text(as_text(issuer));
  text += (ASN1_STRING_type(serial) & V_ASN1_NEG) != 0 ? '-' : '+';
  text.append(reinterpret_cast<const char*>(ASN1_STRING_get0_data(serial)), size);
  return cut(crypto::sha256(text));
}

// The n-th half of a link: issuer, certificate, issuer, ...
Id half_of(std::string_view links, std::size_t n) noexcept {
  Id out{};
  std::memcpy(out.data(), links.data() + n * out.size(), out.size());
  return out;
}

}  // namespace

Result<std::string> revocation_link(const X509& certificate) {
  const auto issuer = issuer_id(X509_get_issuer_name(&certificate));
  if (!issuer) return fail(Code::crypto, "certificate: a name cannot be read");
  const Id own = certificate_id(*issuer, X509_get0_serialNumber(&certificate));
  return std::string(as_text(*issuer)).append(as_text(own));
}

Result<Revocations> Revocations::of(std::span<const CrlPtr> lists) {
  Revocations out;
  for (const CrlPtr& list : lists) {
    const auto issuer = issuer_id(X509_CRL_get_issuer(list.get()));
    if (!issuer) return fail(Code::config, "revocation lists: one whose issuer cannot be read");
    SP_TRY(const WallTime from, time_of(X509_CRL_get0_lastUpdate(list.get())));
    out.lists_.push_back({*issuer, from, WallTime::max()});
    if (const ASN1_TIME* const next = X509_CRL_get0_nextUpdate(list.get()); next != nullptr) {
      SP_TRY(out.lists_.back().until, time_of(next));
    }
    const STACK_OF(X509_REVOKED)* const revoked = X509_CRL_get_REVOKED(list.get());
    const int count = revoked == nullptr ? 0 : sk_X509_REVOKED_num(revoked);
    if (out.size() + static_cast<std::size_t>(count) > kMost)
      return fail(Code::config, "revocation lists: more than 1,000,000 certificates");
    for (int i = 0; i < count; ++i) {
      const X509_REVOKED* const one = sk_X509_REVOKED_value(revoked, i);
      out.revoked_.push_back(certificate_id(*issuer, X509_REVOKED_get0_serialNumber(one)));
    }
  }
  std::ranges::sort(out.revoked_);
  out.revoked_.erase(std::ranges::unique(out.revoked_).begin(), out.revoked_.end());
  return out;
}

bool Revocations::contain(std::string_view links) const noexcept {
  for (; links.size() >= kLinkBytes; links.remove_prefix(kLinkBytes)) {
    if (std::ranges::binary_search(revoked_, half_of(links, 1))) return true;
  }
  return false;
}

bool Revocations::issuer_holds(const Id& issuer, WallTime now) const noexcept {
  return std::ranges::any_of(lists_, [&](const List& one) { return one.issuer == issuer && one.holds(now); });
}

bool Revocations::cover(std::string_view links, WallTime now) const noexcept {
  if (lists_.empty()) return true;
  if (links.size() < kLinkBytes) return false;  // a client of whom nothing is known
  for (; links.size() >= kLinkBytes; links.remove_prefix(kLinkBytes)) {
    if (!issuer_holds(half_of(links, 0), now)) return false;
  }
  return true;
}

bool Revocations::hold(WallTime now) const noexcept {
  return std::ranges::all_of(lists_, [now](const List& one) { return one.holds(now); });
}

std::size_t Revocations::turns(WallTime now) const noexcept {
  std::size_t past = 0;
  for (const List& one : lists_) past += (one.from <= now ? 1U : 0U) + (one.until <= now ? 1U : 0U);
  return past;
}

}  // namespace sallyport::net
