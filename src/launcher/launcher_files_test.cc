// Files of a specification: in memory, inherited, in both ways of confinement.
#include "launcher/launcher_test_support.h"

namespace sallyport::launcher {
namespace {

using namespace testing;  // NOLINT

class Files : public ::testing::TestWithParam<Sandbox> {};

INSTANTIATE_TEST_SUITE_P(Launcher, Files, ::testing::Values(Sandbox::prefer, Sandbox::fallback),
                         [](const auto& info) { return info.param == Sandbox::prefer ? "Bubblewrap" : "Fallback"; });

// S2-13, C19: a credential that its server wants in a file. Nobody can write to it, and who opens it twice reads it twice.
TEST_P(Files, AreHandedOverInMemory) {
  auto launcher = Launcher::fork_now(test_options(GetParam()));
  ASSERT_TRUE(launcher) << launcher.error().detail;
  auto spec = shell("cat \"$KEY_FILE\" \"$KEY_FILE\" \"$OTHER\"; echo \"$OTHER\"");
  spec.files.emplace_back("KEY_FILE", Secret(std::string("in a\0file ", 10)));
  spec.files.emplace_back("OTHER", Secret("of two "));
  const auto outcome = run_to_end(*launcher, std::move(spec));
  const std::string wanted = std::string("in a\0file in a\0file of two ", 27) + "/proc/self/fd/";
  EXPECT_EQ(outcome.out.substr(0, wanted.size()), wanted) << outcome.err;
}

TEST_P(Files, HaveNamesAsVariablesDo) {
  auto launcher = Launcher::fork_now(test_options(GetParam()));
  ASSERT_TRUE(launcher) << launcher.error().detail;
  for (const char* name : {"LD_PRELOAD", "A B", ""}) {
    auto spec = shell("echo started");
    spec.files.emplace_back(name, Secret("x"));
    asio::io_context context;
    auto child = run(context, launcher->start(std::move(spec)));
    ASSERT_TRUE(child);
    EXPECT_EQ((*child).error().code, Code::config) << name;
  }
}

}  // namespace
}  // namespace sallyport::launcher
