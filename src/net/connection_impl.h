// The inside of a server connection; included by server_connection.cc and server_write.cc only.
#pragma once

#include <array>
#include <memory>

#include "net/server_connection.h"

namespace sallyport::net {

class ServerConnection final : public DeadlineSweep::Entry, public std::enable_shared_from_this<ServerConnection> {
 public:
  ServerConnection(Stream stream, Peer peer, ServerContext& context);

  Task<void> run();
  void expired() override;
  void drain();
  // Leaves the worker's lists: nothing of the worker is touched after it.
  void leave();

  // What ServerExchange forwards to.
  Task<Result<std::string_view>> read_body();
  Task<Result<void>> respond(Response response);
  Task<Result<void>> start_stream(int status, Headers headers);
  Task<Result<void>> write_chunk(std::string_view bytes);
  Task<Result<void>> end_stream();
  void watch(std::function<void()> on_gone);
  bool add_header(std::string_view name, std::string_view value);

  [[nodiscard]] const RequestHead& head() const noexcept { return reader_.head(); }
  [[nodiscard]] const Peer& peer() const noexcept { return peer_; }
  [[nodiscard]] bool answered() const noexcept { return answered_; }
  [[nodiscard]] bool gone() const noexcept { return gone_; }
  void set_common_headers(std::string_view block) noexcept { common_headers_ = block; }

 private:
  enum class Phase : std::uint8_t { idle, head, body, handler, write, linger };

  Task<bool> read_head();
  Task<void> exchange();
  Task<void> refuse(Error error);
  Task<void> linger();
  Task<bool> fill();
  Task<Result<void>> send(std::string_view first, std::string_view second = {});
  Task<Result<void>> send_rest(std::string_view first, std::string_view second);
  void begin_exchange();
  void feed_buffered();
  bool decide_close(bool asked);
  bool write_head(int status, const Headers& headers, std::string_view content_type, std::optional<std::size_t> length);
  void start_watching();
  void watch_tls();
  void watched(const boost::system::error_code& error, std::size_t bytes);
  [[nodiscard]] std::string_view buffered() const noexcept { return {in_.data() + begin_, end_ - begin_}; }
  void enter(Phase phase, std::chrono::milliseconds timeout);
  void leave_phase();

  Stream stream_;
  Peer peer_;
  ServerContext& context_;
  const ServerSettings& settings_;
  DeadlineSweep& sweep_;
  std::list<ServerConnection*>::iterator place_;
  RequestReader reader_;
  std::array<char, kAheadBytesMax> in_;
  std::size_t begin_ = 0, end_ = 0;
  std::string out_, extra_headers_;
  std::string_view common_headers_;
  std::function<void()> on_gone_;
  SteadyTimer watch_ended_;
  Phase phase_ = Phase::idle;
  bool timed_out_ = false, gone_ = false, left_ = false, input_ended_ = false;
  bool answered_ = false, streaming_ = false, stream_ended_ = false, close_ = false, continued_ = false;
  bool watching_ = false, wants_watch_ = false, waits_for_watch_ = false;
};

}  // namespace sallyport::net
