#include "net/sse.h"

#include <algorithm>

namespace sallyport::net {
namespace {

constexpr std::string_view kBom = "\xEF\xBB\xBF";
constexpr std::size_t kIdBytesMax = 1024;

bool breaks_framing(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
}

}  // namespace

Result<void> SseReader::feed(std::string_view bytes, const std::function<bool(const SseEvent&)>& on_event) {
  while (!bytes.empty() && !stopped_) {
    if (after_cr_ && bytes.front() == '\n') bytes.remove_prefix(1);  // the second half of a CRLF, maybe cut
    after_cr_ = false;
    const auto end = bytes.find_first_of(std::string_view("\r\n", 2));
    const auto part = bytes.substr(0, end);
    if (line_.size() + part.size() + data_.size() > event_bytes_max_) {
      return fail(Code::upstream_too_large, "event beyond the limit");
    }
    line_.append(part);
    if (end == std::string_view::npos) break;
    after_cr_ = bytes[end] == '\r';
    bytes.remove_prefix(end + 1);
    if (!end_line(on_event)) stopped_ = true;
    line_.clear();
  }
  return {};
}

bool SseReader::end_line(const std::function<bool(const SseEvent&)>& on_event) {
  std::string_view line = line_;
  if (std::exchange(first_line_, false) && line.starts_with(kBom)) line.remove_prefix(kBom.size());
  if (line.empty()) return dispatch(on_event);
  if (line.front() == ':') return true;  // a comment
  const auto colon = line.find(':');
  auto value = colon == std::string_view::npos ? std::string_view() : line.substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  field(line.substr(0, colon), value);
  return true;
}

void SseReader::field(std::string_view name, std::string_view value) {
  if (name == "data") {
    if (has_data_) data_.push_back('\n');
    data_.append(value);
    has_data_ = true;
  } else if (name == "event") {
    event_ = value;
  } else if (name == "id") {
    // The standard: an id with NUL is ignored. Ours: and one that no header could carry back.
    if (value.size() > kIdBytesMax || value.find('\0') != std::string_view::npos) return;
    last_id_ = value;
    has_id_ = true;
  } else if (name == "retry") {
    if (value.empty() || value.size() > 9 || !std::ranges::all_of(value, [](char c) { return c >= '0' && c <= '9'; }))
      return;
    retry_ms_ = static_cast<std::uint32_t>(std::stoul(std::string(value)));
  }
}

bool SseReader::dispatch(const std::function<bool(const SseEvent&)>& on_event) {
  bool go_on = true;
  if (has_data_ || has_id_) {
    go_on = on_event({event_.empty() ? std::string_view("message") : std::string_view(event_), data_, last_id_});
  }
  data_.clear();
  event_.clear();
  has_data_ = has_id_ = false;
  return go_on;
}

Result<void> append_event(std::string& out, std::string_view data, std::string_view id) {
  if (breaks_framing(data) || breaks_framing(id)) return fail(Code::internal, "CR, LF or NUL in an event");
  if (!id.empty()) out.append("id: ").append(id).append("\n");
  out.append("data: ").append(data).append("\n\n");
  return {};
}

Result<void> append_poll_event(std::string& out, std::string_view id, std::uint32_t retry_ms) {
  if (breaks_framing(id)) return fail(Code::internal, "CR, LF or NUL in an event id");
  out.append("id: ").append(id).append("\nretry: ").append(std::to_string(retry_ms)).append("\ndata: \n\n");
  return {};
}

}  // namespace sallyport::net
