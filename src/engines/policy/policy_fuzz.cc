// Bytes: a first byte chooses; then a policy source, or the arguments of a call against a policy that reads them.
#include <cstdlib>

#include "engines/policy/policy.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sallyport::policy;
  if (size < 1) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] == 's') {
    const Modules modules{{"fuzz.rego", std::string(text)}};
    analyse(modules);
    if (check(modules)) return 0;
    PolicyEngine engine;
    if (engine.use_all(modules)) (void)engine.evaluate("p", "{}", std::nullopt, std::chrono::milliseconds(5));
    return 0;
  }
  static PolicyEngine engine = [] {
    PolicyEngine made;
    const auto used = made.use_all({{"p.rego", "package p\nallow := \"admin\" in input.user.roles\ndeny := input.arguments == 1\n"}});
    if (!used) std::abort();
    return made;
  }();
  const auto answer = engine.evaluate("p", R"({"user":{"roles":["user"]}})", text, std::chrono::milliseconds(50));
  if (answer && answer->allow) std::abort();  // the arguments reached the principal's part
  return 0;
}
