#include "model/label.h"

#include <algorithm>
#include <set>

namespace sallyport {
namespace {

constexpr std::size_t kLabelBytesMax = 32;
constexpr std::size_t kLabelsMax = 16;

}  // namespace

bool is_label(std::string_view name) noexcept {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyz0123456789_";
  return !name.empty() && name.size() <= kLabelBytesMax && name.front() >= 'a' && name.front() <= 'z' &&
         name.find_first_not_of(kAllowed) == std::string_view::npos;
}

bool stays_with_tool(std::string_view label) noexcept { return label.ends_with("_sink"); }

Result<void> check_labels(const std::vector<std::string>& labels) {
  if (labels.size() > kLabelsMax) return fail(Code::validation, "labels: at most 16");
  if (std::set(labels.begin(), labels.end()).size() != labels.size()) {
    return fail(Code::validation, "labels: each once");
  }
  if (!std::ranges::all_of(labels, is_label)) {
    return fail(Code::validation, "a label starts with a lower-case letter and has 1 to 32 of [a-z0-9_]");
  }
  return {};
}

std::vector<std::string> united(const std::vector<std::string>& first, const std::vector<std::string>& second) {
  std::set<std::string> both(first.begin(), first.end());
  both.insert(second.begin(), second.end());
  return {both.begin(), both.end()};
}

std::shared_ptr<const LabelsOfOne> labels_of(const Snapshot& snapshot, std::string_view holder) {
  const auto found = snapshot.labels->find(holder);
  return found == snapshot.labels->end() ? nullptr : found->second;
}

}  // namespace sallyport
