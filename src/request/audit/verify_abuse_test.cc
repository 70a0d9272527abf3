// Every way of tampering that we could name, against both implementations: this module's and tests/support/verify_audit.py.
#include <gtest/gtest.h>

#include <algorithm>

#include "request/audit/line.h"
#include "request/audit/test_audit.h"

namespace sallyport::audit {
namespace {

using Files = std::map<std::string, std::string>;

struct Case {
  std::string name;
  Files files;  // those that are as they were are linked, not written
};

class Tampering : public testing::Test {
 protected:
  // Two writers, a rotation, two runs (the second one closed): small, but with every kind of line.
  void SetUp() override {
    LogOptions options;
    options.writers = 2;
    options.segment_bytes_max = 900;
    {
      auto log = home_.open(options);
      write(**log, 2);
      (void)(*log)->checkpoint();
      older_ = home_.files();
      write(**log, 1);
    }
    auto log = home_.open(options);
    write(**log, 1);
    last_ = (*log)->close().value();
    good_ = home_.files();
    for (const auto& [name, bytes] : good_) {
      if (name.starts_with("seg-")) segments_.push_back(name);
    }
  }

  void write(AuditLog& log, int pairs) {
    for (int i = 0; i < pairs; ++i) {
      ASSERT_TRUE(log.writer(0).write(home_.record(Kind::intent, "r")));
      ASSERT_TRUE(log.writer(1).write(home_.record(Kind::outcome, "r")));
    }
  }

  // Runs both over every case; `intact` says what they must find.
  void run(const std::vector<Case>& cases, bool intact = false) {
    const std::string root = home_.root() + "/cases";
    std::filesystem::create_directory(root);
    std::string list;
    for (std::size_t i = 0; i < cases.size(); ++i) {
      const std::string dir = root + "/" + std::to_string(i);
      std::filesystem::create_directory(dir);
      for (const auto& [name, bytes] : cases[i].files) place(dir + "/" + name, name, bytes);
      list += dir + "\t" + std::to_string(last_.number) + ":" + last_.hash + "\n";
    }
    const std::vector<std::string> second = python(list);
    ASSERT_EQ(second.size(), cases.size());
    for (std::size_t i = 0; i < cases.size(); ++i) {
      const Report report = verify(root + "/" + std::to_string(i), {known(last_), {}}).value();
      EXPECT_EQ(report.intact, intact) << cases[i].name;
      const std::string ours =
          report.broken ? "broken " + report.broken->file + " " + std::to_string(report.broken->line) : "intact";
      EXPECT_EQ(second[i].substr(0, ours.size()), ours) << cases[i].name << "\n" << second[i];
    }
  }

  void place(const std::string& path, const std::string& name, const std::string& bytes) {
    const auto same = good_.find(name);
    if (same == good_.end() || same->second != bytes || ::link(home_.path(name).c_str(), path.c_str()) != 0) {
      TestAudit::write(path, bytes);
    }
  }

  std::vector<std::string> python(const std::string& list) {
    TestAudit::write(home_.root() + "/list", list);
    const std::string command = "python3 " SALLYPORT_SOURCE_DIR "/tests/support/verify_audit.py --batch < " + home_.root() +
                                "/list > " + home_.root() + "/verdicts";
    EXPECT_EQ(std::system(command.c_str()), 0);
    return split(TestAudit::read(home_.root() + "/verdicts"));
  }

  // Every case that `change` makes of the lines of one file.
  template <class F>
  void lines(std::vector<Case>& cases, const std::string& what, F change) {
    for (const auto& [name, bytes] : good_) {
      if (name == kPublicKeyFile) continue;
      const std::vector<std::string> all = split(bytes);
      for (std::size_t i = 0; i < all.size(); ++i) {
        std::vector<std::string> changed = all;
        if (!change(changed, i)) continue;
        cases.push_back({what + " " + name + " " + std::to_string(i + 1), good_});
        cases.back().files[name] = join(changed);
      }
    }
  }

  TestAudit home_;
  Checkpoint last_;
  Files good_;
  Files older_;
  std::vector<std::string> segments_;
};

// A record as an attacker with a text editor and a SHA-256 tool would write it.
std::string releaf(std::string object) {
  const std::string leaf = merkle::to_hex(merkle::leaf_hash(as_bytes(object)));
  object.pop_back();
  return object + ",\"leaf\":\"" + leaf + "\"}";
}

TEST_F(Tampering, BothAgreeOnAnUntouchedLog) {
  EXPECT_GE(segments_.size(), 4U);
  run({{"untouched", good_}}, true);
}

TEST_F(Tampering, EverySingleByteEdit) {
  std::vector<Case> cases;
  for (const auto& [name, bytes] : good_) {
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      cases.push_back({name + " byte " + std::to_string(i), good_});
      cases.back().files[name][i] = static_cast<char>(bytes[i] ^ (i % 2 == 0 ? 0x01 : 0x20));
    }
  }
  run(cases);
}

TEST_F(Tampering, EveryDroppedRepeatedAndSwappedLine) {
  std::vector<Case> cases;
  lines(cases, "drop", [](auto& all, std::size_t i) { return all.erase(all.begin() + static_cast<std::ptrdiff_t>(i)), true; });
  lines(cases, "repeat", [](auto& all, std::size_t i) {
    const std::string copy = all[i];
    return all.insert(all.begin() + static_cast<std::ptrdiff_t>(i), copy), true;
  });
  lines(cases, "swap", [](auto& all, std::size_t i) { return i + 1 < all.size() && (std::swap(all[i], all[i + 1]), true); });
  lines(cases, "cut the tail", [](auto& all, std::size_t i) { return all.resize(i), true; });
  run(cases);
}

TEST_F(Tampering, EveryTruncationInBytes) {
  std::vector<Case> cases;
  for (const auto& [name, bytes] : good_) {
    for (std::size_t size = 0; size < bytes.size(); size += 7) {
      cases.push_back({name + " cut at " + std::to_string(size), good_});
      cases.back().files[name].resize(size);
    }
  }
  run(cases);
}

TEST_F(Tampering, EveryMissingFile) {
  std::vector<Case> cases;
  for (const auto& [name, bytes] : good_) {
    cases.push_back({"without " + name, good_});
    cases.back().files.erase(name);
  }
  run(cases);
}

TEST_F(Tampering, RecordsRewrittenWithTheirLeaf) {
  std::vector<Case> cases;
  lines(cases, "rewrite", [](auto& all, std::size_t i) {
    const auto parts = split_line(all[i]);
    const std::size_t at = parts ? parts->object.find("\"calc\"") : std::string::npos;
    if (at == std::string::npos) return false;
    std::string object = parts->object;
    all[i] = releaf(object.replace(at, 6, "\"evil\""));
    return true;
  });
  ASSERT_GT(cases.size(), 5U);
  run(cases);
}

TEST_F(Tampering, RecordsPutInBehindTheClose) {
  std::vector<Case> cases;
  for (const std::string& segment : segments_) {
    const std::size_t count = split(good_[segment]).size();
    cases.push_back({"append to " + segment, good_});
    cases.back().files[segment] += releaf("{\"seq\":" + std::to_string(count) + ",\"kind\":\"outcome\"}") + "\n";
    cases.push_back({"half a line behind " + segment, good_});
    cases.back().files[segment] += "{\"seq\"";
  }
  cases.push_back({"a segment of their own", good_});
  cases.back().files["seg-009-20260101T000000.000000Z.jsonl"] = releaf("{\"seq\":0,\"kind\":\"outcome\"}") + "\n";
  run(cases);
}

TEST_F(Tampering, SegmentsRenamedOrExchanged) {
  std::vector<Case> cases{{"rename", good_}, {"exchange", good_}};
  auto node = cases[0].files.extract(segments_[1]);
  node.key() = "seg-007-20260101T000000.000000Z.jsonl";
  cases[0].files.insert(std::move(node));
  std::swap(cases[1].files[segments_[0]], cases[1].files[segments_[1]]);
  run(cases);
}

TEST_F(Tampering, EverythingRolledBackToAnOlderState) { run({{"older", older_}, {"nothing left", {}}}); }

TEST_F(Tampering, EverythingSignedAnewByAnotherKey) {
  TestAudit other;
  LogOptions options;
  options.dir = other.dir();
  options.sync_checkpoints = false;
  ASSERT_TRUE(AuditLog::open(options, TestAudit::key('x'), {}, other.clock).value()->close());
  const std::string ours(as_text(TestAudit::key().public_key()));
  EXPECT_EQ(verify(other.dir(), {{}, ours}).value().broken->file, kPublicKeyFile);
  EXPECT_TRUE(verify(home_.dir(), {{}, ours}).value().intact);
}

}  // namespace
}  // namespace sallyport::audit
