// The document of OpenAPI 3.1, made from the route table and schemas.json.
#include <map>

#include "api/handlers.h"
#include "core/ascii.h"

namespace sallyport::api {

namespace {

std::string ref(std::string_view schema) { return "#/components/schemas/" + std::string(schema); }

void write_parameter(json::Writer& w, std::string_view name, std::string_view in, std::string_view schema,
                     std::string_view text) {
  w.object().member("name", name).member("in", in).member("required", in == "path").member_raw("schema", schema);
  if (!text.empty()) w.member("description", text);
  w.end_object();
}

// `names`: a space between them.
void write_texts(json::Writer& w, std::string_view names, std::string_view text) {
  while (!names.empty()) {
    const auto name = names.substr(0, std::min(names.find(' '), names.size()));
    names.remove_prefix(std::min(name.size() + 1, names.size()));
    write_parameter(w, name, "query", R"({"type":"string"})", text);
  }
}

void write_parameters(json::Writer& w, const Route& route) {
  w.key("parameters").array();
  for (auto at = route.path.find('{'); at != std::string_view::npos; at = route.path.find('{', at + 1)) {
    const auto name = route.path.substr(at + 1, route.path.find('}', at) - at - 1);
    write_parameter(w, name, "path", R"({"type":"string","minLength":1})", "");
  }
  write_texts(w, route.doc.query, "");
  write_texts(w, route.doc.filters, "Only those whose member is this");
  if (route.doc.list) {
    write_parameter(w, "limit", "query", R"({"type":"integer","minimum":1,"maximum":1000,"default":50})", "");
    write_parameter(w, "offset", "query", R"({"type":"integer","minimum":0,"default":0})", "");
    write_parameter(w, "page", "query", R"({"type":"integer","minimum":1})", "In offset's place, from 1");
    write_parameter(w, "per_page", "query", R"({"type":"integer","minimum":1,"maximum":1000})",
                    "limit by another name");
    write_parameter(w, "sort", "query", R"({"type":"string"})", "A member of an item; \"-\" before it: descending");
  }
  if (route.method == "GET") write_parameter(w, "If-None-Match", "header", R"({"type":"string"})", "");
  if (route.method == "PUT" || route.method == "DELETE")
    write_parameter(w, "If-Match", "header", R"({"type":"string"})", "");
  if (route.method == "POST" && !route.is_public) {
    write_parameter(w, "Idempotency-Key", "header", R"({"type":"string","minLength":1,"maxLength":255})",
                    "A second request with this key within a day is answered as the first, and does nothing");
  }
  w.end_array();
}

void write_request(json::Writer& w, const Route& route) {
  if (route.doc.request.empty()) return;
  w.key("requestBody").object().member("required", true).key("content").object();
  w.key("application/json")
      .object()
      .key("schema")
      .object()
      .member("$ref", ref(route.doc.request))
      .end_object()
      .end_object();
  if (route.path == "/auth/login") {  // ruling C1
    w.key("application/x-www-form-urlencoded").object().key("schema").object();
    w.member("$ref", ref(route.doc.request)).end_object().end_object();
  }
  w.end_object().end_object();
}

void write_good(json::Writer& w, const Route& route) {
  const RouteDoc& doc = route.doc;
  w.key(std::to_string(doc.status)).object().member("description", doc.status == 204 ? "Done" : "The answer");
  if (!doc.response.empty() || !doc.media_type.empty()) {
    w.key("content")
        .object()
        .key(doc.media_type.empty() ? "application/json" : doc.media_type)
        .object()
        .key("schema")
        .object();
    if (doc.response.empty()) {
      w.member("type", "string");
    } else if (doc.list) {
      w.member("type", "object").key("required").array().value("data").value("pagination").end_array();
      w.key("properties").object().key("data").object().member("type", "array").key("items").object();
      w.member("$ref", ref(doc.response)).end_object().end_object();
      w.key("pagination").object().member("$ref", ref("Pagination")).end_object().end_object();
    } else {
      w.member("$ref", ref(doc.response));
    }
    w.end_object().end_object().end_object();
  }
  w.end_object();
}

void write_refusal(json::Writer& w, std::string_view status, std::string_view why, std::string_view schema = "Error") {
  w.key(status).object().member("description", why).key("content").object().key("application/json").object();
  w.key("schema").object().member("$ref", ref(schema)).end_object().end_object().end_object().end_object();
}

void write_responses(json::Writer& w, const Route& route) {
  w.key("responses").object();
  write_good(w, route);
  if (route.method == "GET") w.key("304").object().member("description", "As If-None-Match has it").end_object();
  if (route.path == "/health/ready") {
    w.key("503").object().member("description", "Not ready").key("content").object().key("application/json").object();
    w.key("schema").object().member("$ref", ref("Readiness")).end_object().end_object().end_object().end_object();
  }
  if (route.handle == execute_tool)
    write_refusal(w, "500", "The tool's own error; its result is in error.details", "ToolFailure");
  const bool input = !route.doc.request.empty() || !route.doc.query.empty() || route.doc.list ||
                     route.path.find('{') != std::string_view::npos;
  if (input) write_refusal(w, "400", "The request is wrong; error.message says where");
  if (!route.is_public || route.limit_class == "login")
    write_refusal(w, "401", "No credential, or one that does not hold");
  if (!route.is_public) write_refusal(w, "403", "The caller may not");
  if (route.path.find('{') != std::string_view::npos) write_refusal(w, "404", "Nothing by that name");
  write_refusal(w, "429", "Too many requests; Retry-After says how long to wait");
  write_refusal(w, "default", "Any other refusal");
  w.end_object();
}

void write_operation(json::Writer& w, const Route& route) {
  std::string id(route.method);
  for (const char c : route.path) id += c == '/' || c == '{' || c == '}' || c == '.' ? '_' : c;
  std::string method;
  for (const char c : route.method) method += ascii::to_lower(c);
  w.key(method).object().member("operationId", id).member("summary", route.doc.summary);
  w.key("tags").array().value(group_of(route)).end_array();
  w.key("security").array();
  if (!route.is_public) {
    w.object().key("bearer").array().end_array().end_object();
    w.object().key("apiKey").array().end_array().end_object();
  }
  w.end_array();
  write_parameters(w, route);
  write_request(w, route);
  write_responses(w, route);
  w.member("x-limit-class", route.limit_class);
  if (route.permission) w.member("x-permission", name_of(*route.permission));
  if (!route.event.empty()) w.member("x-audit-event", route.event);
  w.end_object();
}

}  // namespace

std::string openapi_document(std::span<const Route> routes) {
  std::map<std::string_view, std::vector<const Route*>> by_path;
  for (const Route& route : routes) by_path[route.path].push_back(&route);
  json::Writer w;
  w.object()
      .member("openapi", "3.1.0")
      .key("info")
      .object()
      .member("title", "Sallyport")
      .member("version", SALLYPORT_VERSION);
  w.member("description", "The REST API of the gateway. /api and the root are aliases of /api/v1.").end_object();
  w.key("servers").array().object().member("url", "/api/v1").end_object().end_array();
  w.key("paths").object();
  for (const auto& [path, operations] : by_path) {
    w.key(path).object();
    for (const Route* route : operations) write_operation(w, *route);
    w.end_object();
  }
  w.end_object().key("components").object().member_raw("schemas", kSchemas).key("securitySchemes").object();
  w.key("bearer").object().member("type", "http").member("scheme", "bearer");
  w.member("description", "An access token, or an API key").end_object();
  w.key("apiKey").object().member("type", "apiKey").member("in", "header").member("name", "X-API-Key").end_object();
  w.end_object().end_object().end_object();
  return w.take();
}

Task<RestAnswer> openapi(Call& call) {
  (void)call;
  static const std::string kDocument = openapi_document(routes());
  RestAnswer answer;
  answer.body = kDocument;
  co_return answer;
}

}  // namespace sallyport::api
