// A thread that reads what TLS to upstreams needs (PEM files, keys) and makes contexts of it: some of it takes tens of
// milliseconds (the system's authorities alone are some 150 certificates), for which no request of a worker waits its turn. One a
// process; what it made is shared by all workers. Any worker awaits on it and is resumed on its own executor. stop() before the
// workers' io_contexts go.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <thread>

#include "core/task.h"
#include "net/tls_terms.h"

namespace sallyport::net {

class TlsClient;
class TlsClients;

class TlsWorkshop {
 public:
  TlsWorkshop();
  TlsWorkshop(const TlsWorkshop&) = delete;
  TlsWorkshop& operator=(const TlsWorkshop&) = delete;
  ~TlsWorkshop();

  // As read_terms().
  Task<Result<TlsTermsPtr>> terms(TlsSources sources);
  // As TlsClient::make(); made once for all workers, as long as it is among the TlsClients::kMost used last.
  Task<Result<std::shared_ptr<const TlsClient>>> client(TlsTermsPtr terms, std::string ca_file);
  // What runs ends, what waits is never answered. Idempotent.
  void stop();

 private:
  asio::io_context io_{1};
  asio::executor_work_guard<Executor> open_;
  std::map<std::string, std::unique_ptr<TlsClients>> made_;  // by ca_file; the thread's own
  std::thread thread_;
};

}  // namespace sallyport::net
