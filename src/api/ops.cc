// Metrics and the reading of the audit.
#include "api/route.h"

namespace sallyport::api {

// Open on loopback, to a scraper beside us; elsewhere to who may read the system.
Task<RestAnswer> metrics(Call& call) {
  const bool loopback = call.request.address.starts_with("127.") || call.request.address == "::1" ||
                        call.request.channel == Channel::local;
  if (!loopback) {
    if (!call.request.principal) co_return refuse(call, {Code::unauthenticated, "metrics from outside loopback"});
    AccessRequest access{.principal = call.principal()};
    access.channel = call.request.channel;
    access.action = Permission::audit_read;
    access.now = call.request.now;
    co_await prepare(call, [&] { (void)call.request.decider->decide(*call.request.snapshot, access); });
    if (!call.request.decider->decide(*call.request.snapshot, access).allow) co_return refuse(call, {Code::access_denied, ""});
  }
  RestAnswer answer;
  answer.content_type = "text/plain; version=0.0.4; charset=utf-8";
  answer.body = call.api.deps().metrics();
  co_return answer;
}

Task<RestAnswer> audit_tail(Call& call) {
  auto records = call.api.deps().audit_tail(call.request.query);
  if (!records) co_return refuse(call, records.error());
  RestAnswer answer;
  answer.body = R"({"data":)" + *records + "}";
  co_return answer;
}

}  // namespace sallyport::api
