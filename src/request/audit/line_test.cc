#include "request/audit/line.h"

#include <gtest/gtest.h>

#include <limits>

#include "request/audit/scan.h"
#include "request/audit/tail.h"

namespace sallyport::audit {
namespace {

using namespace std::string_literals;

AuditRecord full() {
  AuditRecord r;
  r.kind = Kind::outcome;
  r.time = WallTime(std::chrono::microseconds(1'790'000'000'000'042));
  r.request_id = "r1";
  r.event_type = kToolExecution;
  r.user_id = "u1";
  r.principal = "user:u1";
  r.auth_type = "api_key";
  r.server = "gmail";
  r.tool = "send";
  r.action = "call";
  r.result = "success";
  r.client_ip = "127.0.0.1";
  r.user_agent = "curl";
  r.method = "POST";
  r.path = "/mcp";
  r.query_params = "a=1";
  r.status_code = 200;
  r.execution_time_s = 0.25;
  r.process_time_s = 1.5;
  r.content_length = 12;
  r.arguments = "{\"to\":\"x\"}";
  r.result_digest = "ab";
  return r;
}

std::string line_of(const AuditRecord& record) {
  std::string out("\0", 1);
  append_line(out, record, 7);
  return out.substr(1, out.size() - 2);
}

TEST(Line, CarriesItsOwnLeaf) {
  const std::string line = line_of(full());
  ASSERT_TRUE(check_line(line)) << line;
  for (std::size_t i = 0; i < line.size(); ++i) {
    std::string changed = line;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_FALSE(check_line(changed)) << i;
  }
}

TEST(Line, HoldsWhatTheCallerWasShownWhereItIsAskedFor) {
  EXPECT_EQ(line_of(full()).find("\"response\""), std::string::npos);
  AuditRecord record = full();
  record.response = R"({"content":[{"type":"text","text":"5"}]})";
  const std::string line = line_of(record);
  EXPECT_NE(line.find(R"("response":{"content":[{"type":"text","text":"5"}]})"), std::string::npos) << line;
  EXPECT_TRUE(check_line(line));
  record.response = "{\n}";
  EXPECT_EQ(line_of(record).find('\n'), std::string::npos);
  record.response = "{\"a\":\"" + std::string(100'000, 'x') + "\"}";
  EXPECT_LT(line_of(record).size(), 20'000U);
}

TEST(Line, HasBothTimestamps) {  // C10
  const std::string line = line_of(full());
  const auto members = Members::of(line);
  ASSERT_TRUE(members);
  EXPECT_EQ(members->text("timestamp"), "2026-09-21T14:13:20.000042Z");
  EXPECT_EQ(members->raw("timestamp_epoch"), "1790000000.000042");
  EXPECT_EQ(members->text("tool_id"), "gmail/send");
}

TEST(Line, OneRecordIsOneLineWhateverItsFieldsHold) {
  AuditRecord r = full();
  r.user_agent = "a\n{\"seq\":8}\r\0\x1b[2J\xC2\x9B\"\\ \xFF\xE2\x98\x83"s;
  r.arguments = "{\"a\":\n1}";
  const std::string line = line_of(r);
  EXPECT_EQ(line.find_first_of(std::string("\n\r\0\x1b", 4)), std::string::npos);
  EXPECT_TRUE(valid_utf8(line));
  ASSERT_TRUE(Members::of(line));
  EXPECT_TRUE(Members::of(line)->text("user_agent").starts_with("a\n{\"seq\":8}\r"));
}

TEST(Line, AFieldThatIsACredentialIsNotShown) {
  AuditRecord r = full();
  r.tool = r.rpc_method = "mcp_aB3-" + std::string(39, 'x');
  r.user_agent = "mcpr_aB3-" + std::string(39, 'x');
  const std::string line = line_of(r);
  EXPECT_EQ(line.find("aB3-"), std::string::npos) << line;
  EXPECT_EQ(Members::of(line)->text("rpc_method"), "[redacted]");
}

TEST(Line, BoundsEveryField) {
  AuditRecord r = full();
  r.reason = r.evidence = r.path = r.user_agent = r.query_params = std::string(1 << 20, '\x01');
  r.arguments = "[\"" + std::string(1 << 20, 'x') + "\"]";
  EXPECT_LT(line_of(r).size(), kLineBytesMax);
}

// The line is written into memory measured beforehand: AddressSanitizer sees whether that was enough.
TEST(Line, FitsWhatWasMeasuredForItWhateverItsFieldsHold) {
  for (const std::string& unit : {"\x01"s, "\xFF"s, "\""s, "\xC2\x9B"s, "a"s, "\xE2\x98\x83"s}) {
    std::string text;
    while (text.size() <= kFieldBytesMax) text += unit;
    AuditRecord r = full();
    for (std::string* field :
         {&r.request_id,       &r.event_type, &r.principal,        &r.user_id,       &r.credential_id,
          &r.auth_type,        &r.session,    &r.server,           &r.tool,          &r.action,
          &r.result,           &r.stage,      &r.rule_id,          &r.reason,        &r.evidence,
          &r.client_ip,        &r.user_agent, &r.method,           &r.path,          &r.query_params,
          &r.protocol_version, &r.rpc_method, &r.arguments_digest, &r.result_digest, &r.arguments}) {
      *field = text;
    }
    r.status_code = std::numeric_limits<int>::max();
    r.execution_time_s = r.process_time_s = 1e300;
    r.content_length = r.result_bytes = std::numeric_limits<std::uint64_t>::max();
    r.time = WallTime::max();
    const std::string line = line_of(r);
    ASSERT_TRUE(check_line(line));
    EXPECT_TRUE(Members::of(line));
  }
}

TEST(View, GuideS0) {  // S0-16
  EXPECT_EQ(view(line_of(full()), Format::guide_s0),
            R"({"timestamp":"2026-09-21T14:13:20.000042Z","event_type":"tool_execution","user_id":"u1","tool_id":"gmail/send",)"
            R"("action":"call","result":"success","ip_address":"127.0.0.1","user_agent":"curl","execution_time":0.250000,)"
            R"("metadata":{"arguments":{"to":"x"},"result":"ab"}})");
}

TEST(View, GuideS1) {  // S1-6, S1-27
  EXPECT_EQ(view(line_of(full()), Format::guide_s1),
            R"({"timestamp":1790000000.000042,"method":"POST","path":"/mcp","query_params":"a=1","client_ip":"127.0.0.1",)"
            R"("user_agent":"curl","status_code":200,"process_time":1.500000,"auth_type":"api_key","content_length":"12"})");
}

TEST(View, GuideS3) {  // S3-14, S3-15
  AuditRecord r = full();
  EXPECT_TRUE(view(line_of(r), Format::guide_s3).starts_with(
      R"({"timestamp":"2026-09-21T14:13:20.000042Z","action":"call","user":"u1","details":{)"));
  r.result = "error";
  r.reason = "broke";
  EXPECT_TRUE(view(line_of(r), Format::guide_s3).starts_with(
      R"({"timestamp":"2026-09-21T14:13:20.000042Z","error":"broke","context":{)"));
}

TEST(View, GuideS4) {  // S4-19
  AuditRecord r = full();
  r.event_type = kAuthentication;
  r.set(Decision::denied(Stage::identity, "key.unknown", "bad key"));
  EXPECT_EQ(view(line_of(r), Format::guide_s4),
            R"({"logger":"security","level":"WARNING","message":"SECURITY_EVENT: AUTHENTICATION_FAILED",)"
            R"("event_type":"AUTHENTICATION_FAILED","timestamp":"2026-09-21T14:13:20.000042Z",)"
            R"("details":{"user":"u1","ip":"127.0.0.1","reason":"bad key","tool":"gmail/send","request_id":"r1"}})");
}

TEST(View, IsEmptyForWhatIsNoRecord) {
  EXPECT_EQ(view("nonsense", Format::guide_s0), "");
  EXPECT_EQ(format_from_name("guide-s1"), Format::guide_s1);
  EXPECT_EQ(format_from_name("x"), std::nullopt);
}

}  // namespace
}  // namespace sallyport::audit
