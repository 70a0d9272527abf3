// TlsDesk: what it reads, what it keeps when a file is broken or gone, when it warns, when tickets get another key.
#include "app/tls.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "app/tls_files.h"
#include "net/tls_test_ocsp.h"
#include "net/tls_test_support.h"

namespace sallyport::app {
namespace {

using net::CertificateWish;
using net::TestCertificate;
using std::chrono::hours;

constexpr long kYear = 365L * 86'400;

class TlsDeskTest : public testing::Test {
 protected:
  TlsDeskTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "sallyport-tls-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    auto& tls = settings_.tls;
    for (auto [into, name] : {std::pair{&tls.certificate, "server.crt"}, std::pair{&tls.key, "server.key"},
                              std::pair{&tls.client_ca, "ca.crt"}, std::pair{&tls.crl, "crl.pem"}}) {
      *into = folder_ + "/" + name;
    }
    place(server_);
    write("ca.crt", ca_.pem());
  }
  ~TlsDeskTest() override { std::filesystem::remove_all(folder_); }

  void write(const std::string& name, const std::string& text, mode_t mode = 0600) const {
    const std::string path = folder_ + "/" + name;
    std::ofstream(path + ".new", std::ios::binary) << text;
    ::chmod((path + ".new").c_str(), mode);
    std::filesystem::rename(path + ".new", path);
  }
  void place(const TestCertificate& certificate) const {
    write("server.crt", certificate.pem());
    write("server.key", certificate.key_pem());
  }
  TlsDesk& desk() {
    if (!desk_) {
      desk_.emplace(TlsDeps{settings_, clock_, random_, log_,
                            [this](std::string_view action, const std::string& text, bool) {
                              notes_.push_back(std::string(action) + ": " + text);
                            },
                            [this](std::shared_ptr<const net::TlsServer> server) -> Task<void> {
                              handed_.push_back(std::move(server));
                              co_return;
                            }});
    }
    return *desk_;
  }
  void watch() {
    asio::io_context io;
    asio::co_spawn(io, desk().watch(), [](const std::exception_ptr& error) { EXPECT_FALSE(error); });
    io.run();
  }
  // Is `one` revoked by what is served now?
  [[nodiscard]] bool revokes(const TestCertificate& one) {
    const auto read = net::read_certificate(one.x509());
    EXPECT_TRUE(read);
    return read && desk().server()->revokes(*read);
  }
  // Client certificates are asked for, and the list revokes nobody yet.
  void open_with_clients() {
    settings_.tls.client_certificates = "required";
    write("crl.pem", ca_.crl_pem(nullptr, 9 * kYear));
    ASSERT_TRUE(desk().open());
    ASSERT_FALSE(revokes(second_));
  }
  [[nodiscard]] bool noted(std::string_view action, std::string_view words) const {
    return std::ranges::any_of(notes_, [&](const std::string& note) {
      return note.starts_with(std::string(action) + ": ") && note.find(words) != std::string::npos;
    });
  }
  [[nodiscard]] std::string subject() { return desk().server()->certificate().subject; }

  FakeClock clock_;
  SystemRandom random_;
  std::string lines_;
  telemetry::Log log_{clock_, {.capture = &lines_}};
  config::Settings settings_;
  std::string folder_;
  // The clock stands in another year than the certificates' own.
  TestCertificate ca_{
      CertificateWish{.name = "ca", .names = nullptr, .from = -9 * kYear, .until = 9 * kYear, .authority = true}};
  TestCertificate server_{CertificateWish{.name = "first", .from = -9 * kYear, .until = 9 * kYear}, &ca_};
  TestCertificate second_{CertificateWish{.name = "second", .from = -9 * kYear, .until = 9 * kYear}, &ca_};
  std::vector<std::string> notes_;
  std::vector<std::shared_ptr<const net::TlsServer>> handed_;
  std::optional<TlsDesk> desk_;
};

TEST_F(TlsDeskTest, TakesUpWhatChanged) {
  ASSERT_TRUE(desk().open());
  EXPECT_EQ(subject(), "CN=first");
  watch();
  EXPECT_TRUE(handed_.empty()) << "nothing has changed";
  place(second_);
  watch();
  EXPECT_EQ(subject(), "CN=second");
  ASSERT_EQ(handed_.size(), 1U);
  EXPECT_EQ(handed_[0], desk().server());
  EXPECT_NE(desk().metrics().find("\nsallyport_tls_reloads_total 1\n"), std::string::npos);
}

TEST_F(TlsDeskTest, ABrokenFileKeepsTheOldOneAndIsToldOnce) {
  ASSERT_TRUE(desk().open());
  write("server.crt", second_.pem());  // and the key still to come
  watch();
  watch();
  EXPECT_EQ(subject(), "CN=first");
  EXPECT_TRUE(handed_.empty());
  ASSERT_EQ(notes_.size(), 2U);
  EXPECT_NE(notes_[1].find("is not the key of tls.certificate"), std::string::npos);
  EXPECT_NE(desk().metrics().find("sallyport_tls_reload_failures_total 1\n"), std::string::npos);
  write("server.key", second_.key_pem());
  watch();
  EXPECT_EQ(subject(), "CN=second");
}

TEST_F(TlsDeskTest, ARevocationListThatVanishesIsNoEmptyList) {
  settings_.tls.client_certificates = "required";
  write("crl.pem", ca_.crl_pem(&second_, 9 * kYear));
  ASSERT_TRUE(desk().open());
  std::filesystem::remove(settings_.tls.crl);
  place(second_);
  watch();
  EXPECT_EQ(subject(), "CN=first");
  EXPECT_NE(notes_.back().find("tls.crl"), std::string::npos) << notes_.back();
}

TEST_F(TlsDeskTest, TheDefaultListMayBeMissingANamedOneMayNot) {
  settings_.tls.client_certificates = "required";
  ASSERT_TRUE(desk().open());
  desk_.reset();
  settings_.tls.crl_required = true;
  const auto opened = desk().open();
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().detail.find("tls.crl"), std::string::npos);
}

TEST_F(TlsDeskTest, ARevocationTakesEffectThoughTheKeyIsRefused) {
  open_with_clients();
  write("server.key", server_.key_pem(), 0644);
  write("crl.pem", ca_.crl_pem(&second_, 9 * kYear));
  watch();
  EXPECT_TRUE(revokes(second_));
  EXPECT_EQ(subject(), "CN=first");
  ASSERT_EQ(handed_.size(), 1U);
  EXPECT_EQ(handed_[0], desk().server());
  EXPECT_TRUE(noted("refuse_certificate", "chmod 600"));
  EXPECT_TRUE(noted("serve_revocations", "tls.crl"));
  EXPECT_NE(desk().metrics().find("sallyport_tls_reload_failures_total 1\n"), std::string::npos);
  watch();
  EXPECT_EQ(handed_.size(), 1U) << "once a change";
}

TEST_F(TlsDeskTest, ARevocationTakesEffectThoughTheServersCertificateHasExpired) {
  open_with_clients();
  clock_.advance(desk().server()->certificate().not_after - clock_.wall() + hours(1));
  write("crl.pem", ca_.crl_pem(&second_, 9 * kYear));
  watch();
  EXPECT_TRUE(revokes(second_));
  EXPECT_TRUE(noted("refuse_certificate", "expired at"));
  ASSERT_FALSE(handed_.empty());  // the new ticket keys come too: years have passed
  EXPECT_TRUE(handed_.front()->session()) << "it serves";
}

TEST_F(TlsDeskTest, ABrokenListBesideABrokenKeyLeavesAllAsItWas) {
  settings_.tls.client_certificates = "required";
  write("crl.pem", ca_.crl_pem(&second_, 9 * kYear));
  ASSERT_TRUE(desk().open());
  write("server.key", "none");
  write("crl.pem", "none");
  watch();
  EXPECT_TRUE(revokes(second_)) << "the former list holds";
  EXPECT_TRUE(handed_.empty());
  EXPECT_TRUE(noted("refuse_certificate", "tls.key"));
  EXPECT_TRUE(noted("refuse_certificate", "tls.crl")) << notes_.back();
  std::filesystem::remove(settings_.tls.crl);
  watch();
  EXPECT_TRUE(revokes(second_)) << "nor is one that is gone an empty one";
}

TEST_F(TlsDeskTest, ABadOcspResponseIsRefusedAtTheStartAndLeftOutLater) {
  settings_.tls.ocsp = folder_ + "/ocsp.der";
  write("ocsp.der", "none");
  const auto opened = desk().open();
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().detail.find("tls.ocsp"), std::string::npos);
  desk_.reset();
  write("ocsp.der", net::ocsp_response(ca_, server_, V_OCSP_CERTSTATUS_GOOD, 9 * kYear));
  ASSERT_TRUE(desk().open());
  EXPECT_TRUE(desk().server()->ocsp_until());
  place(second_);  // and the response about it still to come
  watch();
  EXPECT_EQ(subject(), "CN=second");
  EXPECT_FALSE(desk().server()->ocsp_until());
  EXPECT_TRUE(noted("refuse_ocsp", "tls.ocsp"));
  std::filesystem::remove(settings_.tls.ocsp);
  place(server_);
  watch();
  EXPECT_EQ(subject(), "CN=first");
}

TEST_F(TlsDeskTest, ListsMayBeLargeOtherFilesNot) {
  const std::string much(std::size_t{2} << 20U, '\n');
  open_with_clients();
  write("crl.pem", much + ca_.crl_pem(&second_, 9 * kYear));
  watch();
  EXPECT_TRUE(revokes(second_));
  std::filesystem::resize_file(settings_.tls.crl, kTlsListMax + 1);
  watch();
  EXPECT_TRUE(noted("refuse_certificate", "is larger than 32 MiB"));
  write("crl.pem", ca_.crl_pem(&second_, 9 * kYear));
  write("ca.crt", much + ca_.pem());
  watch();
  EXPECT_TRUE(noted("refuse_certificate", "is larger than 1 MiB"));
}

TEST_F(TlsDeskTest, AKeyThatOthersCanReadIsRefusedWithTheFix) {
  for (const mode_t mode : {0604, 0640, 0660, 0644, 0620}) {
    write("server.key", server_.key_pem(), mode);
    const auto opened = desk().open();
    ASSERT_FALSE(opened) << std::oct << mode;
    EXPECT_NE(opened.error().detail.find("fix: chmod 600 " + settings_.tls.key), std::string::npos);
    desk_.reset();
  }
  write("server.key", server_.key_pem(), 0400);
  EXPECT_TRUE(desk().open());
}

TEST_F(TlsDeskTest, TicketsGetAnotherKeyEachHour) {
  ASSERT_TRUE(desk().open());
  clock_.advance(hours(1) - std::chrono::seconds(1));
  watch();
  EXPECT_TRUE(handed_.empty());
  clock_.advance(std::chrono::seconds(1));
  watch();
  ASSERT_EQ(handed_.size(), 1U);
  EXPECT_EQ(handed_[0], desk().server());
  EXPECT_EQ(subject(), "CN=first");
}

TEST_F(TlsDeskTest, WarnsBeforeTheEndOnceADayAndLouderLater) {
  ASSERT_TRUE(desk().open());
  const auto count = [&](std::string_view what) {
    std::size_t n = 0;
    for (auto at = lines_.find(what); at != std::string::npos; at = lines_.find(what, at + 1)) ++n;
    return n;
  };
  const auto end = desk().server()->certificate().not_after;
  clock_.advance(end - clock_.wall() - hours(24 * 31));
  watch();
  EXPECT_EQ(count("ends soon"), 0U);
  clock_.advance(hours(24 * 2));
  for (int i = 0; i < 5; ++i) watch();
  EXPECT_EQ(count("ends soon"), 1U) << lines_;
  clock_.advance(hours(25));
  watch();
  EXPECT_EQ(count("ends soon"), 2U) << "a day later";
  clock_.advance(hours(24 * 22));
  watch();
  EXPECT_EQ(count("ends soon"), 3U);
  EXPECT_NE(lines_.find(" error "), std::string::npos) << lines_;
  clock_.advance(hours(24 * 10));
  watch();
  EXPECT_EQ(count("has expired"), 1U);
}

}  // namespace
}  // namespace sallyport::app
