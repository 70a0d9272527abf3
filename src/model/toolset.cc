#include "model/toolset.h"

#include <algorithm>

#include "model/server.h"

namespace sallyport {

ToolsetPtr toolset_of(const Catalogue& catalogue, std::string_view scope) {
  if (!scope.starts_with(kToolsetScope)) return nullptr;
  const auto found = catalogue.toolsets.find(scope.substr(kToolsetScope.size()));
  return found != catalogue.toolsets.end() && found->second->enabled ? found->second : nullptr;
}

bool in_scope(const Catalogue& catalogue, std::string_view scope, std::string_view server) {
  if (scope.empty() || scope == server) return true;
  const ToolsetPtr toolset = toolset_of(catalogue, scope);
  return toolset &&
         std::ranges::any_of(toolset->tools, [&](const auto& entry) { return entry.second.server == server; });
}

}  // namespace sallyport
