// The authority's folder damaged, exchanged, and left by kill -9 at every step of a change.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "control/certificates_test_support.h"

namespace sallyport::control {
namespace {

using crypto::RevocationReason;
using std::chrono::days;
using enum CertificateKind;
using Authority = AuthorityTest;

class Damaged : public Authority {
 protected:
  void expect_refused() {
    const std::string ca = read_file(folder_ / "ca.crt"), index = read_file(folder_ / "index.sealed");
    Certificates again(deps());
    EXPECT_EQ(again.open().error().code, Code::config);
    EXPECT_FALSE(again.ready());
    EXPECT_EQ(again.init({}, {}, "a").error().code, Code::config);  // no new authority in the place of a damaged one
    EXPECT_EQ(read_file(folder_ / "ca.crt"), ca);
    EXPECT_EQ(read_file(folder_ / "index.sealed"), index);
  }
};

TEST_F(Damaged, AnotherMasterKeyOpensNothing) {
  (void)initialised();
  key_[0] ^= std::byte{1};
  expect_refused();
}

TEST_F(Damaged, AFlippedBitInAnySealedFileShows) {
  (void)initialised();
  for (const char* name : {"ca.key", "index.sealed"}) {
    const std::string good = read_file(folder_ / name);
    for (const std::size_t at : {good.size() - 2, good.size() / 2, std::size_t{25}, std::size_t{3}}) {
      std::string bad = good;
      bad[at] = bad[at] == 'A' ? 'B' : 'A';
      std::ofstream(folder_ / name, std::ios::binary) << bad;
      expect_refused();
    }
    std::ofstream(folder_ / name, std::ios::binary) << good;
  }
  EXPECT_TRUE(opened()->ready());
}

TEST_F(Damaged, SealedFilesAreNotSwapped) {
  (void)initialised();
  fs::copy_file(folder_ / "index.sealed", folder_ / "ca.key", fs::copy_options::overwrite_existing);
  expect_refused();
}

TEST_F(Damaged, AMissingIndexIsNotAnEmptyOne) {
  (void)initialised();
  fs::remove(folder_ / "index.sealed");
  expect_refused();
}

TEST_F(Damaged, AKeyThatOthersMayReadIsRefused) {
  (void)initialised();
  fs::permissions(folder_ / "ca.key", fs::perms::group_read, fs::perm_options::add);
  expect_refused();
}

TEST_F(Damaged, AnotherAuthoritysCertificateIsRefused) {
  (void)initialised();
  const std::string ours = read_file(folder_ / "ca.crt");
  const auto key = crypto::CertificateKey::generate(crypto::CertificateKeyType::ec_p256);
  const auto other = crypto::make_authority(*key, "evil", {clock_.wall(), clock_.wall() + days(9)}, random_);
  std::ofstream(folder_ / "ca.crt", std::ios::binary) << other->pem();
  expect_refused();
}

// S2-27: killed after each step of making an authority, of replacing the server's certificate and of a revocation: all of the
// change or nothing of it, and the two files of the server always belong together.
class Killed : public Authority {
 protected:
  // In a child that dies by SIGKILL after `steps` steps; false: it came to the end.
  bool dies_after(int steps, const std::function<void(Certificates&)>& work) {
    const pid_t child = ::fork();
    if (child == 0) {
      Certificates authority(deps([left = steps](std::string_view) mutable {
        if (left-- == 0) ::raise(SIGKILL);
        return true;
      }));
      if (authority.open()) work(authority);
      ::_exit(0);
    }
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    return WIFSIGNALED(status);
  }
  void expect_whole() {
    const auto authority = opened();
    if (!authority->ready()) {
      EXPECT_FALSE(fs::exists(folder_ / "ca.key"));
      return;
    }
    const auto server_now = on_disk("server.crt");
    EXPECT_EQ(server_now.facts().serial, authority->in_use(server)->serial);
    const auto key = crypto::CertificateKey::from_pem(read_file(folder_ / "server.key"));
    ASSERT_TRUE(key);
    EXPECT_TRUE(server_now.belongs_to(*key));
    std::vector<std::string> listed, indexed;
    for (const auto& one : list_on_disk().revoked) listed.push_back(one.serial);
    for (const auto& one : authority->list()) {
      if (one.revoked_at) indexed.push_back(one.serial);
    }
    std::ranges::sort(listed);
    std::ranges::sort(indexed);
    EXPECT_EQ(listed, indexed);
  }
};

TEST_F(Killed, AtEveryStepOfEveryChange) {
  const std::vector<std::function<void(Certificates&)>> changes{
      [](Certificates& a) { (void)a.init({"a.example"}, {}, "x"); },
      [](Certificates& a) { (void)a.init({"b.example"}, {}, "x"); },
      [](Certificates& a) { (void)a.revoke(a.in_use(server)->serial, RevocationReason::key_compromise, "x"); },
      [](Certificates& a) { (void)a.renew("ca", false, "x"); }};
  int killed = 0;
  for (const auto& change : changes) {
    for (int steps = 0; dies_after(steps, change); ++steps, ++killed) expect_whole();
    expect_whole();
  }
  EXPECT_GT(killed, 40);
  EXPECT_EQ(opened()->find("server")->alt_names.front().value, "b.example");
}

}  // namespace
}  // namespace sallyport::control
