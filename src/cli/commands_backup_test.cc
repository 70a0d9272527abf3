#include <gtest/gtest.h>

#include "cli/test_support.h"

namespace sallyport::cli {
namespace {

TEST(BackupCommands, CreateSaysWhatItMadeAndWhatIsNotInIt) {
  FakeApi api("backup");
  api.answers["POST /api/v1/backups"] = {
      201, R"({"name":"b.backup","bytes":1234,"files":5,"notices":["the keys are not in it"]})"};
  EXPECT_EQ(api.run({"backup", "create"}), 0) << api.err;
  EXPECT_EQ(api.calls.back(), "POST /api/v1/backups {}");
  EXPECT_EQ(api.out, "b.backup: 1234 bytes, 5 files\nnote: the keys are not in it\n");
  EXPECT_EQ(api.run({"backup", "create", "--with-audit", "--incremental", "--password-stdin"}, "secret words 12\n"), 0);
  EXPECT_EQ(api.calls.back(),
            R"(POST /api/v1/backups {"with_audit":true,"incremental":true,"recovery_password":"secret words 12"})");
}

// S0-36: what stands on a command line stands in the process list.
TEST(BackupCommands, ThePasswordComesFromStdinAlone) {
  FakeApi api("backup");
  EXPECT_EQ(api.run({"backup", "create", "--password-stdin"}, ""), 2);
  EXPECT_EQ(api.run({"backup", "create", "--password", "x"}), 2);
  EXPECT_TRUE(api.calls.empty());
}

// A JSON string would hold other bytes: what was locked with these opens with no password that anybody knows (S2-16).
TEST(BackupCommands, APasswordThatJsonCannotCarryIsRefusedBeforeItIsSent) {
  FakeApi api("backup_bytes");
  std::string opened_with;
  api.hooks.restore_backup = [&](const BackupFile& from) -> Result<BackupReport> {
    opened_with = from.password.reveal();
    return BackupReport{"id", "2026-11-22T13:45:00Z", 7, {}, ""};
  };
  const std::string latin1 = "caf\xE9 secret words";
  EXPECT_EQ(api.run({"backup", "create", "--password-stdin"}, latin1 + "\n"), 2);
  EXPECT_NE(api.err.find("not UTF-8"), std::string::npos) << api.err;
  EXPECT_NE(api.err.find("fix: "), std::string::npos) << api.err;
  EXPECT_EQ(api.run({"backup", "verify", "b.backup", "--password-stdin"}, latin1 + "\n"), 2);
  EXPECT_TRUE(api.calls.empty());
  EXPECT_EQ(api.run({"backup", "restore", "/mnt/b.backup", "--password-stdin"}, latin1 + "\n"), 0) << api.err;
  EXPECT_EQ(opened_with, latin1) << "backup.recovery_password may have had these bytes";
}

TEST(BackupCommands, ANewPasswordIsAskedForTwiceOnATerminal) {
  FakeApi api("backup_terminal");
  api.interactive = true;
  api.answers["POST /api/v1/backups"] = {201, R"({"name":"b.backup","bytes":1,"files":5})"};
  EXPECT_EQ(api.run({"backup", "create", "--password-stdin"}, "secret words 12\nsecret words 21\n"), 2);
  EXPECT_NE(api.err.find("the two differ"), std::string::npos) << api.err;
  EXPECT_TRUE(api.calls.empty());
  EXPECT_EQ(api.run({"backup", "create", "--password-stdin"}, "secret words 12\nsecret words 12\n"), 0) << api.err;
  EXPECT_NE(api.err.find("Recovery password: "), std::string::npos) << api.err;
}

TEST(BackupCommands, ANameIsForTheGatewayAndAPathIsForThisMachine) {
  FakeApi api("backup");
  api.answers["POST /api/v1/backups/b.backup/verify"] = {200, R"({"name":"b.backup","files":5,"notices":[]})"};
  std::vector<std::string> files;
  api.hooks.verify_backup = [&](const BackupFile& from) -> Result<BackupReport> {
    files.push_back(from.file);
    return BackupReport{"id", "2026-11-22T13:45:00Z", 7, {"a notice"}, ""};
  };
  EXPECT_EQ(api.run({"backup", "verify", "b.backup"}), 0) << api.err;
  EXPECT_EQ(api.out, "verified: 5 files\n");
  EXPECT_EQ(api.run({"backup", "verify", "./b.backup"}), 0) << api.err;
  EXPECT_EQ(files, std::vector<std::string>{"./b.backup"});
  EXPECT_EQ(api.out, "verified: 7 files of 2026-11-22T13:45:00Z\nnote: a notice\n");
}

TEST(BackupCommands, WhatDoesNotOpenHasTheExitCodeOfAVerificationThatFailed) {
  FakeApi api("backup");
  const std::string said = R"({"error":{"code":"conflict","message":"the recovery password is wrong","details":{}}})";
  api.answers["POST /api/v1/backups/b.backup/verify"] = {409, said};
  EXPECT_EQ(api.run({"backup", "verify", "b.backup"}), 6);
  EXPECT_NE(api.err.find("the recovery password is wrong"), std::string::npos) << api.err;
  api.answers["POST /api/v1/backups"] = {409, said};
  EXPECT_EQ(api.run({"backup", "create"}), 1);
  Code code = Code::crypto;
  api.hooks.verify_backup = [&](const BackupFile&) -> Result<BackupReport> { return fail(code, "no"); };
  for (const auto& [failed, exit] : {std::pair{Code::crypto, 6}, {Code::not_found, 4}, {Code::io, 1}}) {
    code = failed;
    EXPECT_EQ(api.run({"backup", "verify", "./b.backup"}), exit) << info(failed).name;
  }
}

TEST(BackupCommands, RestoreNeedsNoServerAndSaysWhereTheFormerHomeLies) {
  FakeApi api("backup");
  bool force = false;
  api.hooks.restore_backup = [&](const BackupFile& from) -> Result<BackupReport> {
    force = from.force;
    if (from.password.reveal() != "secret words 12") return fail(Code::crypto, "the recovery password is wrong");
    return BackupReport{"id", "2026-11-22T13:45:00Z", 7, {}, "/home/x/before-restore-1"};
  };
  EXPECT_EQ(api.run({"backup", "restore", "/mnt/b.backup", "--force", "--password-stdin"}, "secret words 12\n"), 0)
      << api.err;
  EXPECT_TRUE(force);
  EXPECT_NE(api.out.find("what was there lies in /home/x/before-restore-1\n"), std::string::npos) << api.out;
  EXPECT_NE(api.run({"backup", "restore", "/mnt/b.backup", "--password-stdin"}, "other words 123\n"), 0);
  EXPECT_NE(api.err.find("recovery password is wrong"), std::string::npos) << api.err;
  EXPECT_FALSE(force);
  EXPECT_TRUE(api.calls.empty());
}

}  // namespace
}  // namespace sallyport::cli
