#include "app/bundle.h"

#include <filesystem>
#include <fstream>

#include "app/rules.h"
#include "core/encoding.h"
#include "crypto/hash.h"
#include "engines/bundle/signature.h"
#include "request/audit/files.h"

namespace sallyport::app {
namespace {

constexpr std::chrono::seconds kFetchWithin{20};

std::string kept_at(const config::Settings& settings) { return settings.home + "/policy-bundle.tar.gz"; }

Result<bundle::Bundle> read_files(const config::Settings& settings, const bundle::Files& files) {
  std::optional<std::int64_t> issued_at;
  if (!settings.policy.bundle_key.empty()) {
    SP_TRY(const Secret text,
           config::resolve_reference(settings.policy.bundle_key, settings.home, config::process_environment()));
    SP_TRY(const crypto::JwsKey key, bundle::read_key(settings.policy.bundle_algorithm, text.reveal()));
    SP_TRY(const bundle::Signature signature, bundle::verify(files, key));
    issued_at = signature.issued_at;
  }
  SP_TRY(bundle::Bundle read, bundle::read_bundle(files));
  read.issued_at = issued_at;
  return read;
}

// Read as it is: a file that was changed since is not what is in force, and is replaced.
bool is_kept(const config::Settings& settings, std::string_view archive) {
  std::ifstream file(kept_at(settings), std::ios::binary);
  std::string kept(archive.size() + 1, '\0');
  file.read(kept.data(), static_cast<std::streamsize>(kept.size()));
  kept.resize(static_cast<std::size_t>(file.gcount()));
  return kept == archive;
}

Result<std::shared_ptr<const net::EgressTarget>> target_of(const config::Settings& settings) {
  net::Headers headers;
  if (!settings.policy.bundle_token.empty()) {
    SP_TRY(const Secret token,
           config::resolve_reference(settings.policy.bundle_token, settings.home, config::process_environment()));
    headers.emplace_back("Authorization", "Bearer " + std::string(token.reveal()));
  }
  net::EgressPolicy guard;
  guard.allow_private = settings.policy.bundle_allow_private;
  auto target = net::EgressTarget::make(settings.policy.bundle, guard, headers);
  for (auto& [name, value] : headers) wipe(value);
  return target;
}

Result<Fetched> fetch_alone(const config::Settings& settings) {
  const SystemClock clock;
  asio::io_context io(1);
  Result<Fetched> found = fail(Code::internal, "the fetch did not end");
  net::DeadlineSweep sweep(io.get_executor(), clock);
  net::EgressClient egress(io.get_executor(), sweep);
  sweep.start();
  const auto run = [&]() -> Task<void> {
    found = co_await fetch_bundle(egress, settings, clock, "");
    egress.drop_idle();
    sweep.stop();
  };
  asio::co_spawn(io.get_executor(), run(), [](const std::exception_ptr&) {});
  io.run();
  return found;
}

Task<Result<void>> keep_and(const config::Settings& settings, BundleAge age, std::string archive,
                            std::function<Task<Result<void>>()> then) {
  SP_CO_CHECK(keep_bundle(settings, age, archive));
  co_return co_await then();
}

std::string describe(const Error& error) {
  return std::string(info(error.code).name) + (error.detail.empty() ? "" : ": " + error.detail);
}

}  // namespace

bool is_fetched(const config::Settings& settings) {
  return settings.policy.bundle.starts_with("http://") || settings.policy.bundle.starts_with("https://");
}

Result<bundle::Bundle> read_bundle(const config::Settings& settings, std::string_view archive) {
  SP_TRY(const auto files, bundle::unpack(archive));
  return read_files(settings, files);
}

Result<bundle::Bundle> read_bundle(const config::Settings& settings) {
  const std::string place = is_fetched(settings) ? kept_at(settings) : settings.policy.bundle;
  std::error_code error;
  if (std::filesystem::is_directory(place, error)) {
    SP_TRY(const auto files, bundle::read_folder(place));
    return read_files(settings, files);
  }
  std::ifstream file(place, std::ios::binary);
  std::string archive(bundle::kArchiveBytesMax + 1, '\0');  // one byte more than may be tells that it is too large
  file.read(archive.data(), static_cast<std::streamsize>(archive.size()));
  if (!file.is_open() || file.bad()) return fail(Code::config, "policy.bundle: cannot read " + place);
  archive.resize(static_cast<std::size_t>(file.gcount()));
  return read_bundle(settings, archive);
}

Task<Result<Fetched>> fetch_bundle(net::EgressClient& egress, const config::Settings& settings, const Clock& clock,
                                   std::string etag) {
  net::EgressRequest request;
  SP_CO_TRY(request.target, target_of(settings));
  request.method = "GET";
  request.headers = {{"Accept", "application/gzip, application/octet-stream"}};
  if (!etag.empty()) request.headers.emplace_back("If-None-Match", etag);
  request.deadline = clock.steady() + kFetchWithin;
  request.limits.body_bytes = bundle::kArchiveBytesMax;
  SP_CO_TRY(auto response, co_await egress.fetch(std::move(request)));
  if (response.head.status == 304 && !etag.empty()) co_return Fetched{"", std::move(etag)};
  if (response.head.status != 200) {
    co_return fail(Code::upstream_refused, "the answer is " + std::to_string(response.head.status));
  }
  co_return Fetched{std::move(response.body), std::string(response.head.find("etag").value_or(""))};
}

Result<void> keep_bundle(const config::Settings& settings, const BundleAge& age, std::string_view archive) {
  SP_TRY(const auto read, read_bundle(settings, archive));
  SP_CHECK(age.check(read.issued_at));
  SP_CHECK(fit_for_force(read.modules));
  return audit::write_small(kept_at(settings), archive);
}

Result<void> first_bundle(const config::Settings& settings, const BundleAge& age,
                          const std::function<void(std::string_view)>& warn) {
  if (!is_fetched(settings)) return {};
  const auto fetched = fetch_alone(settings);
  const Result<void> kept = fetched ? keep_bundle(settings, age, fetched->archive) : fail(fetched.error());
  if (kept) return {};
  std::error_code error;
  const std::string why = describe(kept.error());
  if (!std::filesystem::exists(kept_at(settings), error)) {
    return fail(Code::config, "policy.bundle: " + why + ", and there is none from before");
  }
  warn(why);
  return {};
}

Task<void> watch_bundle(BundleWatch watch) {
  SteadyTimer timer(watch.worker);
  std::string etag;
  std::string told;  // of the last one: what was refused, and why; empty: it is in force
  for (;;) {
    timer.expires_after(watch.settings.policy.bundle_poll);
    const auto [error] = co_await timer.async_wait(use_task_ec);
    if (error) co_return;
    auto fetched = co_await fetch_bundle(watch.egress, watch.settings, watch.clock, etag);
    if (!fetched) {
      watch.log.warning("policy bundle not fetched, the one before stays", {{"why", describe(fetched.error())}});
      continue;
    }
    const bool same = fetched->archive.empty() || (told.empty() && is_kept(watch.settings, fetched->archive));
    if (!same) {
      const std::string digest = hex_encode(crypto::sha256(fetched->archive));
      const auto taken = co_await run_on<void>(
          watch.control, keep_and(watch.settings, watch.age, std::move(fetched->archive), watch.reload));
      if (!taken) {
        etag.clear();
        const std::string why = describe(taken.error());
        if (std::exchange(told, digest + why) != digest + why) {
          watch.log.error("policy bundle refused, the one before stays", {{"why", why}});
        }
        continue;
      }
    }
    told.clear();
    etag = std::move(fetched->etag);
  }
}

}  // namespace sallyport::app
