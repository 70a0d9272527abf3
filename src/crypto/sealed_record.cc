#include "crypto/sealed_record.h"

#include <utility>

#include "core/encoding.h"
#include "crypto/aead.h"
#include "crypto/bound_fields.h"
#include "crypto/locked_key.h"

namespace sallyport::crypto {
namespace {

constexpr std::string_view kHead = "sps1.A256GCM.";

std::string place_of(const Binding& binding) {
  std::string version;
  append_number(version, binding.version);
  return bound_fields({binding.table, binding.row, binding.column, version});
}

std::string additional_of(std::string_view place) { return bound_fields({kHead, place}); }

}  // namespace

Result<SealedRecord> seal_record(const KeyStore& keys, std::string_view plain, const Binding& binding, Random& random) {
  if (plain.size() > kRecordPlainBytesMax) return fail(Code::limit, "a sealed value has at most 16 MiB");
  const std::string place = place_of(binding);
  const LockedKey data_key = LockedKey::random(random);
  SealedRecord record;
  SP_TRY(record.wrapped_key, keys.wrap(data_key, place, random));
  SP_TRY(const std::string body, seal(data_key.bytes(), plain, additional_of(place), random));
  record.ciphertext.reserve(kHead.size() + body.size());
  record.ciphertext.append(kHead).append(body);
  return record;
}

Result<Secret> open_record(const KeyStore& keys, const SealedRecord& record, const Binding& binding) {
  if (!record.ciphertext.starts_with(kHead)) {
    return fail(Code::crypto, "a sealed value has an unknown form or algorithm");
  }
  const std::string place = place_of(binding);
  SP_TRY(const LockedKey data_key, keys.unwrap(record.wrapped_key, place));
  const std::string_view body = std::string_view(record.ciphertext).substr(kHead.size());
  SP_TRY(std::string plain, open(data_key.bytes(), body, additional_of(place)));
  return Secret(std::move(plain));
}

Result<std::string> rewrap_record(const KeyStore& keys, std::string_view wrapped_key, const Binding& binding,
                                  Random& random) {
  const std::string place = place_of(binding);
  SP_TRY(const LockedKey data_key, keys.unwrap(wrapped_key, place));
  return keys.wrap(data_key, place, random);
}

}  // namespace sallyport::crypto
