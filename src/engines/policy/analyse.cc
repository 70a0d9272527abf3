// What a policy may read, told from its tokens. Rego names the input in one way, by the word `input`; so each such word is
// looked at, with the steps that follow it without a blank. (After a blank, `["x"]` may be an array of its own.) Where a
// form is not understood the answer is "everything below": slower, but never wrong.
#include <algorithm>
#include <cctype>
#include <optional>
#include <span>

#include "engines/policy/policy.h"
#include "engines/policy/reads.h"

namespace sallyport::policy {
namespace {

enum class Kind : std::uint8_t { name, text, mark, unsure };

struct Token {
  Kind kind = Kind::unsure;
  std::string_view source;  // with its quotes
  [[nodiscard]] bool is(Kind wanted, std::string_view text) const { return kind == wanted && source == text; }
  // Of a string: what is between the quotes, escapes unread.
  [[nodiscard]] std::string_view inner() const { return source.substr(1, source.size() - 2); }
};

class Tokens {
 public:
  explicit Tokens(std::string_view source) : rest_(source) {}

  std::vector<Token> all() {
    std::vector<Token> out;
    for (skip_blank(); !rest_.empty(); skip_blank()) out.push_back(next());
    return out;
  }

 private:
  Token next() {
    const char c = rest_.front();
    if (is_name(c)) return take(Kind::name, name_size());
    if (c == '"' || c == '`') return quoted(c);
    // Template strings hold expressions: `$"{input.x}"`.
    if (c == '$') return take(Kind::unsure, 1);
    return take(Kind::mark, 1);
  }

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
    return take(Kind::text, end + 1);
  }

  std::string_view rest_;
};

// The builtins that answer differently from call to call.
bool is_changing(std::string_view name) {
  static constexpr std::array<std::string_view, 6> kNames{"time", "rand", "uuid", "opa", "http", "io"};
  return std::ranges::find(kNames, name) != kNames.end();
}

class Scan {
 public:
  explicit Scan(std::string_view source) : tokens_(Tokens(source).all()) {}

  Reads run() {
    for (std::size_t at = 0; at < tokens_.size(); ++at) {
      const Token& token = tokens_[at];
      if (token.kind == Kind::unsure) return {};
      if (token.is(Kind::name, "input")) {
        if (!input(at)) return {};
      } else if (token.kind == Kind::name && is_changing(token.source)) {
        reads_.add_changing();
      }
    }
    return reads_;
  }

 private:
  // `at` is the word; afterwards the last token that belongs to it. False: it may be the whole input.
  bool input(std::size_t& at) {
    if (at > 0 && tokens_[at - 1].is(Kind::name, "with")) return false;
    const auto first = step(at);
    if (!first || *first == "input") return false;
    const bool parent = std::ranges::any_of(kFieldPaths, [&](const FieldPath& f) { return f.parent == *first; });
    if (!parent) {
      add("", *first);
    } else if (const auto second = step(at)) {
      add(*first, *second);
    } else {
      add(*first, std::nullopt);
    }
    return true;
  }

  // `.name` or `["name"]` right behind the token `at`.
  std::optional<std::string_view> step(std::size_t& at) const {
    if (follows(at) && tokens_[at + 1].is(Kind::mark, ".")) {
      if (!follows(at + 1) || tokens_[at + 2].kind != Kind::name) return std::nullopt;
      at += 2;
      return tokens_[at].source;
    }
    if (!follows(at) || !tokens_[at + 1].is(Kind::mark, "[") || !follows(at + 1) || !follows(at + 2))
      return std::nullopt;
    const Token& key = tokens_[at + 2];
    const bool plain = key.kind == Kind::text && key.source.find('\\') == std::string_view::npos;
    if (!plain || !tokens_[at + 3].is(Kind::mark, "]")) return std::nullopt;
    at += 3;
    return key.inner();
  }

  // Does another token stand right behind this one?
  bool follows(std::size_t at) const {
    if (at + 1 >= tokens_.size()) return false;
    return tokens_[at].source.data() + tokens_[at].source.size() == tokens_[at + 1].source.data();
  }

  // What is not in the table is never in the input.
  void add(std::string_view parent, std::optional<std::string_view> name) {
    for (std::size_t i = 0; i < kFieldPaths.size(); ++i) {
      if (kFieldPaths[i].parent == parent && (!name || kFieldPaths[i].name == *name)) reads_.add(static_cast<Field>(i));
    }
  }

  std::vector<Token> tokens_;
  Reads reads_ = Reads::nothing();
};

}  // namespace

std::string package_of(std::string_view source) {
  const std::vector<Token> tokens = Tokens(source).all();
  std::string out;
  if (tokens.empty() || !tokens[0].is(Kind::name, "package")) return out;
  for (std::size_t at = 1; at < tokens.size() && tokens[at].kind == Kind::name; at += 2) {
    out += tokens[at].source;
    if (at + 1 >= tokens.size() || !tokens[at + 1].is(Kind::mark, ".")) break;
    out += '.';
  }
  return out;
}

bool Reads::below(std::string_view parent) const {
  for (std::size_t i = 0; i < kFieldPaths.size(); ++i) {
    if (kFieldPaths[i].parent == parent && has(static_cast<Field>(i))) return true;
  }
  return false;
}

Reads analyse(const Modules& modules) {
  Reads all = Reads::nothing();
  for (const auto& [name, source] : modules) {
    if (!is_test_file(name)) all.add(Scan(source).run());
  }
  return all;
}

}  // namespace sallyport::policy
