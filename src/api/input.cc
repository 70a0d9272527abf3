// What comes in is checked against the table before a handler sees it: the body by its schema, the query by its names.
#include <map>

#include "api/handlers.h"
#include "api/route.h"
#include "engines/schema/schema.h"

namespace sallyport::api {

namespace {

using SchemaPtr = std::shared_ptr<const schema::Schema>;

std::map<std::string_view, SchemaPtr> compile_all() {
  std::map<std::string_view, SchemaPtr> out;
  for (const Route& route : routes()) {
    if (route.doc.request.empty() || out.contains(route.doc.request)) continue;
    json::Writer w;
    w.object().member("$ref", "#/components/schemas/" + std::string(route.doc.request));
    w.key("components").object().member_raw("schemas", kSchemas).end_object().end_object();
    auto compiled = schema::Schema::compile(w.text());
    out.emplace(route.doc.request, compiled ? *compiled : nullptr);  // null refuses; a test looks for it
  }
  return out;
}

const std::map<std::string_view, SchemaPtr>& request_schemas() {
  static const std::map<std::string_view, SchemaPtr> kCompiled = compile_all();
  return kCompiled;
}

bool takes(const RouteDoc& doc, std::string_view name) {
  constexpr std::string_view kOfLists = " limit offset page per_page sort ";
  const std::string wanted = " " + std::string(name) + " ";
  return (" " + std::string(doc.query) + " " + std::string(doc.filters) + " ").find(wanted) != std::string::npos ||
         (doc.list && kOfLists.find(wanted) != std::string_view::npos);
}

Result<void> check_query(const Call& call) {
  const RouteDoc& doc = call.route->doc;
  if (doc.query.empty() && !doc.list) return {};  // takes none, and reads none
  for (std::string_view query = call.request.query; !query.empty();) {
    const auto pair = query.substr(0, std::min(query.find('&'), query.size()));
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
    const auto name = pair.substr(0, pair.find('='));
    if (!name.empty() && !takes(doc, name)) {
      return fail(Code::validation, "unknown query parameter: " + std::string(name.substr(0, 64)));
    }
  }
  return {};
}

}  // namespace

bool request_schema_compiles(const Route& route) {
  return route.doc.request.empty() || request_schemas().at(route.doc.request) != nullptr;
}

Result<void> check_input(const Call& call, std::string& details) {
  SP_CHECK(check_query(call));
  const std::string_view name = call.route->doc.request;
  const bool form = call.request.content_type.starts_with("application/x-www-form-urlencoded");
  if (name.empty() || (form && call.route->handle == login)) return {};  // the one that takes forms reads them itself
  const SchemaPtr& schema = request_schemas().at(name);
  if (!schema) return fail(Code::internal, "the schema " + std::string(name) + " does not compile");
  SP_TRY(const json::Document none, json::read("{}"));
  const auto fault = schema->validate(call.request.body.empty() ? none.root() : call.root());
  if (!fault) return {};
  json::Writer w;
  w.object().member("path", fault->path).member("keyword", fault->keyword).end_object();
  details = w.take();
  return fail(Code::validation, (fault->path.empty() ? "the body" : fault->path.substr(1)) + " " + fault->message);
}

}  // namespace sallyport::api
