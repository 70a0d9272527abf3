// Labels in the database: of servers and tools, and what calls left with principals.
#include <gtest/gtest.h>

#include "model/registration.h"
#include "storage/sqlite_repository.h"
#include "storage/test_home.h"

namespace sallyport::storage {
namespace {

constexpr WallTime kNow{std::chrono::microseconds(1'790'000'000'123'456)};

class LabelsInStore : public testing::Test {
 protected:
  control::StoredState reopened() {
    repository_.reset();
    repository_ = std::move(*SqliteRepository::open(home_.path("sallyport.db"), clock_));
    return *repository_->load();
  }
  SystemClock clock_;
  TestHome home_;
  std::unique_ptr<SqliteRepository> repository_ =
      std::move(*SqliteRepository::open(home_.path("sallyport.db"), clock_));
};

TEST_F(LabelsInStore, OfAPrincipalAreReplacedAsAWhole) {
  const Label one{kNow, "mail/read"};
  ASSERT_TRUE(repository_->put_labels("key:a", {{"private_data", one}, {"untrusted_content", one}}));
  ASSERT_TRUE(repository_->put_labels("user:'; --", {{"private_data", one}}));
  ASSERT_TRUE(repository_->put_labels("key:a", {{"private_data", {kNow + std::chrono::hours(1), "x/y"}}}));
  auto state = reopened();
  ASSERT_EQ(state.labels.size(), 2U);
  ASSERT_EQ(state.labels["key:a"].size(), 1U);
  EXPECT_EQ(state.labels["key:a"]["private_data"].until, kNow + std::chrono::hours(1));
  EXPECT_EQ(state.labels["key:a"]["private_data"].set_by, "x/y");
  ASSERT_TRUE(repository_->put_labels("key:a", {}));
  EXPECT_FALSE(reopened().labels.contains("key:a"));
}

TEST_F(LabelsInStore, WhoseTimeIsOverArePruned) {
  ASSERT_TRUE(
      repository_->put_labels("key:a", {{"early", {kNow, ""}}, {"late", {kNow + std::chrono::seconds(1), ""}}}));
  ASSERT_TRUE(repository_->prune_labels(kNow));
  auto state = reopened();
  EXPECT_EQ(state.labels["key:a"].size(), 1U);
  EXPECT_TRUE(state.labels["key:a"].contains("late"));
}

TEST_F(LabelsInStore, GoWithWhoseTheyAre) {
  UserRecord ada;
  ada.id = "00000000000000aa";
  ada.name = "ada";
  ASSERT_TRUE(repository_->put_user(ada));
  KeyRecord own{.id = "own"};
  own.owner_user_id = ada.id;
  KeyRecord other{.id = "other"};
  KeyRecord stays{.id = "stays"};
  for (const KeyRecord* key : {&own, &other, &stays}) ASSERT_TRUE(repository_->put_key(*key));
  for (const std::string& holder :
       {"user:" + ada.id, std::string("key:own"), std::string("key:other"), std::string("key:stays")}) {
    ASSERT_TRUE(repository_->put_labels(holder, {{"x", {kNow, ""}}}));
  }
  ASSERT_TRUE(repository_->delete_user(ada.id));
  ASSERT_TRUE(repository_->delete_key("other"));
  const auto state = reopened();
  ASSERT_EQ(state.labels.size(), 1U);
  EXPECT_TRUE(state.labels.contains("key:stays"));
}

TEST_F(LabelsInStore, OfServersAndToolsAreKept) {
  ServerRecord server;
  server.name = "mail";
  server.labels = {"private_data", "external_sink"};
  ASSERT_TRUE(repository_->put_server(server));
  ToolRecord tool;
  tool.server = "mail";
  tool.name = tool.exposed_name = "read";
  tool.labels = {"untrusted_content"};
  ASSERT_TRUE(repository_->replace_tools("mail", std::span(&tool, 1)));
  ToolRecord registered;
  registered.server = kRegistry;
  registered.name = registered.exposed_name = "post";
  registered.labels = {"external_sink"};
  registered.registration = std::make_shared<Registration>();
  ASSERT_TRUE(repository_->put_registered_tool(registered));
  const auto state = reopened();
  EXPECT_EQ(state.servers.at(0).labels, server.labels);
  EXPECT_EQ(state.tools.at(0).labels, tool.labels);
  EXPECT_EQ(state.registered.at(0).labels, registered.labels);
}

}  // namespace
}  // namespace sallyport::storage
