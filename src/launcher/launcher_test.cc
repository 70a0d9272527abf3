#include "launcher/launcher.h"

#include <arpa/inet.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "launcher/launcher_test_support.h"

namespace sallyport::launcher {
namespace {

using namespace testing;  // NOLINT

// Every promise holds in both ways of confinement.
class Confined : public ::testing::TestWithParam<Sandbox> {
 protected:
  void SetUp() override {
    auto options = test_options(GetParam());
    folder_ = std::filesystem::temp_directory_path() / ("sp-launcher-" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder_ / "home");
    std::filesystem::create_directories(folder_ / "data");
    std::ofstream(folder_ / "home" / "master.key") << "key-material";
    std::ofstream(folder_ / "data" / "note.txt") << "readable";
    std::filesystem::permissions(folder_ / "data", std::filesystem::perms::all);
    options.home = folder_ / "home";
    options.scratch = folder_;
    std::filesystem::permissions(folder_, std::filesystem::perms::all);
    auto launcher = Launcher::fork_now(options);
    ASSERT_TRUE(launcher) << launcher.error().detail;
    launcher_.emplace(std::move(*launcher));
    if (GetParam() == Sandbox::prefer && launcher_->confinement() != Confinement::bubblewrap) {
      GTEST_SKIP() << "no bubblewrap here: " << launcher_->fallback_reason();
    }
  }
  void TearDown() override {
    launcher_.reset();
    // After a launcher's death its supervisors may still be clearing their own folders away.
    std::error_code error;
    EXPECT_TRUE(becomes_true([&] { return std::filesystem::remove_all(folder_, error) != 0 || !std::filesystem::exists(folder_); }));
  }

  std::filesystem::path folder_;
  asio::io_context context_;
  std::optional<Launcher> launcher_;
};

INSTANTIATE_TEST_SUITE_P(Launcher, Confined, ::testing::Values(Sandbox::prefer, Sandbox::fallback),
                         [](const auto& info) { return info.param == Sandbox::prefer ? "Bubblewrap" : "Fallback"; });

TEST_P(Confined, EchoesThroughARealProcess) {
  LaunchSpec spec;
  spec.argv = {"/bin/cat"};
  auto child = run(context_, launcher_->start(std::move(spec)));
  ASSERT_TRUE(child && *child) << (*child).error().detail;
  write_all((*child)->in.get(), "hello\n");
  EXPECT_EQ(read_until((*child)->out.get(), [](const auto& text) { return text.ends_with('\n'); }), "hello\n");
  (*child)->in.reset();
  auto status = run(context_, (*child)->wait());
  ASSERT_TRUE(status && *status);
  EXPECT_EQ((*status)->code, 0);
}

TEST_P(Confined, TellsExitCodesAndStderr) {
  const auto outcome = run_to_end(*launcher_, shell("echo oops >&2; exit 7"));
  EXPECT_EQ(outcome.status.code, 7);
  EXPECT_EQ(outcome.err, "oops\n");
}

TEST_P(Confined, PassesThreeDescriptorsAndNoOther) {
  const auto outcome = run_to_end(*launcher_, shell("for f in /proc/self/fd/*; do echo ${f##*/}; done"));
  // The fourth is the shell's own, open on the folder it lists.
  EXPECT_TRUE(outcome.out == "0\n1\n2\n3\n" || outcome.out == "0\n1\n2\n") << outcome.out << outcome.err;
}

TEST_P(Confined, GivesAMinimalEnvironmentAndWhatWasAsked) {
  ::setenv("SP_TEST_AMBIENT", "leaked", 1);
  LaunchSpec spec;
  spec.argv = {"/usr/bin/env"};
  spec.env.emplace_back("API_TOKEN", Secret("s3cret-value"));
  const auto outcome = run_to_end(*launcher_, std::move(spec));
  EXPECT_NE(outcome.out.find("API_TOKEN=s3cret-value\n"), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.out.find("PATH=/usr/local/bin:/usr/bin:/bin\n"), std::string::npos);
  EXPECT_NE(outcome.out.find("LANG=C.UTF-8\n"), std::string::npos);
  EXPECT_EQ(outcome.out.find("SP_TEST_AMBIENT"), std::string::npos);
  EXPECT_LE(std::ranges::count(outcome.out, '\n'), 6) << outcome.out;
}

TEST_P(Confined, KeepsSecretsOutOfEveryCommandLine) {
  auto spec = shell("echo ready; read line");
  spec.env.emplace_back("API_TOKEN", Secret("canary-9f1c-in-no-argv"));
  spec.files.emplace_back("KEY_FILE", Secret("canary-9f1c-in-no-argv"));
  auto child = run(context_, launcher_->start(std::move(spec)));
  ASSERT_TRUE(child && *child);
  read_until((*child)->out.get(), [](const auto& text) { return text == "ready\n"; });
  EXPECT_TRUE(processes_with("canary-9f1c-in-no-argv").empty());
  EXPECT_FALSE(processes_with("echo ready; read line").empty());
}

TEST_P(Confined, HidesTheHomeAndShowsWhatIsDeclared) {
  auto spec = shell("cat '" + (folder_ / "home/master.key").string() + "'; ls '" + (folder_ / "home").string() + "'; cat '" +
                    (folder_ / "data/note.txt").string() + "'");
  spec.paths = {"ro:" + (folder_ / "data").string()};
  const auto outcome = run_to_end(*launcher_, std::move(spec));
  EXPECT_EQ(outcome.out, "readable") << outcome.err;
}

TEST_P(Confined, WritesOnlyWhereAPathSaysSo) {
  const std::string file = (folder_ / "data/new.txt").string();
  auto read_only = shell("echo x > '" + file + "'");
  read_only.paths = {"ro:" + (folder_ / "data").string()};
  EXPECT_NE(run_to_end(*launcher_, std::move(read_only)).status.code, 0);
  EXPECT_FALSE(std::filesystem::exists(file));
  auto writable = shell("echo x > '" + file + "'; echo y > $HOME/private && echo kept");
  writable.paths = {"rw:" + (folder_ / "data").string()};
  const auto outcome = run_to_end(*launcher_, std::move(writable));
  EXPECT_EQ(outcome.out, "kept\n") << outcome.err;
  EXPECT_TRUE(std::filesystem::exists(file));
}

TEST_P(Confined, CannotReachAListenerWithoutNetwork) {
  const Fd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(::listen(listener.get(), 4), 0);
  ::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size);
  const auto attempt = [&](bool network) {
    LaunchSpec spec;
    spec.argv = {"/usr/bin/perl", "-e",
                 "use Socket; socket(S, PF_INET, SOCK_STREAM, 0) or die 'no socket'; connect(S, sockaddr_in($ARGV[0], "
                 "inet_aton('127.0.0.1'))) or die 'no connection'; print 'connected';",
                 std::to_string(ntohs(address.sin_port))};
    spec.network = network;
    return run_to_end(*launcher_, std::move(spec)).out;
  };
  EXPECT_EQ(attempt(true), "connected");
  EXPECT_EQ(attempt(false), "");
}

TEST_P(Confined, SetsResourceLimits) {
  auto spec = shell("ulimit -n; ulimit -c; ulimit -f");
  spec.limits.open_files_max = 200;
  const auto outcome = run_to_end(*launcher_, std::move(spec));
  EXPECT_EQ(outcome.out, "200\n0\n2097152\n") << outcome.err;  // ulimit -f counts 512 bytes
}

TEST_P(Confined, NeverRunsAsRoot) {
  const auto outcome = run_to_end(*launcher_, shell("id -u; grep NoNewPrivs /proc/self/status; grep CapEff /proc/self/status"));
  EXPECT_FALSE(outcome.out.starts_with("0\n"));
  EXPECT_NE(outcome.out.find("NoNewPrivs:\t1"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("CapEff:\t0000000000000000"), std::string::npos) << outcome.out;
}

TEST_P(Confined, StopsAServerThatIgnoresEndOfFileBySigterm) {
  auto child = run(context_, launcher_->start(shell("trap 'echo bye; exit 3' TERM; echo up; while :; do sleep 0.05; done")));
  ASSERT_TRUE(child && *child);
  read_until((*child)->out.get(), [](const auto& text) { return text == "up\n"; });
  (*child)->stop(std::chrono::milliseconds(100));
  auto status = run(context_, (*child)->wait());
  ASSERT_TRUE(status && *status);
  EXPECT_EQ((*status)->code, 3);
  EXPECT_EQ(read_until((*child)->out.get()), "bye\n");
}

TEST_P(Confined, StopsAServerThatIgnoresSigtermByForce) {
  auto child = run(context_, launcher_->start(shell("trap '' TERM; echo up; while :; do sleep 1; done")));
  ASSERT_TRUE(child && *child);
  read_until((*child)->out.get(), [](const auto& text) { return text == "up\n"; });
  (*child)->stop(std::chrono::milliseconds(50));
  auto status = run(context_, (*child)->wait());
  ASSERT_TRUE(status && *status);
  EXPECT_NE((*status)->code, 0);
}

// setsid and a double fork: the grandchild's parent is gone, its session is its own.
std::string daemonizing(const std::string& marker) {
  return "setsid sh -c 'sh -c \"exec setsid sleep " + marker + "\" & exit 0' & wait; echo up; while :; do read line || sleep 1; done";
}

TEST_P(Confined, KillTakesDaemonizedGrandchildrenToo) {
  const std::string marker = "7001" + std::to_string(::getpid());
  auto child = run(context_, launcher_->start(shell(daemonizing(marker))));
  ASSERT_TRUE(child && *child);
  read_until((*child)->out.get(), [](const auto& text) { return text == "up\n"; });
  ASSERT_TRUE(becomes_true([&] { return !processes_with(std::string("sleep\0", 6) + marker).empty(); }));
  (*child)->kill();
  ASSERT_TRUE(run(context_, (*child)->wait()));
  EXPECT_TRUE(processes_with(std::string("sleep\0", 6) + marker).empty());
}

TEST_P(Confined, DroppingAChildKillsIt) {
  const std::string marker = "7002" + std::to_string(::getpid());
  auto child = run(context_, launcher_->start(shell("sleep " + marker)));
  ASSERT_TRUE(child && *child);
  child.reset();
  EXPECT_TRUE(becomes_true([&] { return processes_with(marker).empty(); }));
}

TEST_P(Confined, AHundredStartsLeaveNoProcessAndNoDescriptor) {
  const std::string marker = "7003" + std::to_string(::getpid());
  // The first start opens what stays: the reactor of this context, the control thread.
  ASSERT_TRUE(run(context_, launcher_->start(shell("true"))));
  const std::size_t before = open_descriptors();
  for (int i = 0; i < 100; ++i) {
    auto child = run(context_, launcher_->start(shell("sleep " + marker)));
    ASSERT_TRUE(child && *child) << i << (child ? (*child).error().detail : "");
    (*child)->kill();
    ASSERT_TRUE(run(context_, (*child)->wait()));
  }
  EXPECT_EQ(open_descriptors(), before);
  EXPECT_TRUE(processes_with(marker).empty());
  std::size_t folders = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
    folders += entry.path().filename().string().starts_with("sallyport-child-") ? 1 : 0;
  }
  EXPECT_EQ(folders, 0U);
}

TEST_P(Confined, RefusesUnusableSpecifications) {
  const auto refusal = [&](LaunchSpec spec) {
    auto child = run(context_, launcher_->start(std::move(spec)));
    return child && !*child ? child->error().code : Code::internal;
  };
  LaunchSpec relative;
  relative.argv = {"cat"};
  EXPECT_EQ(refusal(std::move(relative)), Code::config);
  EXPECT_EQ(refusal(LaunchSpec{}), Code::config);
  LaunchSpec missing;
  missing.argv = {"/usr/bin/no-such-program"};
  EXPECT_EQ(refusal(std::move(missing)), Code::upstream_unavailable);
  for (const std::string& path : {"ro:" + (folder_ / "home").string(), "ro:" + (folder_ / "home/master.key").string(),
                                  "rw:" + folder_.string(), std::string("ro:/"), std::string("/usr"), std::string("ro:data")}) {
    auto spec = shell("true");
    spec.paths = {path};
    EXPECT_EQ(refusal(std::move(spec)), Code::config) << path;
  }
  for (const char* name : {"LD_PRELOAD", "A=B", "", "1A"}) {
    auto spec = shell("true");
    spec.env.emplace_back(name, Secret("x"));
    EXPECT_EQ(refusal(std::move(spec)), Code::config) << name;
  }
}

TEST_P(Confined, ReportsTheLaunchersDeathAsUnavailable) {
  const std::string marker = "7004" + std::to_string(::getpid());
  auto child = run(context_, launcher_->start(shell(daemonizing(marker))));
  ASSERT_TRUE(child && *child);
  read_until((*child)->out.get(), [](const auto& text) { return text == "up\n"; });
  EXPECT_TRUE(launcher_->alive());
  ::kill(launcher_->pid(), SIGKILL);
  auto status = run(context_, (*child)->wait());
  ASSERT_TRUE(status);
  EXPECT_EQ(status->error().code, Code::upstream_unavailable);
  auto again = run(context_, launcher_->start(shell("true")));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->error().code, Code::upstream_unavailable);
  EXPECT_FALSE(launcher_->alive());
  EXPECT_TRUE(becomes_true([&] { return processes_with(std::string("sleep\0", 6) + marker).empty(); }));
}

// Issue 2, done-when 3: `kill -9` of the gateway leaves nothing behind. The gateway here is a forked process.
TEST_P(Confined, NothingOutlivesAKilledGateway) {
  const std::string marker = "7005" + std::to_string(::getpid());
  auto pair = Fd();
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  Fd told(ends[0]);
  Fd tell(ends[1]);
  const auto options = [&] {
    auto made = test_options(GetParam());
    made.scratch = folder_;
    return made;
  }();
  const pid_t gateway = ::fork();
  ASSERT_GE(gateway, 0);
  if (gateway == 0) {
    auto launcher = Launcher::fork_now(options);
    asio::io_context context;
    auto child = run(context, launcher->start(shell(daemonizing(marker))));
    if (child && *child) read_until((*child)->out.get(), [](const auto& text) { return text == "up\n"; });
    const pid_t pid = launcher->pid();
    static_cast<void>(!::write(tell.get(), &pid, sizeof pid));
    ::pause();
  }
  tell.reset();
  pid_t launcher = 0;
  ASSERT_EQ(::read(told.get(), &launcher, sizeof launcher), static_cast<ssize_t>(sizeof launcher));
  ASSERT_TRUE(becomes_true([&] { return !processes_with(std::string("sleep\0", 6) + marker).empty(); }));
  ::kill(gateway, SIGKILL);
  ::waitpid(gateway, nullptr, 0);
  EXPECT_TRUE(becomes_true([&] { return processes_with(marker).empty(); }));
  EXPECT_TRUE(becomes_true([&] { return ::kill(launcher, 0) != 0 || processes_with("sp-none").empty(); }));
}

TEST(Launcher, RefusesRootWithoutAnUnprivilegedUser) {
  if (::geteuid() != 0) GTEST_SKIP() << "not root";
  EXPECT_EQ(Launcher::fork_now({}).error().code, Code::config);
}

TEST(Launcher, RequireRefusesToStartWithoutBubblewrap) {
  auto options = test_options(Sandbox::require);
  options.bwrap = "/usr/bin/false";
  const auto launcher = Launcher::fork_now(options);
  ASSERT_FALSE(launcher);
  EXPECT_EQ(launcher.error().code, Code::config);
}

TEST(Launcher, PreferFallsBackAndSaysSo) {
  auto options = test_options(Sandbox::prefer);
  options.bwrap = "/usr/bin/false";
  const auto launcher = Launcher::fork_now(options);
  ASSERT_TRUE(launcher) << launcher.error().detail;
  EXPECT_NE(launcher->confinement(), Confinement::bubblewrap);
  EXPECT_FALSE(launcher->fallback_reason().empty());
}

TEST(Launcher, HasAHardCapOfItsOwn) {
  auto options = test_options();
  options.children_max = 2;
  auto launcher = Launcher::fork_now(options);
  ASSERT_TRUE(launcher);
  asio::io_context context;
  std::vector<Child> kept;
  for (int i = 0; i < 2; ++i) {
    auto child = run(context, launcher->start(shell("read line")));
    ASSERT_TRUE(child && *child);
    kept.push_back(std::move(**child));
  }
  auto third = run(context, launcher->start(shell("read line")));
  ASSERT_TRUE(third && !*third);
  EXPECT_EQ(third->error().code, Code::limit);
}

// More requests than the socket holds: neither end may wait for the other.
TEST(Launcher, AnswersABurstOfStarts) {
  auto launcher = Launcher::fork_now(test_options());
  ASSERT_TRUE(launcher);
  asio::io_context context;
  int refused = 0;
  constexpr int kBurst = 100;
  const auto one = [&]() -> Task<void> {
    LaunchSpec spec;
    spec.argv = {"/usr/bin/no-such-program", std::string(20'000, 'x')};
    const auto child = co_await launcher->start(std::move(spec));
    refused += !child && child.error().code == Code::upstream_unavailable ? 1 : 0;
  };
  TaskGroup group(context.get_executor(), [](const char* what) { ADD_FAILURE() << what; });
  for (int i = 0; i < kBurst; ++i) group.spawn(one());
  context.run_for(kDeadline);
  EXPECT_EQ(refused, kBurst);
}

TEST(Launcher, ServesSeveralWorkersAtOnce) {
  auto launcher = Launcher::fork_now(test_options());
  ASSERT_TRUE(launcher);
  std::atomic<int> good = 0;
  std::vector<std::jthread> workers;
  for (int w = 0; w < 4; ++w) {
    workers.emplace_back([&launcher, &good, w] {
      for (int i = 0; i < 5; ++i) {
        const std::string word = std::to_string(w) + "-" + std::to_string(i) + "\n";
        good += run_to_end(*launcher, shell("echo " + word)).out == word ? 1 : 0;
      }
    });
  }
  workers.clear();
  EXPECT_EQ(good, 20);
}

// A worker that goes away in the middle of a start leaves no process behind.
TEST(Launcher, ACancelledStartIsTakenDown) {
  const std::string marker = "7006" + std::to_string(::getpid());
  auto launcher = Launcher::fork_now(test_options());
  ASSERT_TRUE(launcher);
  asio::io_context context;
  TaskGroup group(context.get_executor(), [](const char*) {});
  group.spawn([](Launcher& in, LaunchSpec spec) -> Task<void> {
    const auto child = co_await in.start(std::move(spec));
    EXPECT_FALSE(child);
  }(*launcher, shell("sleep " + marker)));
  context.poll_one();
  group.cancel();
  context.run_for(kDeadline);
  EXPECT_TRUE(becomes_true([&] { return processes_with(marker).empty(); }));
}

}  // namespace
}  // namespace sallyport::launcher
