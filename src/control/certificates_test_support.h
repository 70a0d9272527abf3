// Tests only: an authority over a folder of its own, on a fake clock.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>
#include <memory>

#include "control/certificates.h"
#include "crypto/hash.h"

namespace sallyport::control {

namespace fs = std::filesystem;

inline std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class AuthorityTest : public testing::Test {
 protected:
  AuthorityTest() {
    std::string name = testing::TempDir() + "sp_certs_XXXXXX";
    root_ = ::mkdtemp(name.data());
    folder_ = root_ / "certs";
  }
  ~AuthorityTest() override { fs::remove_all(root_); }

  Certificates::Deps deps(CertificateFiles::Step step = {}) {
    return {folder_,
            key_,
            random_,
            clock_,
            [this](std::string_view what, const IssuedCertificate& about, std::string_view by) -> Result<void> {
              if (refuse_ == what) return fail(Code::audit_unavailable, "full");
              notes_.push_back(std::string(what) + " " + std::string(name_of(about.kind)) + " " + std::string(by));
              return {};
            },
            std::move(step)};
  }
  std::unique_ptr<Certificates> opened(CertificateFiles::Step step = {}) {
    auto made = std::make_unique<Certificates>(deps(std::move(step)));
    const auto read = made->open();
    EXPECT_TRUE(read) << read.error().detail;
    return made;
  }
  std::unique_ptr<Certificates> initialised() {
    auto made = opened();
    EXPECT_TRUE(made->init({"gateway.example", "127.0.0.1"}, {}, "local:0"));
    return made;
  }
  static CertificateWish client(std::string name) {
    CertificateWish wish;
    wish.name = std::move(name);
    return wish;
  }
  crypto::Certificate on_disk(const char* name) {
    auto read = crypto::Certificate::from_pem(read_file(folder_ / name));
    EXPECT_TRUE(read) << name;
    return std::move(*read);
  }
  crypto::RevocationList list_on_disk() {
    auto read = crypto::read_crl(read_file(folder_ / "crl.pem"), on_disk("ca.crt"));
    EXPECT_TRUE(read);
    return std::move(*read);
  }

  fs::path root_, folder_;
  FakeClock clock_;
  SystemRandom random_;
  crypto::Digest key_ = crypto::sha256("a key of the key store");
  std::vector<std::string> notes_;
  std::string refuse_;
};

}  // namespace sallyport::control
