// Labels through the control plane: what an administrator said of a tool holds, and what calls left ends with its holder.
#include <gtest/gtest.h>

#include <algorithm>

#include "control/accounts_test_support.h"
#include "control/control_plane.h"
#include "control/repository_test_support.h"

namespace sallyport::control {
namespace {

using Names = std::vector<std::string>;

// Keeps servers and their tools, as they were put last.
class ServerShelf final : public testing::NoRepository {
 public:
  Result<StoredState> load() override {
    StoredState state;
    for (const auto& [name, server] : servers) state.servers.push_back(server);
    state.tools = tools;
    return state;
  }
  Result<void> put_server(const ServerRecord& server) override {
    servers.insert_or_assign(server.name, server);
    return {};
  }
  Result<void> replace_tools(std::string_view, std::span<const ToolRecord> now) override {
    if (fails) return fail(Code::storage, "disk full");
    tools.assign(now.begin(), now.end());
    return {};
  }
  std::map<std::string, ServerRecord> servers;
  std::vector<ToolRecord> tools;  // of the one server
  bool fails = false;
};

class ControlLabels : public ::testing::Test {
 protected:
  ControlLabels() {
    admin_->id = "user:boss";
    admin_->kind = PrincipalKind::local;
    EXPECT_TRUE(plane_->load({}, {}));
  }
  std::unique_ptr<ControlPlane> plane() {
    ControlDeps deps{.repository = shelf_, .keys = keys_, .clock = clock_, .random = random_};
    deps.publish = [](SnapshotPtr) -> Task<void> { co_return; };
    deps.restart = [](std::string) -> Task<void> { co_return; };
    deps.probe = [this](ServerRecord) -> Task<Result<ProbeResult>> {
      ProbeResult found;
      for (const std::string& name : listed_) {
        found.tools.push_back(
            {name, "", "", R"({"name":")" + name + R"(","inputSchema":{"type":"object"}})", "", "", name});
      }
      co_return found;
    };
    return std::make_unique<ControlPlane>(io_.get_executor(), std::move(deps));
  }
  void restart() {
    plane_ = plane();
    ASSERT_TRUE(plane_->load({}, {}));
  }
  void add_mail() {
    ServerRecord server;
    server.name = server.prefix = "mail";
    server.transport = Transport::http;
    server.url = "http://127.0.0.1:1/mcp";
    ASSERT_TRUE(await(plane_->add_server(server, true)));
  }
  Result<ProbeReport> lists(Names names) {
    listed_ = std::move(names);
    return await(plane_->probe_server("mail", true, admin_));
  }
  Names labels_of_tool(const std::string& name) {
    return plane_->snapshot()->catalogue->tools.at("mail").at(name)->labels;
  }

  asio::io_context io_;
  ServerShelf shelf_;
  crypto::KeyStore keys_ =
      crypto::KeyStore::from_master(Secret(std::string(as_text(crypto::sha256("label tests"))))).value();
  FakeClock clock_;
  SystemRandom random_;
  Names listed_{"read", "send"};
  std::shared_ptr<Principal> admin_ = std::make_shared<Principal>();
  std::unique_ptr<ControlPlane> plane_ = plane();
};

TEST_F(ControlLabels, ALabelStaysWithANameThatItsServerDoesNotListForAWhile) {
  add_mail();
  ASSERT_TRUE(await(plane_->label_tool("mail", "read", {"private_data", "x"})));
  ASSERT_TRUE(lists({"send"}));
  restart();
  ASSERT_TRUE(lists({"send", "read", "other"}));
  EXPECT_EQ(labels_of_tool("read"), (Names{"private_data", "x"}));
  EXPECT_EQ(labels_of_tool("other"), Names{});
}

TEST_F(ControlLabels, WhatWasClearedMeanwhileDoesNotComeBack) {
  add_mail();
  ASSERT_TRUE(await(plane_->label_tool("mail", "read", {"private_data"})));
  ASSERT_TRUE(lists({"send"}));
  ASSERT_TRUE(lists({"read"}));
  ASSERT_TRUE(await(plane_->label_tool("mail", "read", {})));
  ASSERT_TRUE(lists({"send"}));
  ASSERT_TRUE(lists({"read"}));
  EXPECT_EQ(labels_of_tool("read"), Names{});
}

TEST_F(ControlLabels, ALabelIsNotLostByAStoreThatFails) {
  add_mail();
  ASSERT_TRUE(await(plane_->label_tool("mail", "read", {"private_data"})));
  ASSERT_TRUE(lists({"send"}));
  shelf_.fails = true;
  EXPECT_FALSE(lists({"read"}));
  shelf_.fails = false;
  ASSERT_TRUE(lists({"read"}));
  EXPECT_EQ(labels_of_tool("read"), Names{"private_data"});
}

TEST_F(ControlLabels, WhatCallsLeftEndsWithTheUserAndTheirKeys) {
  const auto ada = await(plane_->create_user({.name = "ada", .roles = {"user"}}));
  ASSERT_TRUE(ada);
  const auto own = await(plane_->create_key({.name = "own", .owner_user_id = ada->id}));
  const auto other = await(plane_->create_key({.name = "other"}));
  const auto kept = await(plane_->create_key({.name = "kept"}));
  ASSERT_TRUE(own && other && kept);
  for (const std::string& holder :
       {"user:" + ada->id, "key:" + own->record.id, "key:" + other->record.id, "key:" + kept->record.id}) {
    ASSERT_TRUE(await(plane_->labels().leave(holder, {"x"}, "mail/read", std::chrono::seconds(0))));
  }
  ASSERT_TRUE(await(plane_->delete_user("ada", nullptr)));
  ASSERT_TRUE(await(plane_->delete_key(other->record.id, nullptr)));
  ASSERT_EQ(plane_->snapshot()->labels->size(), 1U);
  EXPECT_TRUE(plane_->snapshot()->labels->contains("key:" + kept->record.id));
  ASSERT_TRUE(await(plane_->labels().leave("key:new", {"x"}, "mail/read", std::chrono::seconds(0))));
  EXPECT_EQ(plane_->snapshot()->labels->size(), 2U) << "the desk has forgotten them too";
}

}  // namespace
}  // namespace sallyport::control
