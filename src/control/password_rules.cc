#include "control/password_rules.h"

#include <algorithm>

#include "control/common_passwords.h"
#include "core/secret.h"
#include "crypto/known_secrets.h"
#include "crypto/password.h"

namespace sallyport::control {
namespace {

constexpr std::chrono::days kGuideAge{90};
constexpr std::ptrdiff_t kCharactersGuide = 12;
constexpr std::ptrdiff_t kCharactersNist = 15;
constexpr std::ptrdiff_t kCharactersNistSecondFactor = 8;
// What may stand beside common words before a password is one of its own, and how many words are too few.
constexpr std::size_t kOwnCharactersMin = 5;
constexpr int kCommonWordsMax = 2;
constexpr std::size_t kContextBytesMin = 4;

constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
constexpr bool is_lower(char c) noexcept { return c >= 'a' && c <= 'z'; }
constexpr bool is_upper(char c) noexcept { return c >= 'A' && c <= 'Z'; }
constexpr bool is_symbol(char c) noexcept { return !is_digit(c) && !is_lower(c) && !is_upper(c); }
// Of UTF-8, every byte but continuations.
constexpr bool starts_character(char c) noexcept { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }

std::string lowered(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

// Lower case, without ASCII punctuation and spaces: "P-assword 1" is "password1".
std::string folded(std::string_view text) {
  std::string out = lowered(text);
  std::erase_if(out, [](char c) { return is_symbol(c) && static_cast<unsigned char>(c) < 0x80; });
  return out;
}

// Takes every `word` out of `text`; was there one?
bool take_out(std::string& text, std::string_view word) {
  bool found = false;
  for (auto at = text.find(word); at != std::string::npos; at = text.find(word)) {
    text.erase(at, word.size());
    found = true;
  }
  return found;
}

// True where next to nothing is left once at most two common words, however often repeated, are taken out.
bool made_of_common_words(std::string_view password) {
  std::string text = folded(password);
  const bool had_any = text.size() >= kOwnCharactersMin;
  int taken = 0;
  std::string_view words = common_passwords();
  while (!words.empty() && taken < kCommonWordsMax && text.size() >= kOwnCharactersMin) {
    const auto end = std::min(words.find(' '), words.size());
    if (end > 0 && take_out(text, words.substr(0, end))) ++taken;
    words.remove_prefix(std::min(end + 1, words.size()));
  }
  const bool little_left = text.size() < kOwnCharactersMin;
  wipe(text);
  return had_any && taken > 0 && little_left;
}

// "aaaaaaaaaaaaaaa", "abcabcabcabcabc", "abcdefghijklmno", "987654321...".
bool is_pattern(std::string_view password) {
  std::string seen(password);
  std::ranges::sort(seen);
  const auto distinct = seen.size() - std::ranges::unique(seen).size();
  bool sequence = true;
  for (std::size_t i = 2; i < password.size(); ++i) {
    sequence = sequence && password[i] - password[i - 1] == password[1] - password[0];
  }
  wipe(seen);
  return distinct < 5 || sequence;
}

// The owner's name and the part of the address before "@", and what this program is called.
bool names_context(std::string_view password, const PasswordOwner& owner) {
  std::string lower = lowered(password);
  const auto local_part = owner.email.substr(0, std::min(owner.email.find('@'), owner.email.size()));
  bool found = false;
  for (const std::string_view word : {owner.name, local_part, std::string_view("sallyport")}) {
    found = found || (word.size() >= kContextBytesMin && lower.find(lowered(word)) != std::string::npos);
  }
  wipe(lower);
  return found;
}

std::optional<std::string> composition_problem(std::string_view password) {
  using std::ranges::any_of;
  if (any_of(password, is_upper) && any_of(password, is_lower) && any_of(password, is_digit) &&
      any_of(password, is_symbol)) {
    return std::nullopt;
  }
  return "The password needs an upper-case letter, a lower-case letter, a digit and a symbol";
}

std::optional<std::string> length_problem(PasswordProfile profile, std::string_view password, bool second_factor) {
  const std::ptrdiff_t least = profile == PasswordProfile::guide ? kCharactersGuide
                               : second_factor                   ? kCharactersNistSecondFactor
                                                                 : kCharactersNist;
  if (std::ranges::count_if(password, starts_character) >= least) return std::nullopt;
  return "The password has fewer than " + std::to_string(least) + " characters";
}

}  // namespace

std::optional<std::string> password_problem(PasswordProfile profile, std::string_view password,
                                            const PasswordOwner& owner) {
  if (password.size() > crypto::kPasswordBytesMax) return "The password is longer than 1024 bytes";
  // First, so that a default is named as one: C8, S1-7.
  if (crypto::is_known_secret(password)) return "The password is a published default";
  if (auto problem = length_problem(profile, password, owner.second_factor)) return problem;
  if (profile == PasswordProfile::guide) {
    if (auto problem = composition_problem(password)) return problem;
  }
  if (std::ranges::any_of(password, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; })) {
    return "The password contains control characters";
  }
  if (names_context(password, owner)) return "The password contains the user name, the e-mail name or \"sallyport\"";
  if (is_pattern(password)) return "The password is a repetition or a sequence";
  if (made_of_common_words(password)) return "The password is made of one or two common words";
  return std::nullopt;
}

bool password_expired(PasswordProfile profile, WallTime set_at, WallTime now) noexcept {
  return profile == PasswordProfile::guide && now - set_at >= kGuideAge;
}

bool remembers_passwords(PasswordProfile profile) noexcept { return profile == PasswordProfile::guide; }

void put_password(UserRecord& user, std::string hash, WallTime now) {
  if (!user.password_hash.empty())
    user.password_history.insert(user.password_history.begin(), std::move(user.password_hash));
  if (user.password_history.size() > kEarlierPasswords) user.password_history.resize(kEarlierPasswords);
  user.password_hash = std::move(hash);
  user.password_set_at = now;
}

}  // namespace sallyport::control
