// A folder of a few small files that change together (the authority's: certificates, keys, revocation list, index): whoever
// opens it after a crash at any point sees all of a change or nothing of it. A change is written to a journal first, synced
// and named by rename, then file by file, then the journal goes; open() ends what a journal still says. Each file too
// is replaced by rename, so that a reader of one file never sees half of it. One opener at a time (flock on `lock`).
// Blocking file calls; one thread at a time.
#pragma once

#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "core/result.h"

namespace sallyport::control {

struct CertificateFile {
  std::string name;
  std::string content;
  bool is_private = true;  // 0600, else 0644
};

class CertificateFiles {
 public:
  // Called after each step of a change, with the step's name; false: the process dies there (tests alone).
  using Step = std::function<bool(std::string_view step)>;

  // Makes the folder (0700). Errors: conflict (another process has it), config (a link, another's, open to others), io.
  static Result<CertificateFiles> open(const std::filesystem::path& folder, Step step = {});
  CertificateFiles(CertificateFiles&& other) noexcept;
  CertificateFiles& operator=(CertificateFiles&& other) noexcept;
  ~CertificateFiles();

  // not_found; limit: longer than `bytes_max`; config: a link, another's, or a private one that others may read.
  [[nodiscard]] Result<std::string> read(const std::string& name, std::size_t bytes_max) const;
  // All of them, or, where it fails or the process ends before the journal stands, none. An error after that leaves the
  // journal: the next replace() or open() ends it.
  Result<void> replace(std::span<const CertificateFile> files);
  [[nodiscard]] const std::filesystem::path& folder() const noexcept { return folder_; }

 private:
  CertificateFiles(std::filesystem::path folder, int lock, Step step);
  Result<void> recover();
  Result<void> carry_out(std::span<const CertificateFile> files);
  Result<void> put(const CertificateFile& file);
  [[nodiscard]] Result<void> done(std::string_view step) const;

  std::filesystem::path folder_;
  int lock_ = -1;
  Step step_;
};

}  // namespace sallyport::control
