// The body of a backup: plain bytes in chunks of 256 KiB, each sealed with AES-256-GCM under the backup's own data key. The
// additional data of a chunk are the digest of the head, its number and whether it is the last (the STREAM construction of Hoang,
// Reyhanitabar, Rogaway and Vizar): a chunk that is cut off, moved, repeated or of another backup does not open. Memory: two
// chunks, however long the body. One thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "core/random.h"
#include "core/result.h"
#include "crypto/hash.h"
#include "crypto/locked_key.h"

namespace sallyport::backup {

class SealedWriter {
 public:
  using Sink = std::function<Result<void>(std::string_view)>;
  // `key` and `random` outlive it. `header`: the bytes of the head.
  SealedWriter(Sink sink, const crypto::LockedKey& key, std::string_view header, Random& random);
  Result<void> write(std::string_view plain);
  Result<void> finish();  // once, at the end

 private:
  Result<void> put_chunk(bool last);
  Sink sink_;
  const crypto::LockedKey& key_;
  crypto::Digest header_;
  Random& random_;
  std::string pending_;
  std::uint64_t chunks_ = 0;
};

// What a reader of plain bytes asks for: at most so many, fewer only at the end.
using PlainSource = std::function<Result<std::size_t>(std::span<char>)>;

class SealedReader {
 public:
  using Source = std::function<Result<std::size_t>(std::span<char>)>;
  // As SealedWriter; `source` gives what follows the head.
  SealedReader(Source source, const crypto::LockedKey& key, std::string_view header);
  // As PlainSource. Code::crypto: the body was changed, cut or put together of several.
  Result<std::size_t> read(std::span<char> out);

 private:
  Result<void> next_chunk();
  Source source_;
  const crypto::LockedKey& key_;
  crypto::Digest header_;
  std::string ahead_;  // the sealed chunk that comes next: only then is it known whether one is the last
  std::string plain_;
  std::size_t taken_ = 0;  // of plain_
  std::uint64_t chunks_ = 0;
  bool started_ = false, ended_ = false;
};

}  // namespace sallyport::backup
