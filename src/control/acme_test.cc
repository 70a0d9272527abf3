// The port that an ACME client of its own port listens at (RFC 8737): found out at the start whether it can.
#include "control/acme.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "core/clock.h"
#include "core/random.h"
#include "crypto/x509_issue.h"

namespace sallyport::control {
namespace {

AcmeRules rules_for(std::uint16_t port) {
  AcmeRules rules;
  rules.enabled = rules.tls_alpn = true;
  rules.port = port;
  return rules;
}

// Somebody else's, at one address.
class Listening {
 public:
  Listening() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in there{};
    there.sin_family = AF_INET;
    there.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof there;
    auto* const address = reinterpret_cast<sockaddr*>(&there);
    if (::bind(fd_, address, size) == 0 && ::listen(fd_, 1) == 0 && ::getsockname(fd_, address, &size) == 0)
      port_ = ntohs(there.sin_port);
  }
  ~Listening() { ::close(fd_); }
  Listening(const Listening&) = delete;
  Listening& operator=(const Listening&) = delete;
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  int fd_;
  std::uint16_t port_ = 0;
};

TEST(AcmePort, ThatIsTakenIsRefusedWithTheFix) {
  std::uint16_t port = 0;
  {
    const Listening other;
    port = other.port();
    ASSERT_NE(port, 0);
    const auto tried = try_acme_port(rules_for(port));
    ASSERT_FALSE(tried);
    EXPECT_EQ(tried.error().code, Code::io);
    EXPECT_EQ(tried.error().detail,
              "acme.port: port " + std::to_string(port) +
                  " is in use, so the ACME client could not listen there; fix: stop the other server, or name a free "
                  "one, or leave acme.port at 0 where the gateway serves TLS on port 443 itself");
  }
  const auto free = try_acme_port(rules_for(port));
  EXPECT_TRUE(free) << free.error().detail;
  EXPECT_TRUE(try_acme_port(rules_for(port))) << "asking leaves nothing behind";
}

TEST(AcmePort, IsAskedOnlyWhereTheClientListensByItself) {
  const Listening other;
  AcmeRules off = rules_for(other.port()), by_http = off;
  off.enabled = false;
  by_http.tls_alpn = false;
  for (const AcmeRules& rules : {off, by_http, rules_for(0)}) EXPECT_TRUE(try_acme_port(rules));
}

// In a child that has no rights. 0: refused as it should be; 1: not; 2: such ports are open to all here.
int try_without_rights() {
  std::ifstream from("/proc/sys/net/ipv4/ip_unprivileged_port_start");
  int first = 1024;
  if (from >> first && first <= 81) return 2;
  if (::geteuid() == 0 && (::setgid(65534) != 0 || ::setuid(65534) != 0)) return 2;
  const auto tried = try_acme_port(rules_for(81));
  if (!tried && tried.error().detail.find("is in use") != std::string::npos) return 2;
  return !tried && tried.error().detail.find("needs root or CAP_NET_BIND_SERVICE") != std::string::npos ? 0 : 1;
}

TEST(AcmePort, ThatOnlyRootMayHaveIsRefusedWithTheFix) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(try_without_rights());
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == 2) GTEST_SKIP() << "every user may have port 81 on this machine";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

// One that is due again at once would be ordered for ever.
TEST(AcmeCertificateAbuse, ThatEndsWithinAnHourIsNotTaken) {
  SystemRandom random;
  const WallTime now = SystemClock().wall();
  const auto key = crypto::CertificateKey::generate(crypto::CertificateKeyType::ec_p256);
  const auto pem = key->private_pem();
  const auto other = crypto::make_authority(*key, "public", {now, now + std::chrono::hours(900)}, random);
  AcmeRules rules;
  rules.hosts = {"a.example"};
  std::string pattern = (std::filesystem::temp_directory_path() / "sp-acme-XXXXXX").string();
  const std::filesystem::path folder = ::mkdtemp(pattern.data());
  for (const int minutes : {59, 61}) {
    std::filesystem::create_directories(folder / "lego" / "certificates");
    const auto leaf = crypto::issue(*other, *key, *key,
                                    {crypto::LeafKind::server,
                                     "a.example",
                                     {{crypto::AltNameKind::dns, "a.example"}},
                                     {now, now + std::chrono::minutes(minutes)}},
                                    random);
    std::ofstream(folder / "lego/certificates/a.example.crt") << leaf->pem();
    std::ofstream(folder / "lego/certificates/a.example.key") << pem->reveal();
    const auto taken = take_acme_certificate(rules, folder, now);
    EXPECT_EQ(taken.has_value(), minutes == 61) << minutes;
    EXPECT_TRUE(taken || taken.error().detail == "the certificate ends in less than an hour") << taken.error().detail;
  }
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace sallyport::control
