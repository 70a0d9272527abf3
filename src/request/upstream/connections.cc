#include "request/upstream/connections.h"

#include "request/upstream/http_connection.h"
#include "request/upstream/http_modern.h"
#include "request/upstream/sse_connection.h"
#include "request/upstream/stdio_connection.h"

namespace sallyport::upstream {

std::shared_ptr<Connection> make_connection(Wire wire, Executor executor, const Deps& deps, const Settings& settings,
                                            const ServerPtr& server, Unsolicited unsolicited) {
  switch (wire) {
    case Wire::stdio:
      return std::make_shared<StdioConnection>(executor, deps, settings, server, std::move(unsolicited));
    case Wire::http_modern: return std::make_shared<ModernHttpConnection>(deps, server);
    case Wire::http_sse:
      return std::make_shared<SseConnection>(executor, deps, settings, server, std::move(unsolicited));
    case Wire::http: break;
  }
  return std::make_shared<HttpConnection>(executor, deps, settings, server, std::move(unsolicited));
}

}  // namespace sallyport::upstream
