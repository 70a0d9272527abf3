// An access review (S2-38): who can call what, by the one decide(), in slices of a worker's time. Internal to api.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "api/route.h"

namespace sallyport::api {

// A principal and a tool, in the order of a review: users and then keys by id, each with the tools by server and name.
struct Pair {
  std::string principal, server, tool;
};

struct ReviewWanted {
  std::string principal;  // id; empty: all
  std::string server, tool;  // empty: all
  std::size_t rows_max = 100;
  Pair after;  // begin behind it
};

struct ReviewRow {
  Pair pair;
  std::string name, kind, status, exposed_name;
  std::vector<std::string> doors;  // "mcp", "rest"
  std::vector<std::string> why;    // rbac::to_text of each source
};

struct Review {
  std::vector<ReviewRow> rows;
  std::size_t decided = 0;    // pairs looked at
  std::size_t undecided = 0;  // of them, those of which the policy could not be asked: nobody is let in by them
  std::optional<Pair> next;   // where the next page begins; none: that was all
};

// At most a millisecond at a time and 20,000 pairs in all. The Call outlives it.
Task<Review> review(Call& call, ReviewWanted wanted);

}  // namespace sallyport::api
