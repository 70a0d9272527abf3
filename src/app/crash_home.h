// The homes of the crash test (crash_runner.h): made, opened as a start opens them, and asked what they say. Tests only.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/app.h"
#include "app/backups.h"
#include "app/crash_runner.h"
#include "control/vault.h"
#include "core/await_test_support.h"
#include "crypto/keyring.h"

#ifdef SALLYPORT_FAULTS
namespace sallyport::app::crash {

void write_text(const std::string& path, const std::string& text);

inline crypto::UnsealSource by_file() { return {}; }
crypto::UnsealSource by_key();
crypto::UnsealSource by_password(const std::string& word);

struct Opened {
  SystemClock clock;
  SystemRandom random;
  std::optional<crypto::Keyring> ring;
  std::optional<crypto::KeyStore> keys;
  std::unique_ptr<storage::SqliteRepository> store;
  std::optional<control::Vault> vault;
};

// As a start opens it, with one of these sources; with the key file.
Result<void> open(const std::string& home, Opened& out, const std::vector<crypto::UnsealSource>& sources);
Result<void> open(const std::string& home, Opened& out);

std::string name_of(int secret);
// With a key file, and one word in it.
void make_home(const std::string& home);
// The whole home says one word: the secrets of its vault, its settings and a policy.
void say(const std::string& home, const std::string& word);
// What all secrets say; no two may say another word.
std::string word_in(control::Vault& vault);
// What all of the home says.
std::string word_of(const std::string& home);

// So far ahead of the time at which the home was made.
void set_ahead(FakeClock& clock, std::chrono::hours by);

backup::Places places_in(const std::string& home);
Result<backup::Made> back_up(const std::string& home, const backup::Wish& wish);
// Opens every backup of the home, and says how many there are.
Result<void> verify_all(const std::string& home, std::size_t& count);

// crash_keys_test.cc, crash_backup_test.cc
std::vector<Scenario> key_scenarios();
std::vector<Scenario> backup_scenarios();

}  // namespace sallyport::app::crash
#endif
