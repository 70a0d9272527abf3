#include "control/certificate_index.h"

#include <algorithm>
#include <array>

#include "json/document.h"
#include "json/writer.h"

namespace sallyport::control {
namespace {

constexpr std::array<std::string_view, 3> kKinds{"authority", "server", "client"};
constexpr std::size_t kIndexBytesMax = 64U << 20;

std::int64_t number(WallTime time) { return time.time_since_epoch().count(); }

void write(json::Writer& w, const IssuedCertificate& one) {
  w.object().member("serial", one.serial).member("kind", name_of(one.kind)).member("name", one.name);
  w.key("alt_names").array();
  for (const crypto::AltName& name : one.alt_names) w.value(crypto::to_string(name));
  w.end_array().member("user", one.user_id).member("key", crypto::name_of(one.key_type));
  w.member("fingerprint", one.fingerprint_sha256).member("spki", one.spki_sha256);
  w.member("issued_at", number(one.issued_at)).member("not_before", number(one.not_before));
  w.member("not_after", number(one.not_after)).member("renew_at", number(one.renew_at));
  w.member("issued_by", one.issued_by).member("replaced_by", one.replaced_by).member("in_use", one.in_use);
  w.member("foreign", one.foreign);
  w.key("revoked_at");
  if (one.revoked_at) w.value(number(*one.revoked_at));
  else w.null();
  w.member("reason", crypto::name_of(one.reason)).end_object();
}

// Reads members one after the other; what is missing or of another type is remembered.
class Reader {
 public:
  explicit Reader(json::Value object) : object_(object) {}
  std::string text(std::string_view name) {
    const auto found = object_.string_at(name);
    good_ = good_ && found.has_value();
    return std::string(found.value_or(""));
  }
  WallTime time(std::string_view name) {
    const auto found = object_.find(name);
    const auto value = found ? found->as_int64() : std::nullopt;
    good_ = good_ && value.has_value();
    return WallTime(std::chrono::microseconds(value.value_or(0)));
  }
  bool flag(std::string_view name) {
    const auto found = object_.find(name);
    const auto value = found ? found->as_bool() : std::nullopt;
    good_ = good_ && value.has_value();
    return value.value_or(false);
  }
  template <class T>
  T one_of(std::optional<T> value) {
    good_ = good_ && value.has_value();
    return value.value_or(T{});
  }
  [[nodiscard]] bool good() const noexcept { return good_; }

 private:
  json::Value object_;
  bool good_ = true;
};

std::optional<IssuedCertificate> read(json::Value object) {
  Reader r(object);
  IssuedCertificate one;
  one.serial = r.text("serial");
  one.kind = r.one_of(certificate_kind(r.text("kind")));
  one.name = r.text("name");
  const auto names = object.find("alt_names");
  const auto revoked = object.find("revoked_at");
  if (!names || !names->is_array() || !revoked) return std::nullopt;
  for (const json::Value name : names->elements()) {
    auto read = crypto::read_alt_name(name.as_string().value_or(""));
    if (!read) return std::nullopt;
    one.alt_names.push_back(std::move(*read));
  }
  one.user_id = r.text("user");
  one.key_type = r.one_of(crypto::certificate_key_type(r.text("key")));
  one.fingerprint_sha256 = r.text("fingerprint");
  one.spki_sha256 = r.text("spki");
  one.issued_at = r.time("issued_at");
  one.not_before = r.time("not_before");
  one.not_after = r.time("not_after");
  one.renew_at = r.time("renew_at");
  one.issued_by = r.text("issued_by");
  one.replaced_by = r.text("replaced_by");
  one.in_use = r.flag("in_use");
  one.foreign = r.flag("foreign");
  if (!revoked->is_null()) one.revoked_at = r.time("revoked_at");
  one.reason = r.one_of(crypto::revocation_reason(r.text("reason")));
  return r.good() ? std::optional(std::move(one)) : std::nullopt;
}

}  // namespace

std::string_view name_of(CertificateKind kind) noexcept { return kKinds[static_cast<std::size_t>(kind)]; }

std::optional<CertificateKind> certificate_kind(std::string_view name) noexcept {
  const auto found = std::ranges::find(kKinds, name);
  if (found == kKinds.end()) return std::nullopt;
  return static_cast<CertificateKind>(found - kKinds.begin());
}

std::string write_index(const CertificateIndex& index) {
  json::Writer w;
  w.object().member("crl_number", index.crl_number).member("crl_update", number(index.crl_update));
  w.member("crl_next", number(index.crl_next)).key("issued").array();
  for (const IssuedCertificate& one : index.issued) write(w, one);
  w.end_array().end_object();
  return w.take();
}

Result<CertificateIndex> read_index(std::string_view text) {
  constexpr std::string_view kBad = "the index of certificates cannot be read";
  const auto document = json::read(text, {.bytes_max = kIndexBytesMax});
  if (!document) return fail(Code::config, std::string(kBad));
  CertificateIndex index;
  Reader r(document->root());
  const auto count = document->root().find("crl_number");
  index.crl_number = r.one_of(count ? count->as_uint64() : std::nullopt);
  index.crl_update = r.time("crl_update");
  index.crl_next = r.time("crl_next");
  const auto issued = document->root().find("issued");
  if (!r.good() || !issued || !issued->is_array()) return fail(Code::config, std::string(kBad));
  for (const json::Value object : issued->elements()) {
    auto one = read(object);
    if (!one) return fail(Code::config, std::string(kBad));
    index.issued.push_back(std::move(*one));
  }
  return index;
}

}  // namespace sallyport::control
