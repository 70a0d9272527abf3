// What an enemy who can write the file may try: flips, cuts, swaps, splices, and contents that would write elsewhere (S2-11,
// S0-37, S0-28).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "control/backup/restore.h"
#include "control/backup/shelf.h"
#include "control/backup/test_support.h"

namespace sallyport::backup {
namespace {

constexpr std::size_t kSealedChunk = kChunkBytes + crypto::kAeadNonceBytes + crypto::kAeadTagBytes;

class Abuse : public testing::Test {
 protected:
  Abuse() {
    made_ = t.make({nullptr, true, false});
    bytes = read_file(t.file(*made_));
    head = *header_length(std::string_view(bytes).substr(0, kFixedHeadBytes));
  }
  // Opens a file of these bytes as a verification does.
  bool opens(const std::string& changed) {
    const std::string path = t.home("backups/") + made_->name;
    write_file(path, changed);
    const Tools tools = t.tools();
    const std::string scratch = t.folder.path("scratch");
    std::filesystem::create_directories(scratch);
    const auto found = extract_all(path, {&tools.keys, nullptr}, scratch, tools.go_on);
    std::filesystem::remove_all(scratch);
    return found.has_value();
  }
  std::string chunk(std::size_t number) const { return bytes.substr(head + number * kSealedChunk, kSealedChunk); }

  TestBackups t;
  Result<Made> made_;
  std::string bytes;
  std::size_t head = 0;
};

TEST_F(Abuse, EachBitFlipIsFound) {
  ASSERT_GT(bytes.size(), 2 * kSealedChunk);
  ASSERT_TRUE(opens(bytes));
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < head + 64; ++i) places.push_back(i);  // the head, the first nonce
  for (std::size_t i = 0; i < bytes.size(); i += 9001) places.push_back(i);  // all over the body
  for (std::size_t i = bytes.size() - 32; i < bytes.size(); ++i) places.push_back(i);  // the last tag
  std::size_t flips = 0;
  for (const std::size_t place : places) {
    const int bit = static_cast<int>(flips++ % 8);
    std::string changed = bytes;
    changed[place] = static_cast<char>(changed[place] ^ (1 << bit));
    EXPECT_FALSE(opens(changed)) << "byte " << place << " bit " << bit;
  }
  std::printf("%zu flips, each found\n", flips);
}

TEST_F(Abuse, EachCutIsFound) {
  for (const std::size_t length : {std::size_t{0}, std::size_t{1}, kFixedHeadBytes, head - 1, head, head + 27,
                                   head + kSealedChunk, head + 2 * kSealedChunk, bytes.size() - 1}) {
    EXPECT_FALSE(opens(bytes.substr(0, length))) << length;
  }
  EXPECT_FALSE(opens(bytes + '\0'));
  EXPECT_FALSE(opens(bytes + bytes.substr(head)));
}

TEST_F(Abuse, ChunksInAnotherOrderAreFound) {
  const std::string first = chunk(0), second = chunk(1);
  const std::string rest = bytes.substr(head + 2 * kSealedChunk);
  EXPECT_FALSE(opens(bytes.substr(0, head) + second + first + rest));
  EXPECT_FALSE(opens(bytes.substr(0, head) + first + first + rest));
  EXPECT_FALSE(opens(bytes.substr(0, head) + first + rest));
  EXPECT_FALSE(opens(bytes.substr(0, head) + first + second + second + rest));
}

TEST_F(Abuse, ChunksOfAnotherBackupAreFound) {
  const auto other = t.make({nullptr, true, false});
  const std::string theirs = read_file(t.file(*other));
  ASSERT_EQ(theirs.size(), bytes.size());
  EXPECT_FALSE(opens(bytes.substr(0, head) + theirs.substr(head)));
  EXPECT_FALSE(opens(theirs.substr(0, head) + bytes.substr(head)));
  std::string spliced = bytes;
  spliced.replace(head + kSealedChunk, kSealedChunk, theirs.substr(head + kSealedChunk, kSealedChunk));
  EXPECT_FALSE(opens(spliced));
}

// One key for all: what stands in a manifest is believed only as far as it is checked.
class Hostile : public testing::Test {
 protected:
  static std::string content(const std::string& manifest, const std::string& files) {
    std::string out;
    for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>((manifest.size() >> shift) & 0xFF));
    return out + manifest + files;
  }
  static std::string manifest(const std::string& entries) {
    return R"({"format":1,"id":"00112233445566778899aabbccddeeff","base":"","at":1,"program":"x","notices":[],"entries":[)" +
           entries + "]}";
  }
  static std::string entry(const std::string& name, const std::string& size = "0", const std::string& from = "") {
    return R"({"name":")" + name + R"(","size":)" + size + R"(,"sha256":")" + std::string(kEmpty) + R"(","from":")" +
           from + "\"}";
  }
  // Reads it all into a folder; what was written there, or the error.
  Result<std::map<std::string, std::string>> read(const std::string& bytes) const {
    std::size_t at = 0;
    PlainSource source = [&bytes, &at](std::span<char> out) -> Result<std::size_t> {
      const std::size_t got = std::min(out.size(), bytes.size() - at);
      std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), got, out.begin());
      at += got;
      return got;
    };
    const TestFolder into;
    SP_TRY(ContentReader content, ContentReader::open(std::move(source), bytes.size()));
    SP_CHECK(content.extract(into.path(), [](const Entry&) { return true; }, [] { return true; }));
    return TestBackups::tree(into.path());
  }
  static constexpr std::string_view kEmpty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
};

TEST_F(Hostile, ReadsAnHonestOne) {
  const auto found = read(content(manifest(entry("policies/a.rego") + "," + entry("sallyport.db")), ""));
  ASSERT_TRUE(found) << found.error().detail;
  EXPECT_EQ(found->size(), 2U);
}

TEST_F(Hostile, NamesThatLeadElsewhereAreRefused) {
  for (const char* name : {"../sallyport.db",
                           "policies/../../x",
                           "/etc/passwd",
                           "policies//x",
                           "policies/./x",
                           "policies/",
                           "policies",
                           "",
                           ".",
                           "..",
                           "policies/..",
                           "bin/x",
                           "lock",
                           "admin.sock",
                           "backups/x",
                           "policies\\\\x",
                           "policies/a\\u0000b",
                           "policies/a\\nb",
                           "restore.pending",
                           ".restore-x/y",
                           "sallyport.db/x",
                           "policies/1/2/3/4/5/6/7/8/9"}) {
    const auto found = read(content(manifest(entry(name)), ""));
    EXPECT_FALSE(found) << name;
  }
  EXPECT_FALSE(read(content(manifest(entry("policies/" + std::string(256, 'a'))), "")));
}

TEST_F(Hostile, TwoOfOneNameAndFilesInFilesAreRefused) {
  EXPECT_FALSE(read(content(manifest(entry("policies/a") + "," + entry("policies/a")), "")));
  EXPECT_FALSE(read(content(manifest(entry("policies/b") + "," + entry("policies/a")), "")));
  EXPECT_FALSE(read(content(manifest(entry("policies/a") + "," + entry("policies/a/b")), "")));
}

TEST_F(Hostile, SizesThatAreNotThereAreRefusedBeforeAnythingIsWritten) {
  for (const char* size : {"1", "1099511627776", "18446744073709551615", "-1", "1e9", "1.5", "\"1\""}) {
    EXPECT_FALSE(read(content(manifest(entry("sallyport.db", size)), ""))) << size;
  }
  EXPECT_FALSE(read(content(manifest(entry("sallyport.db")), "more")));
  const std::string huge = {'\x7F', '\xFF', '\xFF', '\xFF'};
  EXPECT_FALSE(read(huge + manifest("")));
}

TEST_F(Hostile, BytesThatAreNotWhatTheManifestSaysAreRefused) {
  EXPECT_FALSE(read(content(manifest(entry("sallyport.db", "3")), "abc")));
}

TEST_F(Hostile, ManifestsOfAnotherFormAreRefused) {
  for (const std::string& text :
       {std::string("{}"), std::string("[]"), std::string("null"), manifest("{}"), manifest("1"),
        manifest(entry("sallyport.db", "0", "00112233445566778899aabbccddeeff")),
        manifest(entry("sallyport.db", "0", "zz"))}) {
    EXPECT_FALSE(read(content(text, ""))) << text;
  }
}

}  // namespace
}  // namespace sallyport::backup
