#include "net/egress_connection.h"

#include <charconv>

namespace sallyport::net {
namespace {

constexpr std::size_t kCopyBytesMax = 8U << 10;  // a body up to here goes out in one piece with its head

}  // namespace

EgressConnection::EgressConnection(Stream stream, const IpAddress& address, EgressPool& pool)
    : stream_(std::move(stream)), address_(address), pool_(pool) {
  ++pool_.open;
  pool_.client.sweep.add(*this);
}

EgressConnection::~EgressConnection() {
  stream_.close();
  --pool_.open;
}

void EgressConnection::expired() {
  timed_out_ = !idle_;
  dead_ = true;
  stream_.shutdown();
  if (idle_) pool_.client.schedule_prune();
}

Task<boost::system::error_code> EgressConnection::connect(const asio::generic::stream_protocol::endpoint& endpoint) {
  const auto [error] = co_await stream_.socket().async_connect(endpoint, use_task_ec);
  co_return error;
}

void EgressConnection::write_head(const EgressRequest& request) {
  const auto& target = *request.target;
  out_.assign(request.method).append(" ").append(request.path.empty() ? target.url().target : request.path);
  out_.append(" HTTP/1.1\r\n").append(target.prefix());
  for (const auto& [name, value] : request.headers) out_.append(name).append(": ").append(value).append("\r\n");
  if (!request.body.empty() || (request.method != "GET" && request.method != "HEAD" && request.method != "DELETE")) {
    char digits[20];
    const auto end = std::to_chars(digits, digits + sizeof digits, request.body.size()).ptr;
    out_.append("Content-Length: ").append(digits, end).append("\r\n");
  }
  out_.append("\r\n");
}

// An alert, or that there were too many records, says more than the error that it leaves behind.
std::string EgressConnection::why(const boost::system::error_code& error) const {
  if (stream_.flooded()) return std::string(kTlsFlood);
  const std::string alert = stream_.tls_alert();
  return alert.empty() ? error.message() : alert;
}

Task<Result<void>> EgressConnection::exchange(const EgressRequest& request) {
  set_deadline(request.deadline);
  begin_ = end_ = sent_ = 0;
  reader_.start(request.limits, request.method == "HEAD");
  write_head(request);
  std::string_view body = request.body;
  if (body.size() <= kCopyBytesMax) {
    out_.append(body);
    body = {};
  }
  co_await after_this_turn(stream_.socket().get_executor());
  if (request.sending) request.sending();
  const auto at_once = stream_.try_write(out_, body);
  sent_ = at_once.bytes;
  if (sent_ < out_.size() + body.size()) {
    auto error = at_once.error;
    if (!error || error == asio::error::would_block) {
      const auto in_head = std::min(sent_, out_.size());
      error = co_await send(std::string_view(out_).substr(in_head), body.substr(sent_ - in_head));
    }
    if (timed_out_) co_return fail(Code::upstream_timeout, "request not taken in time");
    // A peer that refuses a large body answers and closes: its answer may be there already.
    if (error && sent_ == 0) {
      if (stream_.tls()) (void)co_await stream_.read_some(in_);  // the alert that came before the end
      co_return fail(Code::upstream_unavailable, "send: " + why(error));
    }
  }
  while (reader_.state() == ResponseReader::State::head) SP_CO_CHECK(co_await advance());
  if (reader_.state() == ResponseReader::State::failed) co_return fail(reader_.error());
  co_return Result<void>{};
}

Task<boost::system::error_code> EgressConnection::send(std::string_view head, std::string_view body) {
  while (!head.empty() || !body.empty()) {
    if (const auto error = co_await stream_.writable()) co_return error;
    const auto taken = head.empty() ? stream_.try_write(body) : stream_.try_write(head, body);
    if (taken.error && taken.error != asio::error::would_block) co_return taken.error;
    const auto in_head = std::min(taken.bytes, head.size());
    head.remove_prefix(in_head);
    body.remove_prefix(taken.bytes - in_head);
    sent_ += taken.bytes;
  }
  co_return boost::system::error_code();
}

Task<Result<void>> EgressConnection::advance() {
  if (begin_ == end_) {
    begin_ = end_ = 0;
    IoResult read;
    if (stream_.tls()) {
      read = co_await stream_.read_some(in_);
    } else {
      read = co_await stream_.read_when_ready(in_);
    }
    if (read.error) {
      if (timed_out_) co_return fail(Code::upstream_timeout, "no answer in time");
      if (read.error != asio::error::eof) co_return fail(Code::upstream_unavailable, "receive: " + why(read.error));
      reader_.feed_end();
      if (reader_.state() == ResponseReader::State::failed) co_return fail(reader_.error());
      co_return Result<void>{};
    }
    end_ = read.bytes;
  }
  begin_ += reader_.feed({in_.data() + begin_, end_ - begin_});
  if (reader_.state() == ResponseReader::State::failed) co_return fail(reader_.error());
  co_return Result<void>{};
}

}  // namespace sallyport::net
