#include "request/audit/segment_seal.h"

#include "core/encoding.h"
#include "core/secret.h"
#include "crypto/aead.h"
#include "request/audit/files.h"
#include "request/audit/scan.h"

namespace sallyport::audit {
namespace {

std::string key_context(std::string_view segment) { return "sallyport/1/audit segment key\n" + std::string(segment); }

std::string record_context(std::string_view segment, std::uint64_t seq) {
  return "sallyport/1/audit record\n" + std::string(segment) + "\n" + std::to_string(seq);
}

Result<std::string> first_line(const std::string& path) {
  std::string first;
  SP_TRY(const Rest rest, each_line(path, [&](std::string_view line) {
    first = line;
    return false;
  }));
  (void)rest;
  return first;
}

}  // namespace

Result<SegmentSeal> SegmentSeal::fresh(const Sealing& sealing, std::string segment) {
  crypto::LockedKey key = crypto::LockedKey::random(*sealing.random);
  SP_TRY(const std::string wrapped,
         crypto::seal(sealing.key, as_text(key.bytes()), key_context(segment), *sealing.random));
  SegmentSeal seal(std::move(key), std::move(segment), base64url_encode(as_bytes(wrapped)));
  seal.random_ = sealing.random;
  return seal;
}

Result<SegmentSeal> SegmentSeal::open(std::span<const std::byte> key, std::string segment, std::string_view data_key) {
  const auto wrapped = base64url_decode(data_key);
  auto plain = wrapped ? crypto::open(key, as_text(*wrapped), key_context(segment)) : fail(Code::crypto, "");
  if (!plain) return fail(Code::crypto, "the audit segment " + segment + " is sealed under another key, or was changed");
  auto locked = crypto::LockedKey::copy_of(as_bytes(*plain));
  wipe(*plain);
  if (!locked) return fail(std::move(locked).error());
  return SegmentSeal(std::move(*locked), std::move(segment), std::string(data_key));
}

Result<std::string> SegmentSeal::seal(std::string_view record, std::uint64_t seq) const {
  if (random_ == nullptr) return fail(Code::crypto, "a segment that was opened for reading seals nothing");
  SP_TRY(const std::string sealed, crypto::seal(key_.bytes(), record, record_context(segment_, seq), *random_));
  return base64url_encode(as_bytes(sealed));
}

Result<std::string> SegmentSeal::unseal(std::string_view sealed, std::uint64_t seq) const {
  const auto bytes = base64url_decode(sealed);
  if (!bytes) return fail(Code::crypto, "a sealed audit record is no base64url");
  return crypto::open(key_.bytes(), as_text(*bytes), record_context(segment_, seq));
}

Result<SegmentReader> SegmentReader::of(const std::string& dir, const std::string& segment,
                                        std::span<const std::byte> key) {
  SP_TRY(const std::string first, first_line(dir + "/" + segment));
  const auto members = Members::of(first);
  const std::string data_key = members ? members->text("data_key") : std::string();
  if (data_key.empty()) return SegmentReader(std::nullopt);
  SP_TRY(SegmentSeal seal, SegmentSeal::open(key, segment, data_key));
  return SegmentReader(std::move(seal));
}

Result<std::string> SegmentReader::record(std::string_view line) const {
  const auto members = seal_ ? Members::of(line) : std::nullopt;
  const std::string sealed = members ? members->text("sealed") : std::string();
  if (sealed.empty()) return std::string(line);
  const auto seq = members->number("seq");
  if (!seq) return fail(Code::crypto, "a sealed audit record without a number");
  return seal_->unseal(sealed, *seq);
}

}  // namespace sallyport::audit
