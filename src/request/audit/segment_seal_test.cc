// S0-18, C18: audit records sealed under a data key a segment.
#include "request/audit/segment_seal.h"

#include <gtest/gtest.h>

#include "request/audit/line.h"
#include "request/audit/tail.h"
#include "request/audit/test_audit.h"

namespace sallyport::audit {
namespace {

constexpr std::string_view kMarker = "canary-of-a-caller";

std::string kek(char fill = 'k') { return std::string(32, fill); }

// A closed run with sealed segments.
class SealedAudit : public ::testing::Test {
 protected:
  void SetUp() override {
    LogOptions options;
    options.segment_bytes_max = 4000;
    options.sealing = {as_bytes(key_), &random_};
    auto log = home_.open(options);
    ASSERT_TRUE(log);
    for (int i = 0; i < 40; ++i) {
      AuditRecord record = home_.record(i == 7 ? Kind::intent : Kind::event, "r" + std::to_string(i));
      record.reason = kMarker;
      ASSERT_TRUE((*log)->writer(0).write(record));
    }
    last_ = known((*log)->close().value());
  }

  Report verified(std::string_view key) { return verify(home_.dir(), {last_, {}, as_bytes(key)}).value(); }

  // Swaps the text of two sealed records of one segment and makes both lines whole again, as one would who knows the format.
  void forge(const std::string& name, std::size_t a, std::size_t b) {
    auto lines = split(TestAudit::read(home_.path(name)));
    const auto sealed_of = [](const std::string& line) {
      const auto at = line.find("\"sealed\":\"") + 10;
      return line.substr(at, line.find('"', at) - at);
    };
    const std::string one = sealed_of(lines[a]), two = sealed_of(lines[b]);
    const auto line_of = [](std::size_t seq, const std::string& sealed) {
      const std::string object = "{\"seq\":" + std::to_string(seq) + ",\"sealed\":\"" + sealed + "\"}";
      const auto leaf = merkle::to_hex(merkle::leaf_hash(as_bytes(object)));
      return object.substr(0, object.size() - 1) + ",\"leaf\":\"" + leaf + "\"}";
    };
    lines[a] = line_of(a, two);
    lines[b] = line_of(b, one);
    TestAudit::write(home_.path(name), join(lines));
  }

  TestAudit home_;
  SystemRandom random_;
  std::string key_ = kek();
  std::optional<KnownCheckpoint> last_;
};

TEST_F(SealedAudit, NothingOfARecordStandsInTheClear) {  // S0-18
  EXPECT_GT(home_.segments().size(), 2U);
  for (const auto& [name, bytes] : home_.files()) {
    EXPECT_EQ(bytes.find(kMarker), std::string::npos) << name;
    EXPECT_EQ(bytes.find("tool_execution"), std::string::npos) << name;
  }
}

TEST_F(SealedAudit, EachSegmentHasAKeyOfItsOwn) {  // S2-13 in the audit: C18
  std::vector<std::string> keys;
  for (const std::string& name : home_.segments()) {
    const std::string first = split(TestAudit::read(home_.path(name))).at(0);
    const auto at = first.find("\"data_key\":\"");
    ASSERT_NE(at, std::string::npos) << first;
    keys.push_back(first.substr(at + 12, 80));
  }
  std::ranges::sort(keys);
  EXPECT_TRUE(std::ranges::adjacent_find(keys) == keys.end());
}

TEST_F(SealedAudit, VerifiesWithoutTheKeyAndReadsMoreWithIt) {
  const Report blind = verified({});
  EXPECT_TRUE(blind.intact) << blind.broken->why;
  EXPECT_TRUE(blind.unfinished.empty());
  const Report seeing = verified(key_);
  EXPECT_TRUE(seeing.intact) << seeing.broken->why;
  ASSERT_EQ(seeing.unfinished.size(), 1U);
  EXPECT_NE(seeing.unfinished[0].why.find("r7"), std::string::npos);
}

TEST_F(SealedAudit, TailOpensWhatItShows) {
  const auto records = tail(home_.dir(), {.request_id = "r12"}, 10, as_bytes(key_)).value();
  ASSERT_EQ(records.size(), 1U);
  EXPECT_NE(records[0].find(kMarker), std::string::npos);
  EXPECT_FALSE(view(records[0], Format::guide_s0).empty());
}

TEST_F(SealedAudit, AnotherKeyOpensNothingAndSaysSo) {
  const auto records = tail(home_.dir(), {}, 10, as_bytes(std::string_view(kek('x'))));
  ASSERT_FALSE(records);
  EXPECT_EQ(records.error().code, Code::crypto);
  EXPECT_NE(records.error().detail.find("sealed under another key"), std::string::npos);
  EXPECT_FALSE(verified(kek('x')).intact);
}

TEST_F(SealedAudit, ARecordDoesNotOpenInAnothersPlace) {
  const std::string name = home_.segments().at(0);
  forge(name, 2, 3);
  const SegmentReader reader = SegmentReader::of(home_.dir(), name, as_bytes(key_)).value();
  const auto lines = split(TestAudit::read(home_.path(name)));
  EXPECT_TRUE(reader.record(lines[1]));
  EXPECT_FALSE(reader.record(lines[2]));
  EXPECT_FALSE(reader.record(lines[3]));
  EXPECT_FALSE(verified(key_).intact);
  EXPECT_FALSE(verified({}).intact);  // the tree head differs too
}

TEST_F(SealedAudit, ADataKeyOpensItsOwnSegmentAlone) {
  const auto names = home_.segments();
  const auto first = [&](const std::string& name) { return split(TestAudit::read(home_.path(name))).at(0); };
  const std::string line = first(names[0]);
  const std::string data_key = line.substr(line.find("\"data_key\":\"") + 12, 80);
  EXPECT_TRUE(SegmentSeal::open(as_bytes(key_), names[0], data_key));
  EXPECT_FALSE(SegmentSeal::open(as_bytes(key_), names[1], data_key));
}

TEST_F(SealedAudit, EachFlippedBitOfASealedRecordIsSeen) {
  const std::string name = home_.segments().at(0);
  const SegmentReader reader = SegmentReader::of(home_.dir(), name, as_bytes(key_)).value();
  const std::string line = split(TestAudit::read(home_.path(name))).at(1);
  const auto start = line.find("\"sealed\":\"") + 10;
  const auto end = line.find('"', start);
  for (std::size_t at = start; at < end; ++at) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      std::string flipped = line;
      flipped[at] = static_cast<char>(flipped[at] ^ (1U << bit));
      const auto opened = reader.record(flipped);
      EXPECT_TRUE(!opened || opened->find(kMarker) == std::string::npos) << at;
      EXPECT_FALSE(check_line(flipped)) << at;
    }
  }
}

TEST(AuditSealing, ARunInTheClearAndASealedOneReadTogether) {
  TestAudit home;
  SystemRandom random;
  const std::string key = kek();
  ASSERT_TRUE(home.open().value()->writer(0).write(home.record(Kind::event, "clear")));
  LogOptions options;
  options.sealing = {as_bytes(key), &random};
  ASSERT_TRUE(home.open(options).value()->writer(0).write(home.record(Kind::event, "sealed")));
  const auto records = tail(home.dir(), {.event_type = std::string(kToolExecution)}, 10, as_bytes(key)).value();
  ASSERT_EQ(records.size(), 2U);
  EXPECT_NE(records[0].find("\"clear\""), std::string::npos);
  EXPECT_NE(records[1].find("\"sealed\""), std::string::npos);
}

// A line must stay below what readers take, sealed too.
TEST(AuditSealing, TheLongestRecordStaysReadable) {
  SystemRandom random;
  const std::string key = kek();
  const SegmentSeal seal = SegmentSeal::fresh({as_bytes(key), &random}, "seg-000-x.jsonl").value();
  AuditRecord r;
  for (auto* text : {&r.reason, &r.evidence, &r.path, &r.user_agent, &r.query_params, &r.principal, &r.action}) {
    text->assign(1 << 20, '\x01');
  }
  r.arguments = r.response = "[\"" + std::string(kArgumentsBytesMax - 4, 'x') + "\"]";
  std::string out(1, '\0');
  ASSERT_TRUE(append_sealed_line(out, r, 1, seal));
  EXPECT_LT(out.size(), kLineBytesMax);
  EXPECT_TRUE(check_line(std::string_view(out).substr(1, out.size() - 2)));
}

}  // namespace
}  // namespace sallyport::audit
