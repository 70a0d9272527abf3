#include "request/listener/peer_process.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace sallyport {
namespace {

// What `question` says in a grandchild of this process.
int in_grandchild(int (*question)(pid_t top)) {
  const pid_t top = ::getpid();
  const pid_t child = ::fork();
  if (child == 0) {
    const pid_t grandchild = ::fork();
    if (grandchild == 0) ::_exit(question(top));
    int status = 0;
    ::waitpid(grandchild, &status, 0);
    ::_exit(WEXITSTATUS(status));
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WEXITSTATUS(status);
}

TEST(PeerProcess, FindsAGrandchild) {
  EXPECT_EQ(in_grandchild([](pid_t top) { return descends_from(::getpid(), top) ? 1 : 2; }), 1);
}

TEST(PeerProcess, AParentDoesNotDescendFromItsChild) {
  EXPECT_EQ(in_grandchild([](pid_t top) { return descends_from(top, ::getpid()) ? 1 : 2; }), 2);
}

TEST(PeerProcess, ASiblingIsNoDescendant) {
  EXPECT_FALSE(descends_from(::getppid(), ::getpid()));
  EXPECT_FALSE(descends_from(::getpid(), ::getpid()));
}

TEST(PeerProcessAbuse, WhoCannotBeFoundIsNotServed) {
  EXPECT_TRUE(descends_from(0, ::getpid()));
  EXPECT_TRUE(descends_from(-1, ::getpid()));
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  ::waitpid(child, nullptr, 0);
  EXPECT_TRUE(descends_from(child, ::getpid()));  // gone
}

}  // namespace
}  // namespace sallyport
