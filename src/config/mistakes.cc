#include "config/mistakes.h"

#include <algorithm>
#include <numeric>

namespace sallyport::config {
namespace {

constexpr std::size_t kLinesMax = 20;

std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, change});
    }
  }
  return row.back();
}

}  // namespace

void Mistakes::at(int line, std::string_view path, std::string_view reason, std::string_view fix) {
  from(source(line), path, reason, fix);
}

void Mistakes::from(std::string_view source, std::string_view path, std::string_view reason, std::string_view fix) {
  if (lines_.size() == kLinesMax) lines_.emplace_back("... and more");
  if (lines_.size() > kLinesMax) return;
  std::string line(source);
  if (!path.empty()) line.append(": ").append(path);
  line.append(": ").append(reason);
  if (!fix.empty()) line.append("; fix: ").append(fix);
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = '?';
  }
  lines_.push_back(std::move(line));
}

std::string Mistakes::text() const {
  std::string out;
  for (const std::string& line : lines_) out.append(out.empty() ? "" : "\n").append(line);
  return out;
}

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
  if (word.size() > 64) return {};
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    const std::size_t d = distance(word, candidate);
    if (d < best_distance) {
      best = candidate;
      best_distance = d;
    }
  }
  return best;
}

}  // namespace sallyport::config
