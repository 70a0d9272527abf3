// The HTTP side that connections of all eras share: the server's configured headers, resolved once; requests to its URL
// through the egress client and its SSRF guard; streams that are open, to be cut when the session ends. No header of a
// client and no WWW-Authenticate of the server ever crosses. One worker; owned by its connection.
#pragma once

#include <optional>
#include <set>
#include <string>

#include "model/server.h"
#include "net/egress_client.h"
#include "request/upstream/connection.h"
#include "request/upstream/deps.h"

namespace sallyport::upstream {

inline constexpr std::uint64_t kStreamBytesMax = 1ULL << 30;

class HttpEndpoint {
 public:
  HttpEndpoint(const Deps& deps, ServerPtr server) : deps_(deps), server_(std::move(server)) {}
  HttpEndpoint(const HttpEndpoint&) = delete;
  HttpEndpoint& operator=(const HttpEndpoint&) = delete;
  ~HttpEndpoint();

  // References by `deadline`; files of TLS take the time that their disk takes. Errors: upstream_unavailable (no egress
  // client), config (a header that is ours to write, a reference that cannot be resolved, certificates or a key that
  // cannot be used).
  Task<Result<void>> resolve(SteadyTime deadline);
  // Where to, with `fixed` and the configured headers written once, since every request sends them. Errors:
  // egress_refused, invalid_request.
  Result<void> aim(net::Headers fixed);
  [[nodiscard]] bool aimed() const noexcept { return target_ != nullptr; }
  [[nodiscard]] const net::Url& url() const noexcept { return target_->url(); }  // after aim()
  [[nodiscard]] net::EgressRequest request(std::string method, std::string body, SteadyTime deadline) const;
  [[nodiscard]] net::EgressClient& egress() const noexcept { return *deps_.egress; }
  // What a refusal is to the caller: the number alone, neither the body nor WWW-Authenticate (mcp-spec.md, 10, trap 17).
  [[nodiscard]] Error refusal(int status) const;

 private:
  Task<Result<void>> resolve_tls(SteadyTime deadline);
  const Deps& deps_;
  ServerPtr server_;
  std::shared_ptr<const net::TlsTerms> tls_;  // null: the usual demands
  net::Headers configured_;  // resolved; they hold credentials
  Secret query_;  // of the URL, resolved: "a=1&b=2"
  std::shared_ptr<const net::EgressTarget> target_;
};

// Streams that are being read.
class OpenStreams {
 public:
  // Enters one while it lives.
  class Entry {
   public:
    Entry(OpenStreams& all, net::EgressStream* stream) : all_(all), stream_(stream) { all_.streams_.insert(stream); }
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;
    ~Entry() { all_.streams_.erase(stream_); }

   private:
    OpenStreams& all_;
    net::EgressStream* stream_;
  };
  void cut() {
    for (auto* stream : streams_) stream->close();
  }

 private:
  std::set<net::EgressStream*> streams_;
};

bool is_json(const net::ResponseHead& head);
bool is_event_stream(const net::ResponseHead& head);

}  // namespace sallyport::upstream
