// The inside of the egress client: one connection to an upstream, and how one is made. Included by egress_*.cc only.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "net/egress_client.h"
#include "net/stream.h"
#include "net/tls_client.h"

namespace sallyport::net {

struct EgressPool;

class EgressConnection final : public DeadlineSweep::Entry {
 public:
  EgressConnection(Stream stream, const IpAddress& address, EgressPool& pool);
  ~EgressConnection() override;

  void expired() override;

  // Writes the request and reads the answer's head.
  Task<Result<void>> exchange(const EgressRequest& request);
  // Reads once more and feeds the reader. Error: the connection is of no more use.
  Task<Result<void>> advance();
  Task<boost::system::error_code> connect(const asio::generic::stream_protocol::endpoint& endpoint);
  Task<boost::system::error_code> handshake(SslPtr ssl) { return stream_.handshake(std::move(ssl)); }

  [[nodiscard]] bool nothing_sent() const noexcept { return sent_ == 0; }
  [[nodiscard]] bool timed_out() const noexcept { return timed_out_; }
  [[nodiscard]] bool dead() const noexcept { return dead_; }
  [[nodiscard]] bool stale() noexcept { return dead_ || stream_.stale(); }
  [[nodiscard]] bool reusable() const noexcept { return reader_.reusable() && begin_ == end_ && !timed_out_ && !dead_; }
  [[nodiscard]] const IpAddress& address() const noexcept { return address_; }
  [[nodiscard]] ResponseReader& reader() noexcept { return reader_; }
  [[nodiscard]] EgressPool& pool() noexcept { return pool_; }
  [[nodiscard]] std::string tls_failure() const { return stream_.tls_failure(); }
  void set_idle(bool idle) noexcept { idle_ = idle; }
  void shutdown() noexcept { stream_.shutdown(); }

 private:
  void write_head(const EgressRequest& request);
  Task<boost::system::error_code> send(std::string_view head, std::string_view body);
  [[nodiscard]] std::string why(const boost::system::error_code& error) const;

  Stream stream_;
  IpAddress address_;
  EgressPool& pool_;
  ResponseReader reader_;
  std::string out_;
  std::array<char, 16U << 10> in_;
  std::size_t begin_ = 0, end_ = 0, sent_ = 0;
  bool timed_out_ = false, idle_ = false, dead_ = false;
};

// The connections of one target.
struct EgressPool {
  EgressClient::Impl& client;
  std::size_t open = 0;
  std::vector<std::unique_ptr<EgressConnection>> idle;
};

struct EgressClient::Impl : std::enable_shared_from_this<EgressClient::Impl> {
  Impl(Executor e, DeadlineSweep& s, EgressOptions o)
      : executor(e), sweep(s), options(std::move(o)), tls(options.ca_file) {}

  using Connected = Result<std::unique_ptr<EgressConnection>>;
  // A pooled or a new connection, the request sent on it, the answer's head read.
  Task<Connected> exchange(const EgressRequest& request);
  Task<Connected> connect(const EgressTarget& target, SteadyTime deadline);
  Task<Connected> connect_to(const EgressTarget& target, const IpAddress& address, SteadyTime deadline);
  Task<Result<std::vector<IpAddress>>> resolve(const EgressTarget& target, SteadyTime deadline);
  Task<Result<std::shared_ptr<const TlsClient>>> tls_client(const TlsTermsPtr& terms);
  Task<Result<void>> secure(EgressConnection& connection, const EgressTarget& target);
  std::unique_ptr<EgressConnection> take_idle(const EgressTarget& target);
  void give_back(std::unique_ptr<EgressConnection> connection);
  void schedule_prune();
  void prune();
  EgressPool& pool(const std::string& key);

  Executor executor;
  DeadlineSweep& sweep;
  EgressOptions options;
  TlsClients tls;
  std::unordered_map<std::string, std::unique_ptr<EgressPool>> pools;
  bool prune_scheduled = false;
};

}  // namespace sallyport::net
