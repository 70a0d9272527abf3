// ${env:NAME}, ${file:path}, ${dir:NAME}: where a secret is, instead of the secret.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "config/config.h"

namespace sallyport::config {
namespace {

constexpr std::size_t kSecretMax = 64U << 10;

struct Descriptor {
  int fd;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

Result<std::string> read_secret_file(const std::string& path) {
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)};
  if (file.fd < 0) return fail(Code::config, "secret file " + path + " cannot be opened");
  struct stat st{};
  if (::fstat(file.fd, &st) != 0 || !S_ISREG(st.st_mode))
    return fail(Code::config, "secret file " + path + " is no regular file");
  if ((st.st_mode & (S_IRWXO | S_IWGRP)) != 0) {
    return fail(Code::config, "secret file " + path + " is open to others; fix: chmod 600 " + path);
  }
  if (st.st_size > static_cast<off_t>(kSecretMax))
    return fail(Code::config, "secret file " + path + " is larger than 64 KiB");
  std::string text(kSecretMax + 1, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const ssize_t n = ::read(file.fd, text.data() + size, text.size() - size);
    if (n < 0) return fail(Code::config, "secret file " + path + " cannot be read");
    if (n == 0) break;
    size += static_cast<std::size_t>(n);
  }
  if (size > kSecretMax) return fail(Code::config, "secret file " + path + " is larger than 64 KiB");
  std::string out(text, 0, size);
  wipe(text);
  if (out.ends_with('\n')) out.resize(out.size() - (out.ends_with("\r\n") ? 2 : 1));
  if (out.empty()) return fail(Code::config, "secret file " + path + " is empty");
  return out;
}

Result<std::string> resolve_one(std::string_view inner, const std::string& home, const Environment& environment) {
  if (inner.starts_with("env:")) {
    const auto found = environment.find(inner.substr(4));
    if (found == environment.end() || found->second.empty()) {
      return fail(Code::config, "environment variable " + std::string(inner.substr(4)) + " is not set");
    }
    return found->second;
  }
  if (inner.starts_with("file:")) {
    std::filesystem::path path(inner.substr(5));
    if (path.is_relative()) path = std::filesystem::path(home) / path;
    return read_secret_file(path.lexically_normal().string());
  }
  if (inner.starts_with("vault:") || inner.starts_with("dir:") || inner.starts_with("kv:") ||
      inner.starts_with("aws:")) {
    return fail(Code::config, "${" + std::string(inner) +
                                  "}: settings are read before the vault and its sources; use ${env:NAME} "
                                  "or ${file:PATH}");
  }
  return fail(Code::config, "malformed reference: write ${env:NAME} or ${file:PATH}");
}

}  // namespace

Result<Secret> read_secret_in(const std::string& folder, std::string_view name) {
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-';
  };
  if (name.empty() || name.size() > 253 || name.front() == '.' || !std::ranges::all_of(name, good)) {
    return fail(Code::config, "a name in " + folder + " has 1 to 253 of A-Z a-z 0-9 . _ - and no dot in front");
  }
  struct stat st{};
  if (!folder.starts_with('/') || ::stat(folder.c_str(), &st) != 0 || !S_ISDIR(st.st_mode)) {
    return fail(Code::config, "the folder of secrets " + folder + " is not there");
  }
  // Who may put files there decides what we send to servers. Kubernetes gives its folders mode 1777, and mounts them read-only.
  const bool ours = st.st_uid == ::geteuid() || st.st_uid == 0;
  struct statvfs mounted{};
  const bool read_only = ::statvfs(folder.c_str(), &mounted) == 0 && (mounted.f_flag & ST_RDONLY) != 0;
  if (!ours || (!read_only && (st.st_mode & (S_IWGRP | S_IWOTH)) != 0)) {
    return fail(Code::config, "the folder of secrets " + folder + " can be written by others; fix: chmod go-w " +
                                  folder + ", or mount it read-only");
  }
  SP_TRY(std::string text, read_secret_file(folder + "/" + std::string(name)));
  return Secret(std::move(text));
}

bool has_reference(std::string_view text) { return text.find("${") != std::string_view::npos; }

Result<Secret> resolve_reference(std::string_view text, const std::string& home, const Environment& environment) {
  std::string out;
  while (!text.empty()) {
    const auto at = std::min(text.find("${"), text.size());
    out.append(text.substr(0, at));
    text.remove_prefix(at);
    if (text.empty()) break;
    const auto end = text.find('}');
    auto part = resolve_one(end == std::string_view::npos ? "" : text.substr(2, end - 2), home, environment);
    if (!part) {
      wipe(out);
      return fail(std::move(part).error());
    }
    out.append(*part);
    wipe(*part);
    text.remove_prefix(end + 1);
  }
  return Secret(std::move(out));
}

}  // namespace sallyport::config
