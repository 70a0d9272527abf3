#include "control/key_exchange.h"

#include <gtest/gtest.h>

#include "control/vault_test_support.h"
#include "crypto/envelope.h"

namespace sallyport::control {
namespace {

using std::chrono::hours;
using testing::key_store_of;
using testing::MemoryVault;

class OfTheExchange : public ::testing::Test {
 protected:
  OfTheExchange() { EXPECT_TRUE(exchange_.load(rules_)); }

  template <class T>
  Result<T> run(Task<Result<T>> task) {
    Result<T> out = fail(Code::internal, "not run");
    asio::co_spawn(io_, std::move(task), [&out](const std::exception_ptr&, Result<T> done) { out = std::move(done); });
    io_.restart();
    io_.run();
    return out;
  }
  ExchangeKey key() { return run(exchange_.current()).value(); }
  std::string sealed(const ExchangeKey& key, const std::string& subject, std::string_view plain = "s3cret") {
    return crypto::seal_envelope(crypto::RsaKey::from_public_pem(key.public_pem).value(), subject, plain, random_)
        .value();
  }
  // As a put does it.
  static Result<Secret> open(KeyExchange& exchange, const VaultName& where, const std::string& envelope) {
    SP_TRY(const auto opening, exchange.admit(where, envelope));
    SP_TRY(Secret plain, opening.open(envelope));
    SP_CHECK(exchange.take(envelope));
    return plain;
  }
  std::string opened(const VaultName& where, const std::string& envelope) {
    const auto plain = open(exchange_, where, envelope);
    return plain ? std::string(plain->reveal()) : std::string(info(plain.error().code).name);
  }

  asio::io_context io_;
  crypto::KeyStore keys_ = key_store_of("exchange tests");
  SystemRandom random_;
  FakeClock clock_;
  MemoryVault store_;
  ExchangeRules rules_{.bits = 2048, .rotate_after = hours(24), .grace = hours(2)};
  int made_ = 0;
  std::vector<std::string> noted_;
  KeyExchange::Generate generate_ = [this](unsigned bits) -> Task<Result<std::shared_ptr<crypto::RsaKey>>> {
    ++made_;
    co_return std::make_shared<crypto::RsaKey>(crypto::RsaKey::generate(bits).value());
  };
  KeyExchange exchange_{store_, keys_,     random_,
                        clock_, generate_, [this](const std::string& id, const std::string&) { noted_.push_back(id); }};
};

// S2-9
TEST_F(OfTheExchange, TakesWhatWasSealedToItsKey) {
  const auto published = key();
  EXPECT_EQ(published.bits, 2048U);
  EXPECT_EQ(key().id, published.id);
  EXPECT_EQ(made_, 1);
  EXPECT_EQ(opened({"", "mail"}, sealed(published, "vault:mail")), "s3cret");
  EXPECT_EQ(opened({"user:7", "mail"}, sealed(published, "vault:user:7/mail")), "s3cret");
}

TEST_F(OfTheExchange, AnEnvelopeIsTakenOnceAfterARestartToo) {
  const auto envelope = sealed(key(), "vault:mail");
  EXPECT_EQ(opened({"", "mail"}, envelope), "s3cret");
  EXPECT_EQ(opened({"", "mail"}, envelope), "conflict");
  KeyExchange again(store_, keys_, random_, clock_, generate_, [](const std::string&, const std::string&) {});
  ASSERT_TRUE(again.load(rules_));
  EXPECT_EQ(open(again, {"", "mail"}, envelope).error().code, Code::conflict);
  EXPECT_TRUE(open(again, {"", "mail"}, sealed(key(), "vault:mail"))) << "its key opens after a restart";
}

// Two puts of one envelope both have it open before either stores it.
TEST_F(OfTheExchange, AnEnvelopeThatWasOpenedTwiceIsTakenOnce) {
  const auto envelope = sealed(key(), "vault:mail");
  const auto one = exchange_.admit({"", "mail"}, envelope), two = exchange_.admit({"", "mail"}, envelope);
  ASSERT_TRUE(one && two);
  exchange_.forget();
  EXPECT_EQ(one->open(envelope)->reveal(), "s3cret") << "its key pair stays for so long";
  EXPECT_EQ(two->open(envelope)->reveal(), "s3cret") << "to open it uses it up for nobody";
  EXPECT_TRUE(exchange_.take(envelope));
  EXPECT_EQ(exchange_.take(envelope).error().code, Code::conflict);
}

TEST_F(OfTheExchange, WhatWasOpenedIsNotTakenOnceItsKeyIsGone) {
  const auto envelope = sealed(key(), "vault:mail");
  const auto opening = exchange_.admit({"", "mail"}, envelope);
  ASSERT_TRUE(opening);
  clock_.advance(hours(24));
  key();
  clock_.advance(hours(2));
  EXPECT_EQ(exchange_.take(envelope).error().code, Code::validation);
}

// Whoever sees an envelope of somebody else must not open it as a secret of their own.
TEST_F(OfTheExchange, AnEnvelopeIsForOneNameOfOneOwner) {
  const auto envelope = sealed(key(), "vault:mail");
  EXPECT_EQ(opened({"", "other"}, envelope), "validation_error");
  EXPECT_EQ(opened({"user:9", "mail"}, envelope), "validation_error");
  EXPECT_EQ(opened({"user:9", "mail"}, sealed(key(), "vault:user:8/mail")), "validation_error");
  EXPECT_EQ(opened({"", "mail"}, "rubbish"), "validation_error");
  EXPECT_EQ(opened({"", "mail"}, envelope), "s3cret") << "what was refused is not used up";
}

TEST_F(OfTheExchange, IsReplacedByAgeAndTheFormerOpensForAWhile) {
  const auto first = key();
  const auto early = sealed(first, "vault:mail"), late = sealed(first, "vault:mail");
  clock_.advance(hours(24));
  const auto second = key();
  EXPECT_NE(second.id, first.id);
  EXPECT_EQ(noted_, (std::vector<std::string>{first.id, second.id}));
  EXPECT_EQ(opened({"", "mail"}, early), "s3cret");
  clock_.advance(hours(2));
  EXPECT_EQ(opened({"", "mail"}, late), "validation_error");
  ASSERT_TRUE(exchange_.sweep());
  ASSERT_EQ(store_.keys.size(), 1U);
  EXPECT_EQ(store_.keys[0].id, second.id);
}

// Killed between the new key and the retirement of the former: that one's grace has an end all the same.
TEST_F(OfTheExchange, AFormerKeyThatWasNotRetiredIsAtTheNextStart) {
  const auto first = key();
  const auto early = sealed(first, "vault:mail"), late = sealed(first, "vault:mail");
  clock_.advance(hours(24));
  const auto second = key();
  for (auto& stored : store_.keys) stored.retired_at.reset();
  KeyExchange again(store_, keys_, random_, clock_, generate_, [](const std::string&, const std::string&) {});
  ASSERT_TRUE(again.load(rules_));
  EXPECT_EQ(store_.keys[0].retired_at, second.created_at);
  EXPECT_FALSE(store_.keys[1].retired_at);
  EXPECT_EQ(run(again.current())->id, second.id);
  EXPECT_TRUE(open(again, {"", "mail"}, early));
  clock_.advance(hours(2));
  EXPECT_EQ(open(again, {"", "mail"}, late).error().code, Code::validation);
  ASSERT_TRUE(again.sweep());
  ASSERT_EQ(store_.keys.size(), 1U);
  EXPECT_EQ(store_.keys[0].id, second.id);
}

TEST_F(OfTheExchange, SealedItOpensNothingAndMakesNoKey) {
  const auto envelope = sealed(key(), "vault:mail");
  keys_.wrapping().replace({});
  exchange_.forget();
  EXPECT_EQ(opened({"", "mail"}, envelope), "conflict");
  EXPECT_EQ(run(exchange_.rotate()).error().code, Code::conflict);
}

TEST_F(OfTheExchange, StoresNoPrivateHalfInTheClear) {
  key();
  ASSERT_EQ(store_.keys.size(), 1U);
  const auto& stored = store_.keys[0];
  EXPECT_EQ((stored.public_pem + stored.sealed.ciphertext + stored.sealed.wrapped_key).find("PRIVATE"),
            std::string::npos);
}

}  // namespace
}  // namespace sallyport::control
