#include "control/certificate_terms.h"

#include <algorithm>

namespace sallyport::control {
namespace {

using std::chrono::days;

constexpr days kSoon{30}, kVerySoon{7};
constexpr std::string_view kTold = "certificate_alerts";

std::string_view words_of(std::string_view what) {
  if (what == "served") return "the certificate that is served";
  if (what == "authority") return "the certificate of the authority";
  if (what == "revocations") return "the revocation list";
  return "the gateway's certificate";
}

std::string named(const CertificateTerm& term) {
  return std::string(words_of(term.what)) + (term.name.empty() ? "" : " (" + term.name + ")");
}

std::string left_of(WallTime ends, WallTime now) {
  const auto hours = std::chrono::floor<std::chrono::hours>(ends - now).count();
  return hours >= 48 ? std::to_string(hours / 24) + " days" : std::to_string(hours) + " hours";
}

// A line of what was told: "STATE ID".
std::string line_of(const CertificateWarning& warning) {
  return std::string(warning.state) + " " + warning.id + "\n";
}

bool is_alert(const CertificateWarning& warning) { return warning.state == "ends_soon" || warning.state == "expired"; }

}  // namespace

CertificateState state_of(WallTime begins, WallTime ends, WallTime now) noexcept {
  const auto life = ends - begins;
  const auto left = ends - now;
  if (left <= WallTime::duration::zero()) return CertificateState::ended;
  if (left <= std::min<std::chrono::microseconds>(kVerySoon, life / 10)) return CertificateState::ends_very_soon;
  return left <= std::min<std::chrono::microseconds>(kSoon, life / 4) ? CertificateState::ends_soon
                                                                     : CertificateState::good;
}

std::vector<CertificateWarning> warnings_of(const std::vector<CertificateTerm>& terms, WallTime now) {
  std::vector<CertificateWarning> out;
  for (const CertificateTerm& term : terms) {
    const CertificateState state = state_of(term.begins, term.ends, now);
    if (state == CertificateState::good && term.renewal_failed.empty()) continue;
    CertificateWarning one{term.what, term.name, term.id, "renewal_failed", term.ends, named(term), term.fix};
    if (state == CertificateState::ended) {
      one.state = "expired";
      one.text += " has expired at " + iso_time(term.ends);
    } else {
      if (state != CertificateState::good) one.state = "ends_soon";
      one.text += " ends in " + left_of(term.ends, now) + ", at " + iso_time(term.ends);
    }
    if (!term.renewal_failed.empty()) one.text += "; its renewal failed: " + term.renewal_failed;
    out.push_back(std::move(one));
  }
  return out;
}

bool expired(const std::vector<CertificateWarning>& warnings) noexcept {
  return std::ranges::any_of(warnings, [](const auto& one) { return one.state == "expired" || one.state == "unusable"; });
}

Result<void> CertificateAlerts::look(const std::vector<CertificateWarning>& warnings) {
  if (!read_) {
    SP_TRY(const auto kept, repository_.get_meta(kTold));
    told_ = kept.value_or("");
    read_ = true;
  }
  std::string now;
  for (const CertificateWarning& one : warnings) {
    if (!is_alert(one)) continue;
    const std::string line = line_of(one);
    if (told_.find(line) == std::string::npos && now.find(line) == std::string::npos) tell_(one);
    now += line;
  }
  unwritten_ = unwritten_ || now != told_;
  told_ = std::move(now);  // told once by this process, whatever becomes of the row
  if (!unwritten_) return {};
  SP_CHECK(repository_.put_meta(kTold, told_));
  unwritten_ = false;
  return {};
}

}  // namespace sallyport::control
