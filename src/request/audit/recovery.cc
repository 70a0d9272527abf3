#include "request/audit/recovery.h"

#include <unistd.h>

#include <set>

#include "request/audit/checkpoint.h"
#include "request/audit/files.h"
#include "request/audit/line.h"

namespace sallyport::audit {
namespace {

// The last checkpoints back to one that names every segment, oldest first, folded.
struct Fold {
  std::map<std::string, SegmentState> segments;
  std::set<std::string> retired;
};

Result<Fold> fold_checkpoints(const std::string& path, Recovered& out) {
  std::vector<CheckpointBody> newest_first;
  SP_CHECK(each_line_backwards(path, [&](std::string_view line) {
    std::optional<CheckpointBody> body = parse_checkpoint(line);
    if (newest_first.empty()) out.previous = checkpoint_hash(line);
    if (!body) {
      out.notices.emplace_back("a line of checkpoints.jsonl cannot be read");
      return false;
    }
    const bool whole = body->kind == "start" || body->kind == "full";
    newest_first.push_back(*std::move(body));
    return !whole;
  }));
  Fold fold;
  if (!newest_first.empty()) out.number = newest_first.front().number;
  for (auto body = newest_first.rbegin(); body != newest_first.rend(); ++body) {
    for (const SegmentState& segment : body->segments) fold.segments[segment.name] = segment;
    for (const std::string& name : body->retired) {
      fold.segments.erase(name);
      fold.retired.insert(name);
    }
  }
  return fold;
}

// Reads a segment that was open when the last run ended. Its state as it stands, or as it was signed where it contradicts that.
Result<SegmentState> read_segment(const std::string& dir, const std::string& name, const SegmentState* signed_state,
                                  Recovered& out) {
  merkle::Tree tree;
  bool sound = true;
  bool prefix_seen = signed_state == nullptr || signed_state->count == 0;
  SP_TRY(const Rest rest, each_line(dir + "/" + name, [&](std::string_view line) {
    const std::optional<merkle::Hash> leaf = check_line(line);
    if (!leaf) return sound = false;
    tree.append(*leaf);
    if (!prefix_seen && tree.size() == signed_state->count) {
      prefix_seen = true;
      sound = tree.head() == signed_state->head;
    }
    return sound;
  }));
  if (sound) {
    SP_TRY(const std::uint64_t torn, cut_torn(dir + "/" + name, rest));
    if (torn != 0) out.notices.push_back(name + ": a torn line of " + std::to_string(torn) + " bytes was set aside");
  }
  SegmentState state{name, tree.size(), tree.head(), true};
  if (sound && prefix_seen) return state;
  out.notices.push_back(name + " does not match its checkpoint behind record " + std::to_string(tree.size()) +
                        ": run `sallyport audit verify`");
  if (signed_state != nullptr) state = *signed_state;
  state.finished = true;
  return state;
}

Result<void> read_segments(const std::string& dir, const Fold& fold, Recovered& out) {
  SP_TRY(const std::vector<std::string> names, segment_names(dir));
  for (const std::string& name : names) {
    if (fold.retired.contains(name)) {
      out.retired.push_back(name);
      continue;
    }
    const auto known = fold.segments.find(name);
    const SegmentState* state = known == fold.segments.end() ? nullptr : &known->second;
    if (state != nullptr && state->finished) {
      out.segments[name] = *state;  // `verify` reads it; the start does not wait for gigabytes
      continue;
    }
    SP_TRY(out.segments[name], read_segment(dir, name, state, out));
  }
  for (const auto& [name, state] : fold.segments) {
    if (out.segments.contains(name)) continue;
    out.notices.push_back(name + " is missing");
    out.segments[name] = state;
    out.segments[name].finished = true;
  }
  return {};
}

void compare(const std::optional<KnownCheckpoint>& known, Recovered& out) {
  if (!known) return;
  if (out.number < known->number || (out.number == known->number && out.previous != known->hash)) {
    out.notices.push_back("the audit was rolled back: the database knows checkpoint " + std::to_string(known->number) +
                          ", the folder ends with " + std::to_string(out.number));
    // The gap in the numbers stays for verify() to see.
    out.number = std::max(out.number, known->number);
  }
}

}  // namespace

Result<Recovered> recover_dir(const std::string& dir, const std::optional<KnownCheckpoint>& known) {
  Recovered out;
  out.previous = no_previous();
  const std::string path = dir + "/" + std::string(kCheckpointsFile);
  Fold fold;
  if (::access(path.c_str(), F_OK) == 0) {
    SP_TRY(const Rest rest, each_line(path, [](std::string_view) { return true; }));
    SP_TRY(const std::uint64_t torn, cut_torn(path, rest));
    if (torn != 0) out.notices.emplace_back("checkpoints.jsonl: a torn line was set aside");
    out.checkpoint_bytes = rest.offset;
    SP_TRY(fold, fold_checkpoints(path, out));
  }
  SP_CHECK(read_segments(dir, fold, out));
  compare(known, out);
  return out;
}

}  // namespace sallyport::audit
