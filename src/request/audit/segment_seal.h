// Sealed segments (S0-18, C18): where audit.encryption is on, each segment has a data key of its own, and every record but
// the first is written as
//   {"seq":7,"sealed":"<base64url of nonce, ciphertext and tag>","leaf":"<64 hex digits>"}
// AES-256-GCM; inside is the record as it would stand in the clear, without its leaf; the additional data are the segment's
// name and `seq`, so that a record does not open in another place. The first record, segment_start, stays readable and
// carries the data key in "data_key", sealed under Purpose::audit_encryption and bound to the segment's name. Leaves are
// hashed over what stands in the file: verify() needs no key. Internal to the audit stage; one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/random.h"
#include "core/result.h"
#include "crypto/locked_key.h"

namespace sallyport::audit {

// Empty key: records stand in the clear. The key (32 bytes, of the KeyStore) and the source live as long as the writers.
struct Sealing {
  std::span<const std::byte> key;
  Random* random = nullptr;
};

class SegmentSeal {
 public:
  static Result<SegmentSeal> fresh(const Sealing& sealing, std::string segment);
  // Code::crypto where `data_key` was not sealed under this key for this segment.
  static Result<SegmentSeal> open(std::span<const std::byte> key, std::string segment, std::string_view data_key);

  // For "data_key".
  [[nodiscard]] const std::string& data_key() const noexcept { return data_key_; }
  // For "sealed".
  [[nodiscard]] Result<std::string> seal(std::string_view record, std::uint64_t seq) const;
  [[nodiscard]] Result<std::string> unseal(std::string_view sealed, std::uint64_t seq) const;

 private:
  SegmentSeal(crypto::LockedKey key, std::string segment, std::string data_key)
      : key_(std::move(key)), segment_(std::move(segment)), data_key_(std::move(data_key)) {}

  crypto::LockedKey key_;
  std::string segment_, data_key_;
  Random* random_ = nullptr;  // of one that was opened: none, it seals nothing
};

// Reads the records of one segment, sealed or not.
class SegmentReader {
 public:
  // `key`: Purpose::audit_encryption's. Code::crypto where the segment is sealed and the key does not open it.
  static Result<SegmentReader> of(const std::string& dir, const std::string& segment, std::span<const std::byte> key);
  // The record of a complete line, in the clear: the line itself, or what was sealed in it (then without a leaf).
  // Code::crypto where it does not open.
  [[nodiscard]] Result<std::string> record(std::string_view line) const;

 private:
  explicit SegmentReader(std::optional<SegmentSeal> seal) : seal_(std::move(seal)) {}
  std::optional<SegmentSeal> seal_;
};

}  // namespace sallyport::audit
