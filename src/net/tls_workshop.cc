#include "net/tls_workshop.h"

#include <sys/prctl.h>

#include "net/tls_client.h"

namespace sallyport::net {
namespace {

Task<Result<TlsTermsPtr>> read(TlsSources sources) { co_return read_terms(std::move(sources)); }

Task<Result<std::shared_ptr<const TlsClient>>> make(std::map<std::string, std::unique_ptr<TlsClients>>& made,
                                                    TlsTermsPtr terms, std::string ca_file) {
  auto& clients = made[ca_file];
  if (!clients) clients = std::make_unique<TlsClients>(ca_file);
  co_return clients->of(terms);
}

}  // namespace

TlsWorkshop::TlsWorkshop()
    : open_(io_.get_executor()), thread_([this] {
        ::prctl(PR_SET_NAME, "tls");
        io_.run();
      }) {}

TlsWorkshop::~TlsWorkshop() { stop(); }

Task<Result<TlsTermsPtr>> TlsWorkshop::terms(TlsSources sources) {
  co_return co_await run_on<TlsTermsPtr>(io_.get_executor(), read(std::move(sources)));
}

Task<Result<std::shared_ptr<const TlsClient>>> TlsWorkshop::client(TlsTermsPtr terms, std::string ca_file) {
  co_return co_await run_on<std::shared_ptr<const TlsClient>>(io_.get_executor(),
                                                              make(made_, std::move(terms), std::move(ca_file)));
}

void TlsWorkshop::stop() {
  open_.reset();
  io_.stop();
  if (thread_.joinable()) thread_.join();
}

}  // namespace sallyport::net
