#include "request/pipeline/negotiate.h"

#include <gtest/gtest.h>

namespace sallyport {
namespace {

TEST(Negotiate, AnArrayIsSeenBehindJsonsOwnWhitespaceOnly) {
  for (const std::string_view body : {"[", " \t\r\n[1]"}) EXPECT_TRUE(starts_array(body)) << body;
  for (const std::string_view body : {"", "  ", "{\"a\":[]}", "\v[", "\"[\""}) EXPECT_FALSE(starts_array(body)) << body;
}

TEST(Negotiate, TheAddressOfAPostNamesOneSession) {
  EXPECT_EQ(session_of_query("sessionId=abc"), "abc");
  EXPECT_EQ(session_of_query("x=1&sessionId=abc&y"), "abc");
  EXPECT_EQ(session_of_query("sessionId="), "");
  for (const std::string_view query :
       {"", "x=1", "SessionId=a", "xsessionId=a", "sessionId", "sessionId=a&sessionId=a"}) {
    EXPECT_EQ(session_of_query(query), std::nullopt) << query;
  }
}

}  // namespace
}  // namespace sallyport
