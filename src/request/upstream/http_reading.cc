#include "request/upstream/http_reading.h"

#include "request/upstream/notices.h"

namespace sallyport::upstream {

Result<void> HttpReading::feed(std::string_view bytes) {
  return sse_.feed(bytes, [this](const net::SseEvent& event) {
    if (event.event == "message" && !event.data.empty()) on_event(event.data);
    return !done();  // MCP: the response is the last of its stream
  });
}

void HttpReading::on_event(std::string_view data) {
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
    case Incoming::Kind::request: return sinks_.request({std::string(in->raw_id), in->method, std::string(in->params)});
    case Incoming::Kind::notification: return on_notification(*in);
  }
}

void HttpReading::on_notification(const Incoming& in) {
  if (in.method != kProgress) return sinks_.notification(in);
  if (events_ != nullptr && message_.wants_progress && progress_token(in.params) == message_.id)
    events_->progress(without_member(in.params, "progressToken"));
}

}  // namespace sallyport::upstream
