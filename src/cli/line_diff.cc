#include "cli/line_diff.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

namespace sallyport::cli {
namespace {

constexpr int kChangesMax = 2000;
constexpr std::size_t kAround = 3;

using Lines = std::vector<std::string_view>;

struct Edit {
  char mark;  // ' ', '-', '+'
  std::string_view line;
};

Lines lines_of(std::string_view text) {
  Lines out;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    out.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

// How far each diagonal came after so many changes; index: diagonal + kChangesMax.
using Reach = std::vector<std::int32_t>;

class Myers {
 public:
  Myers(const Lines& a, const Lines& b)
      : a_(a), b_(b), n_(static_cast<std::int32_t>(a.size())), m_(static_cast<std::int32_t>(b.size())) {}

  // Nothing where more than kChangesMax changes are needed.
  std::optional<std::vector<Edit>> edits() {
    Reach reach{0, 0, 0};  // diagonals -1 .. 1 before the first change
    for (std::int32_t d = 0; d <= std::min(n_ + m_, kChangesMax); ++d) {
      Reach next(static_cast<std::size_t>(2 * d + 3), 0);
      bool done = false;
      for (std::int32_t k = -d; k <= d && !done; k += 2) done = go(reach, next, d, k);
      trace_.push_back(next);
      if (done) return back(d);
      reach = std::move(next);
    }
    return std::nullopt;
  }

 private:
  // A Reach after d changes holds diagonals -(d + 1) .. d + 1.
  static std::int32_t& at(Reach& reach, std::int32_t d, std::int32_t k) {
    return reach[static_cast<std::size_t>(k + d + 1)];
  }
  static bool down(Reach& former, std::int32_t d, std::int32_t k) {
    return k == -d || (k != d && at(former, d - 1, k - 1) < at(former, d - 1, k + 1));
  }

  bool go(Reach& former, Reach& next, std::int32_t d, std::int32_t k) {
    std::int32_t x = 0;
    if (d > 0) x = down(former, d, k) ? at(former, d - 1, k + 1) : at(former, d - 1, k - 1) + 1;
    std::int32_t y = x - k;
    while (x < n_ && y < m_ && a_[static_cast<std::size_t>(x)] == b_[static_cast<std::size_t>(y)]) ++x, ++y;
    at(next, d, k) = x;
    return x >= n_ && y >= m_;
  }

  std::vector<Edit> back(std::int32_t d) {
    std::vector<Edit> out;
    std::int32_t x = n_;
    std::int32_t y = m_;
    const auto same_down_to = [&](std::int32_t floor_x) {
      while (x > floor_x) out.push_back({' ', a_[static_cast<std::size_t>(--x)]}), --y;
    };
    for (; d > 0; --d) {
      Reach& former = trace_[static_cast<std::size_t>(d - 1)];
      const std::int32_t k = x - y;
      if (down(former, d, k)) {
        same_down_to(at(former, d - 1, k + 1));
        out.push_back({'+', b_[static_cast<std::size_t>(--y)]});
      } else {
        same_down_to(at(former, d - 1, k - 1) + 1);
        out.push_back({'-', a_[static_cast<std::size_t>(--x)]});
      }
    }
    same_down_to(0);
    std::ranges::reverse(out);
    return out;
  }

  const Lines& a_;
  const Lines& b_;
  std::int32_t n_;
  std::int32_t m_;
  std::vector<Reach> trace_;
};

std::vector<Edit> edits_of(const Lines& a, const Lines& b) {
  std::size_t head = 0;
  while (head < a.size() && head < b.size() && a[head] == b[head]) ++head;
  std::size_t tail = 0;
  while (tail < a.size() - head && tail < b.size() - head && a[a.size() - 1 - tail] == b[b.size() - 1 - tail]) ++tail;
  const Lines from(a.begin() + static_cast<std::ptrdiff_t>(head), a.end() - static_cast<std::ptrdiff_t>(tail));
  const Lines to(b.begin() + static_cast<std::ptrdiff_t>(head), b.end() - static_cast<std::ptrdiff_t>(tail));
  std::vector<Edit> out;
  for (std::size_t i = 0; i < head; ++i) out.push_back({' ', a[i]});
  if (auto found = Myers(from, to).edits()) {
    out.insert(out.end(), found->begin(), found->end());
  } else {
    for (const auto& line : from) out.push_back({'-', line});
    for (const auto& line : to) out.push_back({'+', line});
  }
  for (std::size_t i = tail; i > 0; --i) out.push_back({' ', a[a.size() - i]});
  return out;
}

std::string range(std::size_t first, std::size_t count) {
  return std::to_string(count == 0 ? first : first + 1) + "," + std::to_string(count);
}

// From the first change at or after `at`, with what stands around it: its end in `edits`.
std::size_t append_hunk(std::string& out, const std::vector<Edit>& edits, std::size_t from, std::size_t change,
                        std::size_t& line_a, std::size_t& line_b) {
  const auto step = [&](const Edit& edit) {
    if (edit.mark != '+') ++line_a;
    if (edit.mark != '-') ++line_b;
  };
  const std::size_t begin = std::max(from, change > kAround ? change - kAround : 0);
  for (std::size_t i = from; i < begin; ++i) step(edits[i]);
  std::size_t last = change;
  for (std::size_t i = change; i < edits.size() && i <= last + 2 * kAround + 1; ++i) {
    if (edits[i].mark != ' ') last = i;
  }
  const std::size_t end = std::min(edits.size(), last + kAround + 1);
  const std::size_t first_a = line_a;
  const std::size_t first_b = line_b;
  std::string body;
  for (std::size_t i = begin; i < end; ++i) {
    body += edits[i].mark;
    body.append(edits[i].line).append("\n");
    step(edits[i]);
  }
  out += "@@ -" + range(first_a, line_a - first_a) + " +" + range(first_b, line_b - first_b) + " @@\n" + body;
  return end;
}

}  // namespace

std::string line_diff(std::string_view before, std::string_view after, std::string_view name_before,
                      std::string_view name_after) {
  if (before == after) return {};
  const auto edits = edits_of(lines_of(before), lines_of(after));
  std::string out = "--- " + std::string(name_before) + "\n+++ " + std::string(name_after) + "\n";
  const auto is_change = [](const Edit& edit) { return edit.mark != ' '; };
  std::size_t at = 0;
  std::size_t line_a = 0;
  std::size_t line_b = 0;
  for (;;) {
    const auto change = std::find_if(edits.begin() + static_cast<std::ptrdiff_t>(at), edits.end(), is_change);
    if (change == edits.end()) return out;
    at = append_hunk(out, edits, at, static_cast<std::size_t>(change - edits.begin()), line_a, line_b);
  }
}

}  // namespace sallyport::cli
