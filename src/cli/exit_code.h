// The exit codes of every command, as `sallyport --help` lists them. Stable.
#pragma once

namespace sallyport::cli {

enum Exit : int {
  kOk = 0,
  kFailure = 1,
  kUsage = 2,
  kDenied = 3,
  kNotFound = 4,
  kUnreachable = 5,
  kUnverified = 6,
  kLimited = 7,
};

// Of an HTTP status.
constexpr int exit_of_status(int status) {
  if (status >= 200 && status < 300) return kOk;
  if (status == 401 || status == 403) return kDenied;
  if (status == 404 || status == 410) return kNotFound;
  return status == 429 ? kLimited : kFailure;
}

}  // namespace sallyport::cli
