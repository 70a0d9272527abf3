#include "request/audit/verify.h"

#include <unistd.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "core/encoding.h"
#include "request/audit/checkpoint.h"
#include "request/audit/files.h"
#include "request/audit/line.h"
#include "request/audit/scan.h"
#include "request/audit/segment_seal.h"

namespace sallyport::audit {
namespace {

constexpr std::size_t kUnfinishedMax = 1000;

struct Mark {
  std::uint64_t count;
  merkle::Hash head;
  std::uint64_t checkpoint;
};

class Verifier {
 public:
  Verifier(std::string dir, const VerifyOptions& options) : dir_(std::move(dir)), options_(options) {}

  Result<Report> run() {
    SP_TRY(const std::vector<std::string> names, segment_names(dir_));
    SP_CHECK(checkpoints(!names.empty()));
    if (!report_.broken) SP_CHECK(segments(names));
    for (const auto& [id, open] : open_) {
      if (open.count > 0 && report_.unfinished.size() < kUnfinishedMax) report_.unfinished.push_back(open.where);
    }
    report_.intact = !report_.broken;
    return std::move(report_);
  }

 private:
  struct Open {
    int count = 0;
    Finding where;
  };

  bool broken(std::string_view file, std::uint64_t line, std::string why) {
    if (!report_.broken) report_.broken = Finding{std::string(file), line, std::move(why)};
    return false;
  }

  // --- checkpoints ---

  Result<void> checkpoints(bool segments_exist) {
    const std::string path = dir_ + "/" + std::string(kCheckpointsFile);
    if (::access(path.c_str(), F_OK) != 0) {
      if (!segments_exist && !options_.known) return fail(Code::not_found, "no audit in " + dir_);
      broken(kCheckpointsFile, 0, "missing");
      return {};
    }
    if (!read_key()) return {};
    std::string last;
    SP_TRY(const Rest rest, each_line(path, [&](std::string_view line) {
      ++report_.checkpoints;
      last = line;
      return checkpoint(line);
    }));
    if (report_.broken) return blame(path, report_.checkpoints);
    if (report_.checkpoints == 0) return broken(kCheckpointsFile, 0, "no checkpoint in it"), Result<void>();
    if (!signature_holds(last, key_)) {
      broken(kCheckpointsFile, report_.checkpoints, "signature does not hold");
      return blame(path, report_.checkpoints);
    }
    if (rest.bytes != 0) report_.torn.push_back({std::string(kCheckpointsFile), report_.checkpoints + 1, "half a line"});
    compare_known();
    return {};
  }

  bool read_key() {
    const Result<std::string> text = read_small(dir_ + "/" + std::string(kPublicKeyFile), 256);
    const std::string_view hex = text ? std::string_view(*text) : std::string_view();
    const auto bytes = hex.ends_with('\n') ? hex_decode(hex.substr(0, hex.size() - 1)) : std::nullopt;
    if (!bytes || bytes->size() != key_.size() || hex_encode(*bytes) + "\n" != hex) {
      return broken(kPublicKeyFile, 0, "missing or unreadable");
    }
    std::ranges::copy(*bytes, key_.begin());
    if (options_.public_key && as_text(key_) != *options_.public_key) return broken(kPublicKeyFile, 0, "is not the installation's");
    return true;
  }

  bool checkpoint(std::string_view line) {
    const std::uint64_t at = report_.checkpoints;
    std::optional<CheckpointBody> body = parse_checkpoint(line);
    if (!body) return broken(kCheckpointsFile, at, "unreadable");
    if (body->number != at) {
      return broken(kCheckpointsFile, at, "number " + std::to_string(body->number) + " where " + std::to_string(at) + " belongs");
    }
    if (body->previous != previous_) return broken(kCheckpointsFile, at, "does not follow from the line before");
    previous_ = checkpoint_hash(line);
    if (options_.known && options_.known->number == at) known_hash_ = previous_;
    for (const SegmentState& segment : body->segments) mark(segment, at);
    for (const std::string& name : body->retired) retired_.insert(name);
    closed_ = body->kind == "close";
    return true;
  }

  void mark(const SegmentState& segment, std::uint64_t checkpoint) {
    std::vector<Mark>& marks = marks_[segment.name];
    if (marks.empty() || marks.back().count != segment.count || marks.back().head != segment.head) {
      marks.push_back({segment.count, segment.head, checkpoint});
    }
  }

  // The chain broke at line `last`: the first line up to it whose signature does not hold is the culprit, else that line.
  Result<void> blame(const std::string& path, std::uint64_t last) {
    std::uint64_t at = 0;
    std::optional<std::uint64_t> culprit;
    SP_TRY(const Rest rest, each_line(path, [&](std::string_view line) {
      ++at;
      if (!signature_holds(line, key_)) culprit = at;
      return !culprit && at < last;
    }));
    (void)rest;
    if (culprit && (*culprit != last || report_.broken->why.contains("signature"))) {
      report_.broken = Finding{std::string(kCheckpointsFile), *culprit, "signature does not hold"};
    }
    return {};
  }

  void compare_known() {
    if (!options_.known) return;
    if (report_.checkpoints < options_.known->number) {
      broken(kCheckpointsFile, report_.checkpoints + 1,
             "rolled back: the database knows checkpoint " + std::to_string(options_.known->number));
    } else if (known_hash_ != options_.known->hash) {
      broken(kCheckpointsFile, options_.known->number, "differs from the checkpoint that the database knows");
    }
  }

  // --- segments ---

  Result<void> segments(const std::vector<std::string>& names) {
    std::set<std::string> all(names.begin(), names.end());
    for (const auto& [name, marks] : marks_) all.insert(name);
    for (const std::string& name : all) {
      if (!std::ranges::binary_search(names, name)) {
        if (!retired_.contains(name)) return broken(name, 0, "missing"), Result<void>();
        continue;
      }
      SP_CHECK(segment(name));
      if (report_.broken) return {};
    }
    return {};
  }

  Result<void> segment(const std::string& name) {
    ++report_.segments;
    const auto found = marks_.find(name);
    const std::vector<Mark> none;
    const std::vector<Mark>& marks = found == marks_.end() ? none : found->second;
    merkle::Tree tree;
    auto next = marks.begin();
    meet(name, tree, marks, next);  // a segment that was signed while empty
    const bool opens = !options_.sealing_key.empty();
    auto reader = opens ? SegmentReader::of(dir_, name, options_.sealing_key) : Result<SegmentReader>(fail(Code::config));
    if (opens && !reader) return broken(name, 1, std::move(reader).error().detail), Result<void>();
    SP_TRY(const Rest rest, each_line(dir_ + "/" + name, [&](std::string_view line) {
      return record(name, line, tree) && (!reader || inside(name, line, tree.size(), *reader)) &&
             meet(name, tree, marks, next);
    }));
    if (report_.broken) return {};
    if (next != marks.end()) {
      return broken(name, tree.size() + 1, "cut off: checkpoint " + std::to_string(next->checkpoint) + " counts " +
                                               std::to_string(next->count) + " records"), Result<void>();
    }
    const std::uint64_t sealed = marks.empty() ? 0 : marks.back().count;
    if (closed_ && (tree.size() > sealed || rest.bytes != 0)) {
      return broken(name, sealed + 1, "added after the closing checkpoint"), Result<void>();
    }
    report_.unsealed += tree.size() - sealed;
    if (rest.bytes != 0) report_.torn.push_back({name, tree.size() + 1, "half a line"});
    return {};
  }

  bool record(const std::string& name, std::string_view line, merkle::Tree& tree) {
    const std::uint64_t at = tree.size() + 1;
    const std::optional<SplitLine> split = split_line(line);
    if (!split) return broken(name, at, "is no audit record");
    const merkle::Hash leaf = merkle::leaf_hash(as_bytes(split->object));
    if (merkle::to_hex(leaf) != split->leaf_hex) return broken(name, at, "was changed: its leaf does not match");
    const std::optional<Members> members = Members::of(split->object);
    if (!members) return broken(name, at, "is no audit record");
    const std::optional<std::uint64_t> seq = members->number("seq");
    if (seq != tree.size()) {
      return broken(name, at, "sequence " + (seq ? std::to_string(*seq) : "missing") + " where " +
                                  std::to_string(tree.size()) + " belongs: dropped, swapped, repeated or put in");
    }
    if (at == 1 && members->text("action") == "segment_start" && members->text("evidence") != name) {
      return broken(name, at, "belongs to " + members->text("evidence"));
    }
    tree.append(leaf);
    ++report_.records;
    follow(*members, {name, at, members->text("request_id")});
    return true;
  }

  // What a sealed record holds, where there is a key. One that stands in the clear was followed already.
  bool inside(const std::string& name, std::string_view line, std::uint64_t at, const SegmentReader& reader) {
    const Result<std::string> record = reader.record(line);
    if (!record) return broken(name, at, "does not open: it was sealed under another key, or for another place");
    const std::optional<Members> members = *record == line ? std::nullopt : Members::of(*record);
    if (members) follow(*members, {name, at, members->text("request_id")});
    return true;
  }

  bool meet(const std::string& name, const merkle::Tree& tree, const std::vector<Mark>& marks,
            std::vector<Mark>::const_iterator& next) {
    for (; next != marks.end() && next->count == tree.size(); ++next) {
      if (tree.head() == next->head) continue;
      const std::uint64_t from = next == marks.begin() ? 1 : std::prev(next)->count + 1;
      return broken(name, from, "was rewritten: records " + std::to_string(from) + " to " + std::to_string(next->count) +
                                    " do not give the tree head of checkpoint " + std::to_string(next->checkpoint));
    }
    return true;
  }

  // Intents without outcome; the outcome may come first here, since segments are read one after another.
  void follow(const Members& members, Finding where) {
    const std::string_view kind = members.raw("kind");
    const int step = kind == "\"intent\"" ? 1 : kind == "\"outcome\"" ? -1 : 0;
    if (step == 0 || where.why.empty()) return;
    const std::string id = where.why;
    Open& open = open_[id];
    if (step > 0) open.where = {std::move(where.file), where.line, "intent without outcome: request " + id};
    if ((open.count += step) == 0) open_.erase(id);
  }

  std::string dir_;
  const VerifyOptions& options_;
  Report report_;
  crypto::PublicKey key_{};
  std::string previous_ = no_previous();
  std::string known_hash_;
  bool closed_ = false;
  std::map<std::string, std::vector<Mark>> marks_;
  std::set<std::string> retired_;
  std::map<std::string, Open> open_;
};

}  // namespace

Result<Report> verify(const std::string& dir, const VerifyOptions& options) { return Verifier(dir, options).run(); }

}  // namespace sallyport::audit
