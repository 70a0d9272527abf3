// The writing half of a server connection.
#include <charconv>

#include "net/connection_impl.h"

namespace sallyport::net {
namespace {

constexpr std::size_t kDrainBytesMax = 64U << 10;
constexpr std::size_t kCopyBytesMax = 8U << 10;  // a body up to here goes out in one piece with its head

void append_number(std::string& out, std::size_t n, int base = 10) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof digits, n, base).ptr;
  out.append(digits, end);
}

bool owned_by_connection(std::string_view name) {
  for (const std::string_view own : {"content-length", "transfer-encoding", "connection", "date", "keep-alive"}) {
    if (equals_ignoring_case(name, own)) return true;
  }
  return false;
}

bool writable_header(std::string_view name, std::string_view value) {
  return valid_token(name) && valid_field_value(value) && !owned_by_connection(name);
}

void append_header(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

}  // namespace

bool ServerConnection::add_header(std::string_view name, std::string_view value) {
  if (!writable_header(name, value)) return false;
  append_header(extra_headers_, name, value);
  return true;
}

// Must the connection close after this answer? Known before its head is written.
bool ServerConnection::decide_close(bool asked) {
  const auto& head = reader_.head();
  const bool unread = reader_.state() == RequestReader::State::body;
  const bool much_unread = unread && (head.chunked || head.content_length - reader_.body().size() > kDrainBytesMax ||
                                      (head.expect_continue && !continued_));  // RFC 9110 10.1.1: it may come or not
  return asked || close_ || timed_out_ || context_.draining_ || !head.keep_alive || much_unread ||
         reader_.state() == RequestReader::State::failed || reader_.state() == RequestReader::State::head;
}

bool ServerConnection::write_head(int status, const Headers& headers, std::string_view content_type,
                                  std::optional<std::size_t> length) {
  for (const auto& [name, value] : headers) {
    if (!writable_header(name, value)) return false;
  }
  if (status < 200 || status > 599 || !valid_field_value(content_type)) return false;
  out_.assign("HTTP/1.1 ");
  append_number(out_, static_cast<std::size_t>(status));
  out_.append(" ").append(reason_phrase(status)).append("\r\nDate: ").append(sweep_.http_date()).append("\r\n");
  if (!content_type.empty()) append_header(out_, "Content-Type", content_type);
  if (length && status != 204 && status != 304) {
    out_.append("Content-Length: ");
    append_number(out_, *length);
    out_.append("\r\n");
  }
  if (close_) {
    out_.append("Connection: close\r\n");
  } else if (reader_.head().http10) {
    out_.append("Connection: keep-alive\r\n");
  }
  out_.append(common_headers_).append(extra_headers_);
  for (const auto& [name, value] : headers) append_header(out_, name, value);
  return true;
}

Task<Result<void>> ServerConnection::respond(Response response) {
  if (answered_) co_return fail(Code::internal, "answered twice");
  close_ = decide_close(response.close);
  if (!write_head(response.status, response.headers, response.content_type, response.body.size())) {
    co_return fail(Code::internal, "a header that would break the framing");
  }
  out_.append("\r\n");
  answered_ = true;
  std::string_view body = response.body;
  if (head().method == "HEAD" || response.status == 204 || response.status == 304) body = {};
  if (body.size() <= kCopyBytesMax) {
    out_.append(body);
    body = {};
  }
  co_await after_this_turn(stream_.socket().get_executor());
  const auto sent = stream_.try_write(out_, body);
  if (sent.bytes == out_.size() + body.size()) co_return Result<void>{};
  const auto in_head = std::min(sent.bytes, out_.size());
  if (sent.error && sent.error != asio::error::would_block) {
    gone_ = close_ = true;
    co_return fail(Code::cancelled, "client gone");
  }
  co_return co_await send_rest(std::string_view(out_).substr(in_head), body.substr(sent.bytes - in_head));
}

Task<Result<void>> ServerConnection::start_stream(int status, Headers headers) {
  if (answered_) co_return fail(Code::internal, "answered twice");
  close_ = decide_close(false) || head().http10;
  if (!write_head(status, headers, {}, std::nullopt)) {
    co_return fail(Code::internal, "a header that would break the framing");
  }
  out_.append(head().http10 ? "\r\n" : "Transfer-Encoding: chunked\r\n\r\n");
  answered_ = streaming_ = true;
  co_return co_await send(out_);
}

Task<Result<void>> ServerConnection::write_chunk(std::string_view bytes) {
  if (!streaming_ || stream_ended_) co_return fail(Code::internal, "no stream to write to");
  if (bytes.empty()) co_return Result<void>{};  // an empty chunk would end it
  if (head().http10) co_return co_await send(bytes);
  out_.clear();
  append_number(out_, bytes.size(), 16);
  out_.append("\r\n").append(bytes).append("\r\n");
  co_return co_await send(out_);
}

Task<Result<void>> ServerConnection::end_stream() {
  if (!streaming_ || stream_ended_) co_return fail(Code::internal, "no stream to end");
  stream_ended_ = true;
  if (head().http10) co_return Result<void>{};
  co_return co_await send("0\r\n\r\n");
}

Task<Result<void>> ServerConnection::send(std::string_view first, std::string_view second) {
  if (gone_) co_return fail(Code::cancelled, "client gone");
  const auto sent = stream_.try_write(first, second);
  if (sent.bytes == first.size() + second.size()) co_return Result<void>{};
  if (sent.error && sent.error != asio::error::would_block) {
    gone_ = close_ = true;
    co_return fail(Code::cancelled, "client gone");
  }
  const auto in_first = std::min(sent.bytes, first.size());
  co_return co_await send_rest(first.substr(in_first), second.substr(sent.bytes - in_first));
}

// The peer's window is full: wait for it, as long as it takes something now and then.
Task<Result<void>> ServerConnection::send_rest(std::string_view first, std::string_view second) {
  timed_out_ = false;
  while (!first.empty() || !second.empty()) {
    enter(Phase::write, settings_.timeouts.write);
    const auto waited = co_await stream_.writable();
    if (!timed_out_ && !waited) {
      const auto sent = first.empty() ? stream_.try_write(second) : stream_.try_write(first, second);
      if (!sent.error || sent.error == asio::error::would_block) {
        const auto in_first = std::min(sent.bytes, first.size());
        first.remove_prefix(in_first);
        second.remove_prefix(sent.bytes - in_first);
        continue;
      }
    }
    leave_phase();
    gone_ = close_ = true;
    co_return fail(Code::cancelled, timed_out_ ? "client takes nothing" : "client gone");
  }
  leave_phase();
  co_return Result<void>{};
}

}  // namespace sallyport::net
