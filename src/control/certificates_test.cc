// The built-in authority over a real folder: what lies there, who may have what, renewal on a fake clock.
#include <sys/stat.h>

#include <algorithm>

#include "control/certificates_test_support.h"

namespace sallyport::control {
namespace {

using crypto::RevocationReason;
using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using enum CertificateKind;

using Authority = AuthorityTest;

// S2-27, S2-45
TEST_F(Authority, InitMakesTheFolderThatTlsReads) {
  const auto authority = initialised();
  const auto ca = on_disk("ca.crt"), server = on_disk("server.crt");
  EXPECT_TRUE(server.issued_by(ca));
  EXPECT_EQ(server.facts().alt_names, (std::vector<crypto::AltName>{{crypto::AltNameKind::dns, "gateway.example"},
                                                                    {crypto::AltNameKind::ip, "127.0.0.1"}}));
  EXPECT_EQ(ca.facts().not_after - clock_.wall(), days(3650));
  EXPECT_EQ(server.facts().not_after - clock_.wall(), days(365));
  EXPECT_EQ(clock_.wall() - server.facts().not_before, minutes(5));
  const auto key = crypto::CertificateKey::from_pem(read_file(folder_ / "server.key"));
  ASSERT_TRUE(key);
  EXPECT_TRUE(server.belongs_to(*key));
  EXPECT_TRUE(list_on_disk().revoked.empty());
  EXPECT_EQ(notes_, (std::vector<std::string>{"init authority local:0", "issue server local:0"}));
}

// S2-40
TEST_F(Authority, TheAuthoritysKeyIsSealedAndPrivateFilesArePrivate) {
  (void)initialised();
  for (const char* name : {"ca.key", "server.key", "index.sealed"}) {
    struct stat info{};
    ASSERT_EQ(::stat((folder_ / name).c_str(), &info), 0) << name;
    EXPECT_EQ(info.st_mode & 0777U, 0600U) << name;
  }
  EXPECT_EQ(read_file(folder_ / "ca.key").find("PRIVATE KEY"), std::string::npos);
  EXPECT_EQ(read_file(folder_ / "index.sealed").find("gateway"), std::string::npos);
  EXPECT_FALSE(fs::exists(folder_ / "journal"));
}

TEST_F(Authority, IsTheSameAfterwards) {
  const auto before = initialised()->list();
  EXPECT_EQ(opened()->list(), before);
}

TEST_F(Authority, ASecondInitKeepsTheAuthorityAndReplacesTheServersCertificate) {
  const auto authority = initialised();
  const std::string ca = read_file(folder_ / "ca.crt");
  const auto old = *authority->in_use(server);
  const auto made = authority->init({"other.example"}, {}, "local:0");
  ASSERT_TRUE(made);
  EXPECT_TRUE(made->key_pem.empty());
  EXPECT_EQ(read_file(folder_ / "ca.crt"), ca);
  EXPECT_EQ(on_disk("server.crt").facts().serial, made->record.serial);
  EXPECT_EQ(authority->find(old.serial)->replaced_by, made->record.serial);
  EXPECT_FALSE(authority->find(old.serial)->in_use);
}

// S2-26
TEST_F(Authority, AClientGetsAKeyOnceAndAUriOfItsOwn) {
  const auto authority = initialised();
  CertificateWish wish = client("build robot");
  wish.user_id = "u 1";
  wish.life = days(30);
  const auto made = authority->issue(wish, "user:a");
  ASSERT_TRUE(made) << made.error().detail;
  const auto read = crypto::Certificate::from_pem(made->certificate_pem);
  ASSERT_TRUE(read);
  EXPECT_TRUE(read->facts().for_client);
  EXPECT_TRUE(read->issued_by(on_disk("ca.crt")));
  EXPECT_EQ(read->facts().alt_names,
            (std::vector<crypto::AltName>{{crypto::AltNameKind::uri, "urn:sallyport:user:u%201"}}));
  EXPECT_EQ(read->facts().not_after - clock_.wall(), days(30));
  EXPECT_TRUE(read->belongs_to(*crypto::CertificateKey::from_pem(made->key_pem.reveal())));
  EXPECT_EQ(authority->find("build robot")->serial, made->record.serial);
  const auto plain = authority->issue(client("x"), "user:a");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->record.alt_names.front().value, "urn:sallyport:client:x");
}

TEST_F(Authority, NobodyAsksForANameThatTheGatewayGives) {
  const auto authority = initialised();
  CertificateWish wish = client("mallory");
  wish.alt_names = {{crypto::AltNameKind::uri, "urn:sallyport:user:admin"}};
  EXPECT_EQ(authority->issue(wish, "user:m").error().code, Code::validation);
  wish = client("m");
  wish.life = days(826);
  EXPECT_EQ(authority->issue(wish, "user:m").error().code, Code::validation);
  wish = client("m");
  wish.kind = CertificateKind::authority;
  EXPECT_EQ(authority->issue(wish, "user:m").error().code, Code::validation);
  wish = client("m");
  wish.kind = server;
  wish.alt_names = {{crypto::AltNameKind::dns, "m.example"}};
  wish.user_id = "u";
  EXPECT_EQ(authority->issue(wish, "user:m").error().code, Code::validation);
}

TEST_F(Authority, FilesThatSomebodyPutThereStay) {
  fs::create_directory(folder_);
  fs::permissions(folder_, fs::perms::owner_all);
  for (const char* name : {"ca.crt", "server.crt", "server.key"}) {
    std::ofstream(folder_ / name) << "somebody's";
    const auto authority = opened();
    EXPECT_FALSE(authority->ready());
    EXPECT_EQ(authority->init({"a.example"}, {}, "a").error().code, Code::conflict) << name;
    EXPECT_EQ(read_file(folder_ / name), "somebody's");
    fs::remove(folder_ / name);
  }
  EXPECT_TRUE(opened()->init({"a.example"}, {}, "a"));
}

// RFC 8555: what a public authority issued takes the place of ours, is on no list of ours, and is not ours to renew.
TEST_F(Authority, WhatAnotherAuthorityIssuedIsAdopted) {
  const auto key = crypto::CertificateKey::generate(crypto::CertificateKeyType::ec_p256),
             own = crypto::CertificateKey::generate(crypto::CertificateKeyType::ec_p256);
  const auto other = crypto::make_authority(*key, "public", {clock_.wall(), clock_.wall() + days(900)}, random_);
  const auto leaf = crypto::issue(*other, *key, *own,
                                  {crypto::LeafKind::server,
                                   "a.example",
                                   {{crypto::AltNameKind::dns, "a.example"}},
                                   {clock_.wall(), clock_.wall() + days(90)}},
                                  random_);
  const auto pem = own->private_pem(), wrong = key->private_pem();
  auto authority = opened();
  EXPECT_EQ(authority->adopt(leaf->pem() + other->pem(), *wrong, "acme").error().code, Code::crypto);
  const auto made = authority->adopt(leaf->pem() + other->pem(), *pem, "acme");
  ASSERT_TRUE(made) << made.error().detail;
  EXPECT_EQ(read_file(folder_ / "server.crt"), leaf->pem() + other->pem());
  EXPECT_GE(made->renew_at, clock_.wall() + days(60));
  EXPECT_LE(made->renew_at, clock_.wall() + days(64));
  EXPECT_EQ(authority->renew("server", false, "a").error().code, Code::conflict);
  EXPECT_EQ(authority->revoke(made->serial, RevocationReason::superseded, "a").error().code, Code::validation);
  clock_.advance(hours(24 * 70));
  EXPECT_TRUE(authority->tick()->empty());
  authority.reset();
  EXPECT_TRUE(opened()->in_use(server)->foreign);
}

// However often an authority has its certificates renewed, the index stays one that can be read back.
TEST_F(Authority, OfWhatOthersIssuedTheNewestAloneAreKept) {
  const auto key = crypto::CertificateKey::generate(crypto::CertificateKeyType::ec_p256);
  const auto other = crypto::make_authority(*key, "public", {clock_.wall(), clock_.wall() + days(900)}, random_);
  const auto pem = key->private_pem();
  auto authority = opened();
  ASSERT_TRUE(authority->init({"a.example"}, {}, "a"));
  ASSERT_TRUE(authority->issue(client("ours"), "a"));
  const std::size_t ours = authority->index().issued.size();
  std::string newest;
  for (int i = 0; i < 15; ++i) {
    const auto leaf = crypto::issue(*other, *key, *key,
                                    {crypto::LeafKind::server,
                                     "a.example",
                                     {{crypto::AltNameKind::dns, "a.example"}},
                                     {clock_.wall(), clock_.wall() + days(90)}},
                                    random_);
    const auto made = authority->adopt(leaf->pem(), *pem, "acme");
    ASSERT_TRUE(made) << made.error().detail;
    newest = made->serial;
  }
  EXPECT_EQ(authority->index().issued.size(), ours + 10);
  EXPECT_EQ(authority->in_use(server)->serial, newest);
}

TEST_F(Authority, WithoutOneNothingIsIssued) {
  const auto authority = opened();
  EXPECT_EQ(authority->issue(client("x"), "a").error().code, Code::not_found);
  EXPECT_EQ(authority->authority_pem().error().code, Code::not_found);
  EXPECT_TRUE(authority->tick()->empty());
}

// S2-27
TEST_F(Authority, WhatIsRevokedIsOnTheListAtOnce) {
  const auto authority = initialised();
  int changes = 0;
  authority->on_change([&] { ++changes; });
  const auto made = authority->issue(client("x"), "a");
  ASSERT_TRUE(made);
  const auto before = list_on_disk().number;
  std::string shouted = made->record.serial;
  for (char& c : shouted) c = static_cast<char>(std::toupper(c));
  ASSERT_TRUE(authority->revoke(shouted, RevocationReason::key_compromise, "a"));
  const auto list = list_on_disk();
  ASSERT_EQ(list.revoked.size(), 1U);
  EXPECT_EQ(list.revoked[0].serial, made->record.serial);
  EXPECT_EQ(list.revoked[0].reason, RevocationReason::key_compromise);
  EXPECT_GT(list.number, before);
  EXPECT_EQ(changes, 2);
  EXPECT_EQ(authority->revoke(made->record.serial, RevocationReason::superseded, "a").error().code, Code::conflict);
  EXPECT_EQ(authority->renew(made->record.serial, false, "a").error().code, Code::conflict);
  EXPECT_EQ(authority->revoke("00", RevocationReason::superseded, "a").error().code, Code::not_found);
  EXPECT_EQ(authority->revoke(authority->find("ca")->serial, RevocationReason::superseded, "a").error().code,
            Code::validation);
}

TEST_F(Authority, TheServersOwnCertificateIsReplacedWhenItIsRevoked) {
  const auto authority = initialised();
  const auto old = *authority->in_use(server);
  ASSERT_TRUE(authority->revoke(old.serial, RevocationReason::key_compromise, "a"));
  const auto now = on_disk("server.crt");
  EXPECT_NE(now.facts().serial, old.serial);
  EXPECT_EQ(now.facts().alt_names, old.alt_names);
  EXPECT_TRUE(now.belongs_to(*crypto::CertificateKey::from_pem(read_file(folder_ / "server.key"))));
  EXPECT_EQ(list_on_disk().revoked.at(0).serial, old.serial);
}

TEST_F(Authority, RenewingAClientMakesANewKeyAndMayRevokeTheOld) {
  const auto authority = initialised();
  CertificateWish wish = client("x");
  wish.life = days(10);
  wish.alt_names = {{crypto::AltNameKind::email, "x@mail.example"}};
  const auto first = authority->issue(wish, "a");
  ASSERT_TRUE(first);
  clock_.advance(hours(24));
  const auto second = authority->renew("x", true, "a");
  ASSERT_TRUE(second) << second.error().detail;
  EXPECT_NE(second->record.spki_sha256, first->record.spki_sha256);
  EXPECT_EQ(second->record.alt_names, first->record.alt_names);
  EXPECT_EQ(second->record.not_after - clock_.wall(), days(10));
  EXPECT_EQ(list_on_disk().revoked.at(0).reason, RevocationReason::superseded);
}

// RSA keys are made beside the control executor, and given to the next change that needs one.
TEST_F(Authority, AKeyThatWasMadeBesideIsTheNextThatIsUsed) {
  const auto authority = initialised();
  for (const auto type : {crypto::CertificateKeyType::rsa_3072, crypto::CertificateKeyType::ec_p256}) {
    auto key = crypto::CertificateKey::generate(type);
    ASSERT_TRUE(key);
    const std::string made = key->spki_sha256();
    authority->stock(type, std::move(*key));
    CertificateWish wish = client("robot");
    wish.key_type = type;
    EXPECT_EQ(authority->issue(wish, "a")->record.spki_sha256, made);
  }
  EXPECT_NE(authority->issue(client("x"), "a")->record.spki_sha256,
            authority->issue(client("x"), "a")->record.spki_sha256);
  EXPECT_FALSE(authority->key_due());
  clock_.advance(hours(24 * 300));
  EXPECT_EQ(authority->key_due(), crypto::CertificateKeyType::ec_p256);
}

TEST_F(Authority, ARenewedAuthorityStillVouchesForWhatItIssued) {
  auto authority = initialised();
  const auto before = on_disk("ca.crt");
  clock_.advance(hours(24 * 100));
  ASSERT_TRUE(authority->renew("ca", false, "a"));
  const auto now = on_disk("ca.crt");
  EXPECT_NE(now.facts().fingerprint_sha256, before.facts().fingerprint_sha256);
  EXPECT_EQ(now.facts().spki_sha256, before.facts().spki_sha256);
  EXPECT_TRUE(on_disk("server.crt").issued_by(now));
  authority.reset();
  EXPECT_EQ(opened()->in_use(CertificateKind::authority)->serial, now.facts().serial);
}

// S2-27: at two thirds of the life, and a thirtieth of it later at most.
TEST_F(Authority, TheServersCertificateRenewsItself) {
  const auto authority = initialised();
  const auto old = *authority->in_use(server);
  int changes = 0;
  authority->on_change([&] { ++changes; });
  const WallTime begun = clock_.wall();
  while (authority->in_use(server)->serial == old.serial && clock_.wall() < begun + days(300)) {
    clock_.advance(hours(1));
    ASSERT_TRUE(authority->tick());
  }
  const auto age = clock_.wall() - begun;
  const hours life = days(365);  // in days, a third and a thirtieth of it are rounded
  EXPECT_GE(age, life * 2 / 3);
  EXPECT_LE(age, life * 2 / 3 + life / 30 + hours(1));
  EXPECT_EQ(on_disk("server.crt").facts().serial, authority->in_use(server)->serial);
  EXPECT_EQ(on_disk("server.crt").facts().not_after - clock_.wall(), days(365));
  EXPECT_EQ(on_disk("server.crt").facts().alt_names, old.alt_names);
  EXPECT_GE(changes, 1);
  EXPECT_EQ(notes_.back(), "renew server system");
}

TEST_F(Authority, CertificatesOfOneDayAreNotRenewedInOneMinute) {
  std::set<WallTime> times;
  const auto authority = initialised();
  for (int i = 0; i < 20; ++i) times.insert(authority->init({"a.example"}, {}, "a")->record.renew_at);
  EXPECT_EQ(times.size(), 20U);
}

TEST_F(Authority, TheListIsWrittenAnewBeforeItRunsOut) {
  const auto authority = initialised();
  for (int day = 0; day < 100; ++day) {
    clock_.advance(hours(24));
    ASSERT_TRUE(authority->tick());
    EXPECT_GT(list_on_disk().next_update, clock_.wall() + days(9));
  }
  EXPECT_LT(list_on_disk().number, 8U);
}

// S2-27
TEST_F(Authority, ARenewalThatFailsIsTriedAgainLaterAndLater) {
  const auto authority = initialised();
  const auto old = *authority->in_use(server);
  clock_.advance(old.not_after - clock_.wall() - days(3));
  refuse_ = "renew";
  std::vector<std::int64_t> pauses;
  WallTime last = clock_.wall();
  for (int i = 0; i < 60 * 12; ++i, clock_.advance(minutes(1))) {
    if (!authority->tick()) {
      pauses.push_back((clock_.wall() - last) / minutes(1));
      last = clock_.wall();
    }
  }
  ASSERT_GE(pauses.size(), 8U);
  EXPECT_EQ((std::vector<std::int64_t>(pauses.begin() + 1, pauses.begin() + 9)),
            (std::vector<std::int64_t>{1, 2, 4, 8, 16, 32, 60, 60}));
  EXPECT_TRUE(std::ranges::count(notes_, "renew_failed server system") >= 8);
  EXPECT_EQ(on_disk("server.crt").facts().serial, old.serial);
  refuse_.clear();
  clock_.advance(hours(2));
  EXPECT_EQ(authority->tick()->size(), 1U);
}

TEST_F(Authority, WhatCannotBeNotedDoesNotHappen) {
  const auto authority = initialised();
  const auto made = authority->issue(client("x"), "a");
  ASSERT_TRUE(made);
  const std::string index = read_file(folder_ / "index.sealed"), list = read_file(folder_ / "crl.pem");
  for (const char* what : {"issue", "renew", "revoke"}) {
    refuse_ = what;
    if (refuse_ == "issue") EXPECT_EQ(authority->issue(client("y"), "a").error().code, Code::audit_unavailable);
    if (refuse_ == "renew") EXPECT_EQ(authority->renew("server", false, "a").error().code, Code::audit_unavailable);
    if (refuse_ == "revoke") {
      EXPECT_EQ(authority->revoke(made->record.serial, RevocationReason::superseded, "a").error().code,
                Code::audit_unavailable);
    }
    EXPECT_EQ(read_file(folder_ / "index.sealed"), index) << what;
    EXPECT_EQ(read_file(folder_ / "crl.pem"), list) << what;
  }
}

TEST_F(Authority, OldCertificatesAreForgottenAndTheIndexHasAnEnd) {
  const auto authority = initialised();
  CertificateWish wish = client("short");
  wish.life = days(1);
  const auto made = authority->issue(wish, "a");
  ASSERT_TRUE(made);
  clock_.advance(hours(24 * 95));
  ASSERT_TRUE(authority->issue(client("x"), "a"));
  EXPECT_EQ(authority->find(made->record.serial).error().code, Code::not_found);
}

TEST_F(Authority, TwoProcessesDoNotShareAFolder) {
  const auto first = initialised();
  Certificates second(deps());
  EXPECT_EQ(second.open().error().code, Code::conflict);
  EXPECT_EQ(second.init({}, {}, "a").error().code, Code::conflict);
}

// An error half way is not a crash: the same object goes on with what the folder says.
TEST_F(Authority, AChangeThatFailsHalfWayIsNotForgottenByTheNext) {
  (void)initialised();
  int steps = -1;
  const auto authority = opened([&steps](std::string_view) { return steps < 0 || steps-- > 0; });
  const auto made = authority->issue(client("x"), "a");
  ASSERT_TRUE(made);
  steps = 4;  // the journal stands, its files do not
  ASSERT_FALSE(authority->revoke(made->record.serial, RevocationReason::key_compromise, "a"));
  steps = -1;
  ASSERT_TRUE(authority->issue(client("y"), "a"));
  EXPECT_TRUE(authority->find(made->record.serial)->revoked_at);
  EXPECT_EQ(list_on_disk().revoked.size(), 1U);
}

}  // namespace
}  // namespace sallyport::control
