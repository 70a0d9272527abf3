// What tool servers answer of a list: each is asked as soon as it is known that it has a part in it, on the worker where the
// principal's upstream sessions live, while the others are still being looked for. Internal to the pipeline.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "request/pipeline/worker.h"
#include "request/upstream/listing.h"

namespace sallyport {

struct Part {
  ServerPtr server;
  std::vector<upstream::Item> items;  // resources, prompts
  DigestsPtr digests;  // tools; null where they are not known
  Revision revision = kLatestLegacy;  // the server's
  std::string failed;  // why the server could not be asked
};
using Parts = std::map<std::string, Part, std::less<>>;  // by the server's name

// One a list, on `here`'s thread. What was begun goes on by itself should nobody wait for it any more.
class Asking {
 public:
  // `kind`: nothing for tools, of which the digests are wanted.
  Asking(Worker& here, PrincipalPtr principal, std::optional<upstream::ListKind> kind);

  // Returns at once. Each server once.
  void ask(const ServerPtr& server);
  // When all have answered, or had settings.list_timeout.
  Task<Parts> answers();

 private:
  struct State;
  struct Answered;
  static Task<void> ask_one(std::shared_ptr<State> state, ServerPtr server);

  std::shared_ptr<State> state_;
};

}  // namespace sallyport
