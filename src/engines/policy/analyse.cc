// What a policy may read, told from its tokens. Where a form is not understood the answer is "everything": a decision is
// then made anew each time, which is slower but never wrong.
#include <algorithm>
#include <array>
#include <cctype>

#include "engines/policy/policy.h"

namespace sallyport::policy {
namespace {

enum class Kind : std::uint8_t { end, name, text, mark, unsure };

struct Token {
  Kind kind = Kind::end;
  std::string_view text;  // of a string: what is between the quotes, escapes unread
};

class Tokens {
 public:
  explicit Tokens(std::string_view source) : rest_(source) {}

  Token next() {
    skip_blank();
    if (rest_.empty()) return {};
    const char c = rest_.front();
    if (is_name(c)) return take(Kind::name, name_size());
    if (c == '"' || c == '`') return quoted(c);
    // Template strings hold expressions: `$"{input.x}"`.
    if (c == '$') return take(Kind::unsure, 1);
    return take(Kind::mark, 1);
  }

 private:
  static bool is_name(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

  std::size_t name_size() const {
    std::size_t n = 0;
    while (n < rest_.size() && is_name(rest_[n])) ++n;
    return n;
  }

  Token take(Kind kind, std::size_t size) {
    const Token token{kind, rest_.substr(0, size)};
    rest_.remove_prefix(size);
    return token;
  }

  void skip_blank() {
    while (!rest_.empty()) {
      if (rest_.front() == '#') {
        rest_.remove_prefix(std::min(rest_.find('\n'), rest_.size()));
      } else if (std::isspace(static_cast<unsigned char>(rest_.front())) != 0) {
        rest_.remove_prefix(1);
      } else {
        return;
      }
    }
  }

  Token quoted(char quote) {
    std::size_t end = 1;
    while (end < rest_.size() && rest_[end] != quote) end += rest_[end] == '\\' && quote == '"' ? 2 : 1;
    if (end >= rest_.size()) return take(Kind::unsure, rest_.size());
    const Token token{Kind::text, rest_.substr(1, end - 1)};
    rest_.remove_prefix(end + 1);
    return token;
  }

  std::string_view rest_;
};

class Scan {
 public:
  explicit Scan(std::string_view source) : tokens_(source) { advance(); }

  Reads run() {
    for (; now_.kind != Kind::end; advance()) {
      if (now_.kind == Kind::unsure) return {};
      if (now_.kind != Kind::name) continue;
      if (now_.text == "input") {
        if (!input()) return {};
      } else if (is_changing(now_.text)) {
        reads_.time = true;
      }
    }
    return reads_;
  }

 private:
  void advance() {
    now_ = tokens_.next();
  }

  // The names of builtins that answer differently from call to call.
  static bool is_changing(std::string_view name) {
    static constexpr std::array<std::string_view, 7> kNames{"time", "rand", "uuid", "opa", "http", "net", "io"};
    for (const std::string_view one : kNames) {
      if (one == name) return true;
    }
    return false;
  }

  // After `input`: `.field` or `["field"]`; anything else may read all of it. False: unsure.
  bool input() {
    advance();
    if (now_.kind != Kind::mark) return false;
    if (now_.text == ".") {
      advance();
      return now_.kind == Kind::name && field(now_.text);
    }
    if (now_.text != "[") return false;
    advance();
    if (now_.kind != Kind::text || now_.text.find('\\') != std::string_view::npos) return false;
    const std::string_view name = now_.text;
    advance();
    return now_.kind == Kind::mark && now_.text == "]" && field(name);
  }

  bool field(std::string_view name) {
    if (name == "arguments") reads_.arguments = true;
    if (name == "time") reads_.time = true;
    if (name == "address" || name == "protocol") reads_.caller = true;
    if (name == "phase") reads_.phase = true;
    return name != "input";
  }

  Tokens tokens_;
  Token now_;
  Reads reads_{false, false, false, false};
};

}  // namespace

std::string package_of(std::string_view source) {
  Tokens tokens(source);
  std::string out;
  if (tokens.next().text != "package") return out;
  for (Token token = tokens.next(); token.kind == Kind::name; token = tokens.next()) {
    out += token.text;
    if (tokens.next().text != ".") break;
    out += '.';
  }
  return out;
}

Reads analyse(const Modules& modules) {
  Reads all{false, false, false, false};
  for (const auto& [name, source] : modules) {
    const Reads one = Scan(source).run();
    all.arguments = all.arguments || one.arguments;
    all.time = all.time || one.time;
    all.caller = all.caller || one.caller;
    all.phase = all.phase || one.phase;
  }
  return all;
}

}  // namespace sallyport::policy
