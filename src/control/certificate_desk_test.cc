// Whom client certificates stand for: what may be a name, and who may say so (S2-26).
#include "control/certificate_desk.h"

#include <gtest/gtest.h>

#include "core/asio.h"

namespace sallyport::control {
namespace {

const std::string kHex(64, 'a');

TEST(CertificateName, IsOfAKnownKindAndExact) {
  EXPECT_EQ(certificate_name("uri:spiffe://prod.example/agent/7").value(), "uri:spiffe://prod.example/agent/7");
  EXPECT_EQ(certificate_name("email:Ada@Example.com").value(), "email:Ada@Example.com");
  EXPECT_EQ(certificate_name("dns:Agent.Example.COM").value(), "dns:agent.example.com");
  std::string shown;  // as openssl x509 -fingerprint prints it
  for (int i = 0; i < 32; ++i) shown += i == 0 ? "AA" : ":AA";
  EXPECT_EQ(certificate_name("sha256:" + shown).value(), "sha256:" + kHex);
}

TEST(CertificateName, IsNoPatternAndNothingElse) {
  for (const std::string& bad : {std::string(),
                                 std::string("uri:"),
                                 std::string("uri"),
                                 std::string("cn:admin"),
                                 std::string("subject:CN=a"),
                                 std::string("dns:*.example.com"),
                                 std::string("dns:a..b"),
                                 std::string("dns:.a"),
                                 std::string("dns:a."),
                                 std::string("dns:a b"),
                                 std::string("dns:a\0b", 7),
                                 std::string("uri:spiffe://*/x"),
                                 std::string("uri:agent"),
                                 std::string("email:nobody"),
                                 std::string("email:*@example.com"),
                                 "sha256:" + kHex.substr(1),
                                 "sha1:" + kHex,
                                 "sha256:" + kHex + "aa",
                                 std::string("DNS:a.example"),
                                 "uri:x:" + std::string(2048, 'x')}) {
    EXPECT_EQ(certificate_name(bad).error().code, Code::validation) << bad;
  }
}

class CertificatesOfPeople : public testing::Test, protected CertificateStore {
 protected:
  CertificatesOfPeople() {
    auto principals = std::make_shared<Principals>();
    for (const auto& [id, role] : {std::pair{"ada", "user"}, {"root", "admin"}}) {
      UserRecord user;
      user.id = user.name = id;
      user.roles = {role};
      principals->users[id] = std::make_shared<const UserRecord>(user);
    }
    KeyRecord key{.id = "k"};
    key.roles = {"admin"};
    principals->keys["k"] = std::make_shared<const KeyRecord>(key);
    snapshot_.principals = principals;
  }
  Result<void> put_certificate(const CertificateMapping& mapping) override {
    if (failing_) return fail(Code::storage, "disk");
    stored_.push_back(mapping);
    return {};
  }
  Result<void> delete_certificate(std::string_view id) override {
    std::erase_if(stored_, [&](const auto& one) { return one.id == id; });
    return {};
  }
  template <class T>
  Result<T> await(Task<Result<T>> task) {
    Result<T> out = fail(Code::internal, "never ended");
    asio::io_context io;
    asio::co_spawn(
        io,
        [](Task<Result<T>> todo, Result<T>& result) -> Task<void> { result = co_await std::move(todo); }(
                                                        std::move(task), out),
        [](const std::exception_ptr&) {});
    io.run();
    return out;
  }
  static PrincipalPtr who(const std::string& id, const std::string& role) {
    auto principal = std::make_shared<Principal>();
    principal->id = "user:" + id;
    principal->roles = {role};
    return principal;
  }
  Result<CertificateMapping> add(const std::string& name, const std::string& principal, const PrincipalPtr& giver,
                                 const std::string& issuer = {}) {
    return await<CertificateMapping>(desk_.add({name, issuer, principal}, giver));
  }

  Snapshot snapshot_;
  std::vector<CertificateMapping> stored_;
  int published_ = 0;
  bool failing_ = false;
  SystemClock clock_;
  SystemRandom random_;
  CertificateDesk desk_{*this, clock_, random_,
                        [this](std::shared_ptr<const CertificateMappings>) -> Task<Result<void>> {
                          ++published_;
                          co_return Result<void>{};
                        },
                        [this] { return std::make_shared<const Snapshot>(snapshot_); }};
  PrincipalPtr root_ = who("root", "admin"), ada_ = who("ada", "user");
};

TEST_F(CertificatesOfPeople, AMappingIsKeptPublishedAndTakenAway) {
  const auto made = add("dns:A.example", "user:ada", root_);
  ASSERT_TRUE(made) << made.error().detail;
  EXPECT_EQ(desk_.all()->by_name.at("dns:a.example")->principal, "user:ada");
  EXPECT_EQ(made->made_by, "user:root");
  EXPECT_EQ(published_, 1);
  ASSERT_TRUE(await<CertificateMapping>(desk_.remove(made->id, root_)));
  EXPECT_TRUE(desk_.all()->by_name.empty());
  EXPECT_TRUE(stored_.empty());
  EXPECT_EQ(await<CertificateMapping>(desk_.remove(made->id, root_)).error().code, Code::not_found);
}

TEST_F(CertificatesOfPeople, ANameStandsForOneAlone) {
  ASSERT_TRUE(add("dns:a.example", "user:ada", root_));
  EXPECT_EQ(add("dns:A.EXAMPLE", "user:root", root_).error().code, Code::already_exists);
}

TEST_F(CertificatesOfPeople, TheSameNameOfTwoAuthoritiesIsTwoNames) {
  const std::string one(64, '1'), two(64, '2');
  ASSERT_TRUE(add("dns:a.example", "user:ada", root_, one));
  ASSERT_TRUE(add("dns:a.example", "user:root", root_, two));
  EXPECT_EQ(add("dns:a.example", "user:root", root_, one).error().code, Code::already_exists);
  EXPECT_EQ(desk_.all()->of_name("dns:a.example").size(), 2U);
  EXPECT_TRUE(desk_.all()->of_name("dns:a").empty());
  const std::string id = desk_.all()->by_name.at(CertificateMappings::name_key("dns:a.example", one))->id;
  ASSERT_TRUE(await<CertificateMapping>(desk_.remove(id, root_)));
  ASSERT_EQ(desk_.all()->of_name("dns:a.example").size(), 1U);
  EXPECT_EQ(desk_.all()->of_name("dns:a.example")[0]->issuer, two);
}

TEST_F(CertificatesOfPeople, AnIssuerIsTheDigestOfAKey) {
  for (const std::string& bad :
       {std::string(63, '1'), std::string(64, 'A'), std::string(64, 'x'), std::string("CN=ca")}) {
    EXPECT_EQ(add("dns:a.example", "user:ada", root_, bad).error().code, Code::validation) << bad;
  }
  EXPECT_EQ(add("sha256:" + kHex, "user:ada", root_, kHex).error().code, Code::validation) << "it is one certificate";
}

TEST_F(CertificatesOfPeople, WhereSeveralAuthoritiesAreTrustedANameComesWithItsIssuer) {
  desk_.ask_authorities([] { return true; });
  EXPECT_EQ(add("dns:a.example", "user:ada", root_).error().code, Code::validation);
  EXPECT_TRUE(stored_.empty());
  EXPECT_TRUE(add("dns:a.example", "user:ada", root_, kHex));
  EXPECT_TRUE(add("sha256:" + kHex, "user:ada", root_)) << "nobody else can have that one";
}

// Whoever manages users, and no more, would be an admin with a certificate of their own.
TEST_F(CertificatesOfPeople, NobodyMapsACertificateToWhoMayMore) {
  for (const std::string& whose : {"user:root", "key:k"}) {
    EXPECT_EQ(add("dns:mine.example", whose, ada_).error().code, Code::access_denied) << whose;
  }
  EXPECT_TRUE(stored_.empty());
  EXPECT_EQ(published_, 0);
}

TEST_F(CertificatesOfPeople, NobodyTakesOneFromWhoMayMore) {
  const auto made = add("dns:root.example", "user:root", root_);
  ASSERT_TRUE(made);
  EXPECT_EQ(await<CertificateMapping>(desk_.remove(made->id, ada_)).error().code, Code::access_denied);
  EXPECT_EQ(desk_.all()->by_id.size(), 1U);
}

TEST_F(CertificatesOfPeople, OfNobodyIsRefused) {
  for (const std::string& whose : {"user:nobody", "key:nobody", "local:0", "ada", ""}) {
    EXPECT_EQ(add("dns:a.example", whose, root_).error().code, Code::not_found) << whose;
  }
}

TEST_F(CertificatesOfPeople, WhatIsNotStoredIsNotInForce) {
  failing_ = true;
  EXPECT_EQ(add("dns:a.example", "user:ada", root_).error().code, Code::storage);
  EXPECT_TRUE(desk_.all()->by_id.empty());
  EXPECT_EQ(published_, 0);
}

TEST_F(CertificatesOfPeople, GoWithWhoseTheyAre) {
  ASSERT_TRUE(add("dns:a.example", "user:ada", root_));
  ASSERT_TRUE(add("dns:k.example", "key:k", root_));
  const auto left = desk_.without({"user:ada"});
  EXPECT_EQ(left->by_name.size(), 1U);
  EXPECT_EQ(left->by_id.size(), 1U);
  EXPECT_TRUE(left->by_name.contains("dns:k.example"));
}

}  // namespace
}  // namespace sallyport::control
