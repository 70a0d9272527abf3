#include "control/backup/stream.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "control/backup/header.h"
#include "core/encoding.h"
#include "crypto/aead.h"

namespace sallyport::backup {
namespace {

constexpr std::size_t kSealedBytes = kChunkBytes + crypto::kAeadNonceBytes + crypto::kAeadTagBytes;

std::string additional(const crypto::Digest& header, std::uint64_t number, bool last) {
  std::string out("sallyport/1/backup-chunk\n");
  out.append(as_text(header));
  for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<char>((number >> shift) & 0xFF));
  out.push_back(last ? '\1' : '\0');
  return out;
}

}  // namespace

SealedWriter::SealedWriter(Sink sink, const crypto::LockedKey& key, std::string_view header, Random& random)
    : sink_(std::move(sink)), key_(key), header_(crypto::sha256(header)), random_(random) {
  pending_.reserve(kChunkBytes);
}

Result<void> SealedWriter::write(std::string_view plain) {
  while (!plain.empty()) {
    if (pending_.size() == kChunkBytes) SP_CHECK(put_chunk(false));
    const auto part = plain.substr(0, kChunkBytes - pending_.size());
    pending_.append(part);
    plain.remove_prefix(part.size());
  }
  return {};
}

Result<void> SealedWriter::finish() { return put_chunk(true); }

Result<void> SealedWriter::put_chunk(bool last) {
  SP_TRY(const std::string sealed, crypto::seal(key_.bytes(), pending_, additional(header_, chunks_++, last), random_));
  wipe(pending_);
  pending_.clear();
  return sink_(sealed);
}

SealedReader::SealedReader(Source source, const crypto::LockedKey& key, std::string_view header)
    : source_(std::move(source)), key_(key), header_(crypto::sha256(header)) {}

Result<void> SealedReader::next_chunk() {
  const auto fill = [&](std::string& chunk) -> Result<void> {
    chunk.resize(kSealedBytes);
    SP_TRY(const std::size_t got, source_(chunk));
    chunk.resize(got);
    return {};
  };
  if (!std::exchange(started_, true)) SP_CHECK(fill(ahead_));
  std::string sealed = std::move(ahead_);
  ahead_.clear();
  if (sealed.size() == kSealedBytes) SP_CHECK(fill(ahead_));
  const bool last = ahead_.empty();
  auto plain = crypto::open(key_.bytes(), sealed, additional(header_, chunks_, last));
  if (!plain) {
    return fail(Code::crypto, "the backup is damaged or was changed: its chunk " + std::to_string(chunks_) +
                                  (last ? " (the last)" : "") + " does not open");
  }
  ++chunks_;
  ended_ = last;
  plain_ = std::move(*plain);
  taken_ = 0;
  return {};
}

Result<std::size_t> SealedReader::read(std::span<char> out) {
  std::size_t done = 0;
  while (done < out.size()) {
    if (taken_ == plain_.size()) {
      if (ended_) break;
      SP_CHECK(next_chunk());
      continue;
    }
    const std::size_t part = std::min(out.size() - done, plain_.size() - taken_);
    std::memcpy(out.data() + done, plain_.data() + taken_, part);
    done += part;
    taken_ += part;
  }
  return done;
}

}  // namespace sallyport::backup
