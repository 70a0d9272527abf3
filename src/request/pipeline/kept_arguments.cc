#include "request/pipeline/kept_arguments.h"

#include "json/slice.h"
#include "request/response_guard/redact.h"

namespace sallyport {

std::string kept_arguments(const audit::Redactor& redactor, std::string_view arguments, const Obligations* binds) {
  std::string kept = redactor.secrets(arguments);
  if (binds == nullptr || binds->redact.empty()) return kept;
  constexpr std::string_view kPlace = "structuredContent";  // where results have what members are looked for in
  const std::string result = redact_result("{\"" + std::string(kPlace) + "\":" + kept + "}", binds->redact);
  return std::string(json::member(result, kPlace).value_or("{}"));
}

}  // namespace sallyport
