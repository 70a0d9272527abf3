#include "request/upstream/http_reading.h"

#include "request/upstream/notices.h"

namespace sallyport::upstream {

Result<void> HttpConnection::Reading::feed(std::string_view bytes) {
  return sse_.feed(bytes, [this](const net::SseEvent& event) {
    if (event.event == "message" && !event.data.empty()) on_event(event.data);
    return !done();  // MCP: the response is the last of its stream
  });
}

void HttpConnection::Reading::on_event(std::string_view data) {
  const auto in = read_incoming(data, bytes_max_, minified_);
  if (!in) {
    answer = fail(Error(in.error()));
    return;
  }
  switch (in->kind) {
    case Incoming::Kind::result:
    case Incoming::Kind::error:
      if (in->id == message_.id) answer = Reply{in->kind == Incoming::Kind::error, std::string(in->body)};
      return;  // a foreign id: dropped
    case Incoming::Kind::request:
      if (asked.size() < 64) asked.push_back({std::string(in->raw_id), in->method, std::string(in->params)});
      return;
    case Incoming::Kind::notification:
      return on_notification(*in);
  }
}

void HttpConnection::Reading::on_notification(const Incoming& in) {
  if (events_ == nullptr) return;
  if (in.method == kProgress) {
    if (message_.wants_progress && progress_token(in.params) == message_.id)
      events_->progress(without_member(in.params, "progressToken"));
  } else if (is_notice(in.method)) {
    events_->notification(in.method, in.params);
  }
}

}  // namespace sallyport::upstream
