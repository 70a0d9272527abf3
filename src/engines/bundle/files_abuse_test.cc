// Archives that mean harm: paths that leave the bundle, links, bombs, bytes that are no archive.
#include <archive.h>
#include <archive_entry.h>
#include <gtest/gtest.h>

#include <functional>

#include "engines/bundle/files.h"

namespace sallyport::bundle {
namespace {

struct Entry {
  std::string path;
  std::string bytes;
  unsigned type = AE_IFREG;
  std::string link = {};
};

std::string packed(const std::vector<Entry>& entries, bool zipped = true) {
  std::string out(64U << 20, '\0');
  std::size_t used = 0;
  archive* to = archive_write_new();
  if (zipped) archive_write_add_filter_gzip(to);
  archive_write_set_format_pax_restricted(to);
  archive_write_open_memory(to, out.data(), out.size(), &used);
  for (const Entry& one : entries) {
    archive_entry* entry = archive_entry_new();
    archive_entry_set_pathname(entry, one.path.c_str());
    archive_entry_set_filetype(entry, one.type);
    archive_entry_set_perm(entry, 0644);
    archive_entry_set_size(entry, static_cast<la_int64_t>(one.bytes.size()));
    if (one.type == AE_IFLNK) archive_entry_set_symlink(entry, one.link.c_str());
    else if (!one.link.empty()) archive_entry_set_hardlink(entry, one.link.c_str());
    archive_write_header(to, entry);
    archive_write_data(to, one.bytes.data(), one.bytes.size());
    archive_entry_free(entry);
  }
  archive_write_close(to);
  archive_write_free(to);
  out.resize(used);
  return out;
}

TEST(BundleFiles, FilesComeByTheirCleanPath) {
  const auto files = unpack(packed({{"/a.rego", "1"}, {"./b/c.rego", "2"}, {"b", "", AE_IFDIR}}));
  ASSERT_TRUE(files) << files.error().detail;
  EXPECT_EQ(*files, (Files{{"a.rego", "1"}, {"b/c.rego", "2"}}));
}

TEST(BundleFilesAbuse, PathsThatLeaveTheBundle) {
  for (const char* path : {"../x", "a/../../x", "/..", "a/./b", "a//b", "a\\b", "a\nb", "./", "/"}) {
    EXPECT_FALSE(unpack(packed({{path, "x"}}))) << path;
    EXPECT_FALSE(clean_path(path)) << path;
  }
  EXPECT_FALSE(unpack(packed({{std::string(kPathBytesMax + 1, 'a'), "x"}})));
}

TEST(BundleFilesAbuse, APathThatComesTwice) {
  EXPECT_FALSE(unpack(packed({{"a", "1"}, {"a", "2"}})));
  EXPECT_FALSE(unpack(packed({{"a", "1"}, {"/a", "2"}})));
  EXPECT_FALSE(unpack(packed({{"a", "1"}, {"./a", "2"}})));
}

TEST(BundleFilesAbuse, LinksAndDevices) {
  EXPECT_FALSE(unpack(packed({{"a", "", AE_IFLNK, "/etc/passwd"}})));
  EXPECT_FALSE(unpack(packed({{"a", "1"}, {"b", "", AE_IFREG, "a"}})));
  EXPECT_FALSE(unpack(packed({{"a", "", AE_IFIFO}})));
  EXPECT_FALSE(unpack(packed({{"a", "", AE_IFCHR}})));
}

TEST(BundleFilesAbuse, BombsAreCut) {
  EXPECT_FALSE(unpack(packed({{"a", std::string(kTotalBytesMax + 1, '0')}})));
  std::vector<Entry> many;
  for (std::size_t i = 0; i <= kFilesMax; ++i) many.push_back({"f" + std::to_string(i), ""});
  EXPECT_FALSE(unpack(packed(many)));
  EXPECT_FALSE(unpack(std::string(kArchiveBytesMax + 1, '0')));
}

TEST(BundleFilesAbuse, FoldersCountToo) {
  std::vector<Entry> many{{"a.rego", "1"}};
  for (std::size_t i = 1; i < kEntriesMax; ++i) many.push_back({"d" + std::to_string(i), "", AE_IFDIR});
  EXPECT_TRUE(unpack(packed(many)));
  many.push_back({"one-more", "", AE_IFDIR});
  EXPECT_FALSE(unpack(packed(many)));
}

TEST(BundleFilesAbuse, BytesThatAreNoArchive) {
  const std::string good = packed({{"a.rego", std::string(5000, 'x')}});
  ASSERT_TRUE(unpack(good));
  for (const std::string& bad :
       {std::string(), std::string("package x"), std::string(600, '\0'), good.substr(0, good.size() / 2)}) {
    const auto files = unpack(bad);
    EXPECT_TRUE(!files || files->empty()) << bad.size();
  }
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string broken = good;
    broken[i] = static_cast<char>(broken[i] ^ 0x41);
    (void)unpack(broken);  // whatever comes of it, no crash under the sanitizers
  }
}

}  // namespace
}  // namespace sallyport::bundle
