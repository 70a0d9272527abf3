// Internal to json: one pass over the bytes that checks the grammar, drops whitespace and lays the tape. No recursion.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "json/document.h"
#include "json/duplicates.h"
#include "json/tape.h"

namespace sallyport::json::detail {

class Parser {
 public:
  struct Frame {
    std::uint32_t node;
    std::uint32_t count;
    std::uint32_t key;  // node of the member being read, or 0
    bool object;
  };
  // What the parsers of a thread use one after another, so that its memory is not asked for anew.
  struct Desk {
    std::vector<Frame> stack;  // as deep as a document may be at most
    DuplicateFinder duplicates;
  };

  Parser(std::string_view text, const ReadLimits& limits, bool big_numbers, Data& out, Desk& desk) noexcept;
  [[nodiscard]] Result<void> run();

 private:
  enum class Step : std::uint8_t { value, done, error };

  Step value();
  Step open(bool object);
  Step after_value();
  Step close();
  Step key();
  Step string();
  Step number();
  Step literal(std::string_view word, Kind kind, bool truth);
  bool no_duplicates(const Frame& frame);
  bool trailing_space_only();

  void space();
  void flush();  // copies what was read since the last whitespace
  std::uint32_t push(Kind kind, const char* begin, const char* end, std::size_t payload);
  Step error(Code code, std::string_view what);
  [[nodiscard]] std::string pointer() const;
  // Where the byte at `p` comes to stand in the minified text.
  [[nodiscard]] std::uint32_t place(const char* p) const noexcept {
    return static_cast<std::uint32_t>(p - begin_ - static_cast<std::ptrdiff_t>(dropped_));
  }

  const char* const begin_;
  const char* const end_;
  const char* at_;
  const char* kept_;         // start of the run that is not yet copied into the minified text
  std::size_t dropped_ = 0;  // bytes of whitespace so far
  const unsigned depth_max_;
  const std::size_t nodes_max_;
  const bool big_numbers_;
  Data& out_;
  std::vector<Frame>& stack_;
  DuplicateFinder& duplicates_;
  Error error_;
};

}  // namespace sallyport::json::detail
