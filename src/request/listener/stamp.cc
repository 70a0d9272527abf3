#include "request/listener/stamp.h"

namespace sallyport {
namespace {

void stamp_block(net::ServerExchange& exchange, std::string_view block, std::string request_id) {
  exchange.set_common_headers(block);
  exchange.request_id = std::move(request_id);
  exchange.add_header("X-Request-Id", exchange.request_id);
}

}  // namespace

void stamp(net::ServerExchange& exchange, const EdgeVerdict& verdict, std::string request_id) {
  stamp_block(exchange, verdict.common_headers, std::move(request_id));
  if (verdict.cors_origin.empty() || verdict.preflight) return;
  for (const auto& [name, value] : Edge::cors_headers(verdict.cors_origin)) exchange.add_header(name, value);
}

void stamp(net::ServerExchange& exchange, const Edge& edge, std::string request_id) {
  stamp_block(exchange, edge.common_headers(exchange.peer().secure), std::move(request_id));
}

}  // namespace sallyport
