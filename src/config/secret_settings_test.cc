// Settings that refer to secrets, and where the files lie that they speak of: found out at the start.
#include <gtest/gtest.h>

#include "config/config.h"
#include "config/table.h"

namespace sallyport::config {
namespace {

Result<Settings> with(std::string_view yaml, const Environment& environment = {}) {
  return load_text(yaml, "sallyport.yaml", "/tmp/sallyport-home", environment);
}

std::string mistakes(std::string_view yaml, const Environment& environment = {}) {
  const auto settings = with(yaml, environment);
  return settings ? "" : settings.error().detail;
}

constexpr std::string_view kRecovery = "backup: {recovery_password: \"${env:RECOVERY}\"}\n";

// S2-11: not only when the first backup fails.
TEST(SecretSettings, ARecoveryPasswordIsReadAndMeasuredAtTheStart) {
  EXPECT_EQ(mistakes(kRecovery),
            "sallyport.yaml:1: backup.recovery_password: environment variable RECOVERY is not set; fix: make the "
            "reference readable, or leave it out");
  const std::string measured =
      "sallyport.yaml:1: backup.recovery_password: has fewer than 12 or more than 1024 bytes; fix: choose a longer "
      "one, such as five words";
  for (const std::size_t size : {1UL, 11UL, 1025UL}) {
    EXPECT_EQ(mistakes(kRecovery, {{"RECOVERY", std::string(size, 'x')}}), measured) << size;
  }
  for (const std::size_t size : {12UL, 1024UL}) {
    EXPECT_EQ(mistakes(kRecovery, {{"RECOVERY", std::string(size, 'x')}}), "") << size;
  }
  EXPECT_NE(mistakes("", {{"SALLYPORT_BACKUP_RECOVERY_PASSWORD", "eleven here"}}).find("has fewer than 12"),
            std::string::npos);
}

// Settings are read before the vault and its sources: of each it is said, once, whether or not something reads it.
TEST(SecretSettings, NoneIsReadFromWhatOpensLater) {
  int settings = 0;
  for (const Row& row : table()) {
    if (row.type != Type::secret) continue;
    ++settings;
    const auto dot = row.path.rfind('.');
    std::string yaml;
    int depth = 0;
    for (std::size_t at = 0; at < dot + 1; at = row.path.find('.', at) + 1, ++depth) {
      yaml += std::string(static_cast<std::size_t>(depth) * 2, ' ') + row.path.substr(at, row.path.find('.', at) - at) +
              ":\n";
    }
    yaml += std::string(static_cast<std::size_t>(depth) * 2, ' ') + row.path.substr(dot + 1) + ": ";
    for (const char* reference : {"${vault:x}", "${dir:x}", "${kv:a/b#c}", "${aws:x#y}"}) {
      const std::string said = mistakes(yaml + reference + "\n");
      const std::string wanted = row.path + ": " + reference +
                                 ": settings are read before the vault and its sources; use ${env:NAME} or "
                                 "${file:PATH}; fix: ";
      const auto first = said.find(wanted);
      EXPECT_NE(first, std::string::npos) << yaml << reference << "\n" << said;
      EXPECT_EQ(said.find(wanted, first + 1), std::string::npos) << said;
    }
  }
  EXPECT_GE(settings, 12);
}

TEST(SecretSettings, AServersMayBeReadFromAllSources) {
  for (const char* reference : {"${env:X}", "${file:x}", "${vault:x}", "${dir:x}", "${kv:a/b#c}", "${aws:x#y}"}) {
    EXPECT_EQ(mistakes("servers:\n  - {name: s, command: [/c], env: {A_TOKEN: \"" + std::string(reference) + "\"}}\n"),
              "")
        << reference;
  }
  EXPECT_NE(mistakes("servers:\n  - {name: s, command: [/c], env: {A_TOKEN: \"${kv:}\"}}\n").find("malformed"),
            std::string::npos);
}

// The process's folder says nothing of where a path of the settings lies.
TEST(SecretSettings, PathsAreOfTheHome) {
  const auto relative = with("vault: {folder: mounted/, kv: {ca: certs/kv.pem}, aws: {ca: certs/aws.pem}}\n"
                             "encryption: {transit_ca: certs/../transit.pem}\n");
  ASSERT_TRUE(relative) << relative.error().detail;
  EXPECT_EQ(relative->secrets.folder, "/tmp/sallyport-home/mounted");
  EXPECT_EQ(relative->secrets.kv.ca, "/tmp/sallyport-home/certs/kv.pem");
  EXPECT_EQ(relative->secrets.aws.ca, "/tmp/sallyport-home/certs/aws.pem");
  EXPECT_EQ(relative->encryption.transit.ca, "/tmp/sallyport-home/transit.pem");
  const auto absolute = with("vault: {folder: /run/other, kv: {ca: /etc/kv.pem}}\n");
  ASSERT_TRUE(absolute) << absolute.error().detail;
  EXPECT_EQ(absolute->secrets.folder, "/run/other");
  EXPECT_EQ(absolute->secrets.kv.ca, "/etc/kv.pem");
  EXPECT_EQ(absolute->encryption.transit.ca, "");
}

}  // namespace
}  // namespace sallyport::config
