// The policies of a bundle (setting policy.bundle): a folder, a tar.gz, or one that is fetched over HTTP and kept in the home.
// Whatever is refused changes nothing: the good one before stays in force, and on the disk.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "app/bundle_age.h"
#include "config/config.h"
#include "engines/bundle/bundle.h"
#include "model/snapshot.h"
#include "net/egress_client.h"
#include "telemetry/log.h"

namespace sallyport::app {

bool is_fetched(const config::Settings& settings);  // policy.bundle is a URL

// Read, verified where policy.bundle_key is set. For a URL: what was fetched last. Errors name the reason and the place.
Result<bundle::Bundle> read_bundle(const config::Settings& settings);
// The same of the bytes of a tar.gz.
Result<bundle::Bundle> read_bundle(const config::Settings& settings, std::string_view archive);

struct Fetched {
  std::string archive;  // empty: what it was
  std::string etag;
};
// GET with If-None-Match (RFC 9110 13.1.2). Errors: those of EgressClient::fetch; upstream_refused.
Task<Result<Fetched>> fetch_bundle(net::EgressClient& egress, const config::Settings& settings, const Clock& clock,
                                   std::string etag);
// Verifies and compiles what was fetched, then puts it in the place of the one before. What may not come into force is refused.
Result<void> keep_bundle(const config::Settings& settings, const BundleAge& age, std::string_view archive);
// At the start, before any thread: fetches and keeps. Without an answer the copy of the last time does; `warn` hears so.
Result<void> first_bundle(const config::Settings& settings, const BundleAge& age,
                          const std::function<void(std::string_view)>& warn);

struct BundleWatch {
  net::EgressClient& egress;
  Executor worker;  // of the egress client
  Executor control;
  const config::Settings& settings;
  const Clock& clock;
  telemetry::Log& log;
  BundleAge age;
  std::function<Task<Result<void>>()> reload;  // on `control`
};
// Every policy.bundle_poll: fetches on the worker; what is new is read, compiled and put in force on the control thread. The ETag is
// kept of what is in force, and of nothing else: what could not be put in force is fetched and tried anew. Until it is cancelled.
Task<void> watch_bundle(BundleWatch watch);

}  // namespace sallyport::app
