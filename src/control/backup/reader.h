// A backup that is opened: its manifest, and its files one after the other. Trusts nothing that it reads: what is not as the
// manifest says is Code::crypto. Memory: two chunks and the manifest. One thread at a time.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "control/backup/files.h"
#include "control/backup/header.h"
#include "control/backup/manifest.h"
#include "control/backup/stream.h"

namespace sallyport::backup {

// May the work go on? False ends it with Code::cancelled.
using GoOn = std::function<bool()>;

// The plain bytes of a body: a manifest, then the files that are stored, nothing after them.
class ContentReader {
 public:
  // `bytes_max`: what the body can hold at most.
  static Result<ContentReader> open(PlainSource source, std::uint64_t bytes_max);

  [[nodiscard]] const Manifest& manifest() const noexcept { return manifest_; }
  // Writes those stored files that `wanted` says, into `folder` (which is there, empty and private); reads past the others.
  // Each must have its size and digest, and nothing may follow. Once.
  Result<void> extract(const std::string& folder, const std::function<bool(const Entry&)>& wanted, const GoOn& go_on);

 private:
  ContentReader(PlainSource source, Manifest manifest) : source_(std::move(source)), manifest_(std::move(manifest)) {}
  Result<void> take(const Entry& entry, File* to, const GoOn& go_on);
  PlainSource source_;
  Manifest manifest_;
};

class Backup {
 public:
  static Result<Backup> open(const std::string& path, const Unlock& unlock);
  [[nodiscard]] const Header& header() const noexcept { return header_; }
  [[nodiscard]] const Manifest& manifest() const noexcept { return content_->manifest(); }
  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }
  [[nodiscard]] ContentReader& content() noexcept { return *content_; }

 private:
  Backup() = default;
  Header header_;
  std::uint64_t bytes_ = 0;
  // Each needs the one before it, at its place.
  std::unique_ptr<File> file_;
  std::unique_ptr<crypto::LockedKey> key_;
  std::unique_ptr<SealedReader> body_;
  std::unique_ptr<ContentReader> content_;
};

// The head of a file, without a key.
Result<Header> read_head(const std::string& path);

// The head is the one that was written with the body: its key opens, and the first chunk, which is bound to the head. What a head
// says (its date above all) is not to be believed of another.
bool is_authentic(const std::string& path, const Unlock& unlock);

// Its key opens, and its bytes are not those that were sealed. False too where that cannot be known: no key, no such file, it
// cannot be read. Writes nothing.
bool is_damaged(const std::string& path, const Unlock& unlock, const GoOn& go_on);

// Does the backup at `path` open with these, and does each beside it that it takes bytes from? Heads and manifests; no file of it is
// read. Errors: those of extract_all().
Result<void> check_chain(const std::string& path, const Unlock& unlock);

// Name of a file beside it that it takes bytes from and that is_damaged(); empty: none is that this can tell.
std::string damaged_beside(const std::string& path, const Unlock& unlock, const GoOn& go_on);

// All files of the backup at `path` into `folder`, those of earlier backups from the files beside it. What `path` says, and each
// digest, is checked; the manifest. `accept` may refuse that before anything is written; none: all is accepted.
Result<Manifest> extract_all(const std::string& path, const Unlock& unlock, const std::string& folder,
                             const GoOn& go_on, const std::function<Result<void>(const Manifest&)>& accept = {});

}  // namespace sallyport::backup
