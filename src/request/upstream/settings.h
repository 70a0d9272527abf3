// The limits of this module, each with a default; the composition root fills them from the table of settings. Values.
#pragma once

#include <chrono>
#include <cstddef>

namespace sallyport::upstream {

struct Settings {
  std::size_t sessions_per_principal = 16;  // of one worker, as the next two
  std::size_t sessions_per_server = 64;
  std::size_t sessions_max = 256;
  std::size_t calls_in_flight = 256;              // of one session
  std::size_t queue_bytes_max = 32U << 20;        // stdio: written to the child but not yet taken by it
  std::size_t refused_lines_max = 100;            // stdio: garbage lines before the process is restarted
  std::size_t stderr_line_max = 4096;             // bytes of a line kept for the log
  std::size_t stderr_lines_per_minute = 120;      // the rest is counted and dropped
  std::chrono::milliseconds call_max{300'000};    // hard end of any call, progress or not
  std::chrono::milliseconds idle_after{600'000};  // a session without calls is closed
  std::chrono::milliseconds sweep_every{250};     // deadlines of calls are met within this
  std::chrono::milliseconds stop_grace{2'000};    // stdin closed -> SIGTERM -> SIGKILL, each
  std::chrono::milliseconds backoff_min{500};     // after a failed start or an unexpected exit
  std::chrono::milliseconds backoff_max{60'000};
  int breaker_failures = 10;  // in a row
  std::chrono::seconds breaker_rest{60};
  std::chrono::milliseconds probe_wait{3'000};  // stdio: silence after server/discover that makes a server a legacy one
  bool http_listen = true;  // keep a GET stream for what the server says unasked
};

}  // namespace sallyport::upstream
