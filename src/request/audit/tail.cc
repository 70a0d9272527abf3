#include "request/audit/tail.h"

#include <sys/stat.h>

#include <algorithm>

#include "request/audit/files.h"
#include "request/audit/line.h"
#include "request/audit/scan.h"
#include "request/audit/segment_seal.h"

namespace sallyport::audit {
namespace {

struct Hit {
  std::string time;  // ISO-8601 of fixed width: sorts as text
  std::string line;
  std::size_t order = 0;  // as it was found: of equal times the one found first is the newer
};

struct Segment {
  std::string name;
  std::string changed;  // when it was last written, as ISO-8601
};

std::string iso(WallTime time) {
  std::string out;
  append_iso(out, time);
  return out;
}

bool same(const Members& members, std::string_view name, const std::string& wanted) {
  return wanted.empty() || members.text(name) == wanted;
}

bool matches(const Members& members, const Filter& filter) {
  return same(members, "kind", filter.kind) && same(members, "event_type", filter.event_type) &&
         same(members, "principal", filter.principal) && same(members, "user_id", filter.user_id) &&
         same(members, "server", filter.server) && same(members, "tool", filter.tool) &&
         same(members, "result", filter.result) && same(members, "request_id", filter.request_id);
}

Result<std::vector<Segment>> newest_first(const std::string& dir) {
  SP_TRY(const std::vector<std::string> names, segment_names(dir));
  std::vector<Segment> segments;
  for (const std::string& name : names) {
    struct stat info{};
    const std::string path = dir + "/" + name;
    if (::stat(path.c_str(), &info) != 0) continue;
    // A second of tolerance: records carry a clock's time, files the kernel's.
    segments.push_back({name, iso(WallTime(std::chrono::seconds(info.st_mtime + 2)))});
  }
  std::ranges::sort(segments, std::ranges::greater{}, &Segment::changed);
  return segments;
}

// Adds the last matches of one segment; `floor`: what is older can be left out.
Result<void> collect(const std::string& dir, const Segment& segment, std::span<const std::byte> key,
                     const Filter& filter, std::size_t count, std::vector<Hit>& hits) {
  const std::string since = filter.since ? iso(*filter.since) : std::string();
  const std::string until = filter.until ? iso(*filter.until) : std::string();
  std::size_t found = 0;
  SP_TRY(const SegmentReader reader, SegmentReader::of(dir, segment.name, key));
  return each_line_backwards(dir + "/" + segment.name, [&](std::string_view line) {
    Result<std::string> record = reader.record(line);
    const std::optional<Members> members = record ? Members::of(*record) : std::nullopt;
    if (!members) return true;
    std::string time = members->text("timestamp");
    if (!since.empty() && time < since) return false;
    if ((until.empty() || time < until) && matches(*members, filter)) {
      hits.push_back({std::move(time), *std::move(record), hits.size()});
      ++found;
    }
    return found < count;
  });
}

void keep_newest(std::vector<Hit>& hits, std::size_t count) {
  std::ranges::sort(hits, [](const Hit& a, const Hit& b) { return a.time != b.time ? a.time > b.time : a.order < b.order; });
  if (hits.size() > count) hits.resize(count);
  for (std::size_t i = 0; i < hits.size(); ++i) hits[i].order = i;
}

}  // namespace

Result<std::vector<std::string>> tail(const std::string& dir, const Filter& filter, std::size_t count,
                                      std::span<const std::byte> key) {
  count = std::min(count, kTailMax);
  SP_TRY(const std::vector<Segment> segments, newest_first(dir));
  std::vector<Hit> hits;
  for (const Segment& segment : segments) {
    // All that are left were last written before the oldest record that we need.
    if (count == 0 || (hits.size() == count && segment.changed < hits.back().time)) break;
    if (auto read = collect(dir, segment, key, filter, count, hits); !read && read.error().code != Code::not_found) {
      return fail(std::move(read).error());
    }
    keep_newest(hits, count);
  }
  std::vector<std::string> lines;
  for (auto hit = hits.rbegin(); hit != hits.rend(); ++hit) lines.push_back(std::move(hit->line));
  return lines;
}

}  // namespace sallyport::audit
