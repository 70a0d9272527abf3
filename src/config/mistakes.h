// Inside config only: everything wrong with a configuration, gathered so that one start shows all of it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sallyport::config {

class Mistakes {
 public:
  explicit Mistakes(std::string file_name) : file_name_(std::move(file_name)) {}

  // "sallyport.yaml:12: listen.port: REASON; fix: FIX"
  void at(int line, std::string_view path, std::string_view reason, std::string_view fix);
  // The same with a source already written out: "env SECRET_KEY" or "sallyport.yaml:12".
  void from(std::string_view source, std::string_view path, std::string_view reason, std::string_view fix);

  [[nodiscard]] bool empty() const { return lines_.empty(); }
  [[nodiscard]] std::string text() const;
  [[nodiscard]] std::string source(int line) const { return file_name_ + ":" + std::to_string(line); }

 private:
  std::string file_name_;
  std::vector<std::string> lines_;
};

// The candidate nearest to `word` by edit distance, or empty when none is near.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace sallyport::config
