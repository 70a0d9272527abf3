#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "launcher/control_socket.h"
#include "launcher/launcher_process.h"
#include "launcher/launcher_test_support.h"
#include "launcher/protocol.h"

namespace sallyport::launcher {
namespace {

StartRequest full_request() {
  StartRequest request{.id = 77};
  request.spec.label = "files";
  request.spec.argv = {"/bin/cat", "-"};
  request.spec.env.emplace_back("TOKEN", Secret("value"));
  request.spec.working_directory = "/srv";
  request.spec.paths = {"ro:/srv", "rw:/var/tmp"};
  request.spec.network = true;
  request.spec.limits.cpu_max = std::chrono::seconds(9);
  return request;
}

TEST(LauncherProtocol, ReadsBackWhatItWrote) {
  const auto bytes = encode(Request(full_request()));
  ASSERT_TRUE(bytes);
  const auto request = decode_request(*bytes);
  ASSERT_TRUE(request);
  const auto& start = std::get<StartRequest>(*request);
  EXPECT_EQ(start.id, 77U);
  EXPECT_EQ(start.spec.argv, full_request().spec.argv);
  EXPECT_EQ(start.spec.env.at(0).second.reveal(), "value");
  EXPECT_EQ(start.spec.paths, full_request().spec.paths);
  EXPECT_TRUE(start.spec.network);
  EXPECT_EQ(start.spec.limits.cpu_max, std::chrono::seconds(9));
}

TEST(LauncherProtocol, RefusesEveryTruncationAndEveryExtraByte) {
  const std::string bytes = *encode(Request(full_request()));
  for (std::size_t size = 0; size < bytes.size(); ++size) EXPECT_FALSE(decode_request(std::string_view(bytes).substr(0, size)));
  EXPECT_FALSE(decode_request(bytes + "x"));
}

TEST(LauncherProtocol, RefusesWhatPassesALimit) {
  auto many = full_request();
  many.spec.argv.assign(257, "/x");
  EXPECT_EQ(encode(Request(std::move(many))).error().code, Code::config);
  auto large = full_request();
  large.spec.argv.emplace_back(kMessageBytesMax, 'x');
  EXPECT_EQ(encode(Request(std::move(large))).error().code, Code::config);
  auto nul = full_request();
  nul.spec.argv.emplace_back("a\0b", 3);
  EXPECT_EQ(encode(Request(std::move(nul))).error().code, Code::config);
}

// A real launcher process at the other end of a socket of the test's own.
class RawLauncher : public ::testing::Test {
 protected:
  void SetUp() override {
    auto pair = control_pair();
    ASSERT_TRUE(pair);
    options_ = testing::test_options(Sandbox::fallback);
    options_.children_max = 1;
    pid_ = ::fork();
    ASSERT_GE(pid_, 0);
    if (pid_ == 0) {
      (*pair)[0].reset();
      run_launcher_process(std::move((*pair)[1]), options_);
    }
    socket_ = std::move((*pair)[0]);
    ASSERT_TRUE(std::holds_alternative<Hello>(receive()));
  }
  void TearDown() override {
    socket_.reset();
    int status = 0;
    ::waitpid(pid_, &status, 0);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
  Reply receive() {
    auto packet = receive_packet(socket_.get());
    EXPECT_TRUE(packet);
    auto reply = decode_reply(packet->bytes);
    EXPECT_TRUE(reply);
    return std::move(*reply);
  }
  Code refusal() {
    const Reply reply = receive();
    const auto* refused = std::get_if<Refused>(&reply);
    return refused != nullptr ? refused->error.code : Code::count_;
  }

  Options options_;
  Fd socket_;
  pid_t pid_ = -1;
};

TEST_F(RawLauncher, AnswersNonsenseAndRunsNothing) {
  for (const std::string& nonsense : {std::string("x"), std::string("/bin/sh -c reboot"), std::string(100'000, '\1'),
                                      std::string(2 * kMessageBytesMax, 'A')}) {
    ASSERT_TRUE(send_packet(socket_.get(), nonsense, {}));
    EXPECT_EQ(refusal(), Code::invalid_request);
  }
}

TEST_F(RawLauncher, WantsExactlyThreeDescriptors) {
  const std::string bytes = *encode(Request(full_request()));
  const int fds[] = {0, 1, 2};
  for (std::size_t count = 0; count < 3; ++count) {
    ASSERT_TRUE(send_packet(socket_.get(), bytes, std::span(fds, count)));
    EXPECT_EQ(refusal(), Code::invalid_request);
  }
}

TEST_F(RawLauncher, PassesOverUnknownIds) {
  ASSERT_TRUE(send_packet(socket_.get(), *encode(Request(KillRequest{5})), {}));
  ASSERT_TRUE(send_packet(socket_.get(), *encode(Request(StopRequest{6, std::chrono::milliseconds(1)})), {}));
  ASSERT_TRUE(send_packet(socket_.get(), "?", {}));
  EXPECT_EQ(refusal(), Code::invalid_request);  // still there
}

}  // namespace
}  // namespace sallyport::launcher
