// One row of the route table and what a handler gets: routing, access, checks, /openapi.json and /docs follow. Internal to api.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/api.h"
#include "engines/decide/decide.h"
#include "json/document.h"
#include "json/writer.h"

namespace sallyport::api {

struct Route;

struct Call {
  Api& api;
  RestRequest request;
  const Route* route = nullptr;
  std::vector<std::string> parts;  // what the {placeholders} of the path stand for, decoded
  json::Document body;             // null where there was none

  [[nodiscard]] json::Value root() const { return body.root(); }
  [[nodiscard]] const Principal& principal() const { return *request.principal; }
};

// What a route takes and gives. Names of schemas are those of schemas.json.
struct RouteDoc {
  std::string_view summary;  // one line for people
  std::string_view request;  // schema of the body; empty: takes none
  std::string_view response;  // schema of a good answer's body; empty: none (204), or text
  int status = 200;  // of a good answer
  std::string_view query;  // query parameters that the handler reads, a space between them
  std::string_view filters;  // of a list: members of an item that are query parameters too
  bool list = false;  // {data, pagination} of `response`; takes limit, offset, page, per_page and sort as well
  std::string_view media_type;  // where it is not application/json; without `response`: the body is text
};

struct Route {
  std::string_view method;
  std::string_view path;  // below /api/v1, /api or the root: "/servers/{name}"
  std::optional<Permission> permission;  // nullopt: identity alone, or public
  bool is_public;
  std::string_view limit_class;
  std::string_view event;
  Task<RestAnswer> (*handle)(Call& call);
  RouteDoc doc;
  bool step_up = false;  // people with a second factor must have shown a code of it lately
  bool recovery = false;  // whoever owns the home may, on its socket, though a policy refuses them everything
  bool own = false;  // with ?owner=me it is about what is the caller's own, and asks for no permission
};

std::span<const Route> routes() noexcept;

struct FoundRoute {
  const Route* route = nullptr;
  std::string allowed;  // methods of the path where it has others than the one asked for, as in "Allow"
  std::vector<std::string> parts;  // not decoded
};
// By any alias of the path (rulings C1, C23; S1-11, S1-17, S1-18).
FoundRoute find_route(std::string_view method, std::string_view path);

// May the caller use the route at all? Code::access_denied, password_change_required, second_factor_required, ...
Result<void> permit(const Call& call, const Route& route);
// May the caller do this at all? Of creating, changing and deleting a tool: this one, by the name in the path, there or not.
Result<void> permit_action(const Call& call, Permission action);
extern const std::string_view kSchemas;  // schemas.json

// Code::validation where the body does not fit the route's schema (`details` gets path and keyword) or a query parameter is
// not known.
Result<void> check_input(const Call& call, std::string& details);
bool request_schema_compiles(const Route& route);
// Runs the handler as the request's preconditions have it (RFC 9110 13): a GET gets an ETag, and 304 where If-None-Match
// names it; PUT and DELETE with If-Match act only on what it names. A POST with an Idempotency-Key acts once.
Task<RestAnswer> handle_once(Call& call);

// The document of OpenAPI 3.1 of every route, and a page of it for people.
std::string openapi_document(std::span<const Route> routes);
std::string docs_page(std::span<const Route> routes);
std::string_view group_of(const Route& route);  // under which both show it

// Before decisions are made: where an OPA server has the policies it is asked all that `rehearsal` decides; else nothing is done.
Task<void> prepare(Call& call, std::function<void()> rehearsal);

// Answers.
RestAnswer ok(json::Writer& writer, int status = 200);
RestAnswer no_content();
RestAnswer refuse(const Call& call, const Error& error, std::string_view message = {}, std::string_view details = {});
// {data, pagination{total, limit, offset, has_next, has_prev}} (requirements, section 8) of raw JSON objects: those that the
// query's filters leave, sorted by its `sort` (a member of an item, "-" before it: descending), the page it asks for. Items are not
// kept: all are written only where the query filters or sorts, else the page. What they are made of must outlive the task.
struct ListOf {
  std::size_t count = 0;
  std::function<void(json::Writer& w, std::size_t index)> write;  // one item
};
Task<RestAnswer> list(const Call& call, ListOf items);
Task<RestAnswer> list(const Call& call, const std::vector<std::string>& items);
// The same as S1 has it (requirements, line 124): {<member>, total, page, per_page (at most 100), total_pages}.
Task<RestAnswer> list_as_s1(const Call& call, ListOf items, std::string_view member);
Task<RestAnswer> list_as_s1(const Call& call, const std::vector<std::string>& items, std::string_view member);

// The decoded value of `name` in the query; nothing when absent.
std::optional<std::string> query_value(std::string_view query, std::string_view name);
// Decodes %XX; nothing for a bad escape or a control character.
std::optional<std::string> percent_decode(std::string_view text);

// Fields of the body. A wrong type is Code::validation naming the field.
Result<std::string> text_field(json::Value body, std::string_view name, std::string_view fallback = {});
Result<bool> flag_field(json::Value body, std::string_view name, bool fallback);
Result<std::int64_t> number_field(json::Value body, std::string_view name, std::int64_t fallback);
Result<std::vector<std::string>> texts_field(json::Value body, std::string_view name);
Result<std::map<std::string, std::string>> map_field(json::Value body, std::string_view name);
// Code::validation naming the first member that is not in `known`: a misspelt field is not passed over.
Result<void> only_fields(json::Value body, std::initializer_list<std::string_view> known);

}  // namespace sallyport::api
