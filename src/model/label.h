// Labels of tools and servers, and which of them a call leaves with its caller (docs/policy.md). Plain functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "model/snapshot.h"

namespace sallyport {

// [a-z][a-z0-9_]{0,31}
bool is_label(std::string_view name) noexcept;
// A label that ends in "_sink" says what a tool is, such as "external_sink"; a call leaves every other one with its caller.
bool stays_with_tool(std::string_view label) noexcept;
// Code::validation: at most 16, each of that form, each once.
Result<void> check_labels(const std::vector<std::string>& labels);
// Both, each once, sorted.
std::vector<std::string> united(const std::vector<std::string>& first, const std::vector<std::string>& second);
// What `holder` (Principal::id) carries, expired or not; null: nothing.
std::shared_ptr<const LabelsOfOne> labels_of(const Snapshot& snapshot, std::string_view holder);

}  // namespace sallyport
