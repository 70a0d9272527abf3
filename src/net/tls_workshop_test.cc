// What TLS to upstreams needs is made beside the workers, once for all of them (S2-25, S2-26).
#include "net/tls_workshop.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "net/egress_tls_test_support.h"
#include "net/tls_client.h"

namespace sallyport::net {
namespace {

using made::Issued;
using made::Wanted;

class Workshop : public testing::Test {
 protected:
  // As a worker awaits it; the thread that it was resumed on is this one.
  template <class T>
  Result<T> await(Task<Result<T>> task) {
    asio::io_context io;
    Result<T> out = fail(Code::internal, "never ended");
    asio::co_spawn(
        io,
        [](Task<Result<T>> todo, Result<T>& result) -> Task<void> {
          const auto here = std::this_thread::get_id();
          result = co_await std::move(todo);
          EXPECT_EQ(here, std::this_thread::get_id());
        }(std::move(task), out),
        [](const std::exception_ptr&) {});
    io.run();
    return out;
  }
  Result<TlsTermsPtr> terms(TlsSources sources) { return await<TlsTermsPtr>(shop_.terms(std::move(sources))); }

  Issued authority_{Wanted{.authority = true}}, own_{Wanted{.issuer = &authority_}};
  TlsWorkshop shop_;
};

TEST_F(Workshop, AContextIsMadeOnceForAllWorkers) {
  const auto wanted = terms({authority_.pem(), own_.pem(), {own_.pin()}, Secret(own_.key_pem())});
  ASSERT_TRUE(wanted) << wanted.error().detail;
  const auto client = [&](const TlsTermsPtr& of) {
    return await<std::shared_ptr<const TlsClient>>(shop_.client(of, {})).value_or(nullptr);
  };
  const auto first = client(*wanted);
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(client(*wanted), first);
  const auto again = terms({authority_.pem(), own_.pem(), {own_.pin()}, Secret(own_.key_pem())});
  EXPECT_EQ(client(*again), first) << "the same to the byte";
  EXPECT_NE(client(nullptr), first);
  EXPECT_EQ(client(nullptr), client(nullptr)) << "the system's authorities are read once";
}

TEST_F(Workshop, AFileThatHasChangedIsOtherTerms) {
  const std::string path = testing::TempDir() + "sp_workshop_" + std::to_string(::getpid()) + ".pem";
  const Issued other{Wanted{.authority = true}};
  std::ofstream(path) << authority_.pem();
  const auto before = terms({path, {}, {}, {}});
  std::ofstream(path) << other.pem();
  const auto after = terms({path, {}, {}, {}});
  ASSERT_TRUE(before && after);
  EXPECT_NE((*before)->id(), (*after)->id());
  ::unlink(path.c_str());
}

TEST_F(Workshop, WhatCannotBeReadIsNamed) {
  const auto gone = terms({"/nowhere/ca.pem", {}, {}, {}});
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().detail, "certificate authorities: /nowhere/ca.pem cannot be opened");
  EXPECT_EQ(terms({{}, own_.pem(), {}, {}}).error().code, Code::config) << "no key";
}

}  // namespace
}  // namespace sallyport::net
