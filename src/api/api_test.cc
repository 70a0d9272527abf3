#include "api/api.h"

#include <gtest/gtest.h>

#include "api/route.h"

namespace sallyport::api {
namespace {

TEST(ApiRoutes, EveryAliasIsTheSameRoute) {  // ruling C23
  for (const std::string_view prefix : {"/api/v1", "/api", ""}) {
    const auto path = std::string(prefix) + "/tools/calc_add/execute";
    const auto route = Api::route("POST", path);
    EXPECT_TRUE(route.known) << path;
    EXPECT_FALSE(route.is_public) << path;
    EXPECT_EQ(route.limit_class, "execute") << path;
    EXPECT_TRUE(Api::route("POST", std::string(prefix) + "/auth/login").is_public);
  }
}

TEST(ApiRoutesAbuse, NothingElseIsPublic) {
  for (const std::string_view path : {"/api/v1/users",  "/users",         "/api/keys",
                                      "/status",        "/audit",         "/api/v1/tools",
                                      "/auth/password", "/auth/me",       "",
                                      "/api",           "/api/v1",        "/health/../users",
                                      "/health/",       "/health//live",  "/api/v1/api/v1/health",
                                      "/auth/login/",   "//auth/login",   "/AUTH/LOGIN",
                                      "/auth%2flogin",  "/api/v2/health", "/apihealth"}) {
    for (const std::string_view method : {"GET", "POST", "PUT", "DELETE"}) {
      EXPECT_FALSE(Api::route(method, path).is_public) << method << " " << path;
    }
  }
  EXPECT_FALSE(Api::route("GET", "/auth/login").is_public);
  EXPECT_FALSE(Api::route("POST", "/health").is_public);
  EXPECT_FALSE(Api::route("POST", "/").is_public);
  EXPECT_FALSE(Api::route("GET", "/health/detailed").is_public);
}

TEST(ApiRoutes, APlaceholderIsOneSegmentAndNeverEmpty) {
  EXPECT_FALSE(Api::route("GET", "/tools/").known);
  EXPECT_FALSE(Api::route("GET", "/tools/a/b").known);
  EXPECT_TRUE(Api::route("GET", "/tools/a%2Fb").known);
  EXPECT_FALSE(Api::route("POST", "/tools//execute").known);
}

TEST(ApiRoutes, EachSaysWhatItTakesAndGives) {
  const auto document = json::read(openapi_document(routes())).value();
  const auto schemas = document.root().find("components")->find("schemas").value();
  for (const Route& route : routes()) {
    const std::string name = std::string(route.method) + " " + std::string(route.path);
    EXPECT_FALSE(route.doc.summary.empty()) << name;
    for (const auto schema : {route.doc.request, route.doc.response}) {
      EXPECT_TRUE(schema.empty() || schemas.find(schema)) << name << ": " << schema << " is not in schemas.json";
    }
    EXPECT_EQ(route.doc.status == 204, route.doc.response.empty() && route.doc.media_type.empty()) << name;
    EXPECT_TRUE(request_schema_compiles(route)) << name;
  }
}

// Few of them are made at a time: each that can be long must say so.
TEST(ApiRoutes, ListsAreKnownToBeLists) {
  for (const std::string_view path :
       {"/tools", "/api/v1/tools/search", "/users", "/admin/users", "/admin/api-keys", "/sessions"}) {
    EXPECT_TRUE(Api::route("GET", path).is_list) << path;
  }
  for (const std::string_view path : {"/tools/calc_add", "/health", "/no-such"})
    EXPECT_FALSE(Api::route("GET", path).is_list) << path;
}

TEST(ApiDecoding, Percent) {
  EXPECT_EQ(percent_decode("a%2Fb%20c"), "a/b c");
  EXPECT_EQ(percent_decode("a+b"), "a+b");
  for (const std::string_view bad : {"%", "%2", "%zz", "%2g", "a%", "%00", "%0a", "%0D", "%7f", "\n"}) {
    EXPECT_FALSE(percent_decode(bad).has_value()) << bad;
  }
}

TEST(ApiDecoding, Query) {
  EXPECT_EQ(query_value("limit=5&server=a+b%2B", "server"), "a b+");
  EXPECT_EQ(query_value("limit=5&limit=6", "limit"), "5");
  EXPECT_EQ(query_value("limit", "limit"), "");
  EXPECT_EQ(query_value("xlimit=5", "limit"), std::nullopt);
  EXPECT_EQ(query_value("", "limit"), std::nullopt);
  EXPECT_EQ(query_value("&&=&", "limit"), std::nullopt);
  EXPECT_EQ(query_value("limit=%zz", "limit"), std::nullopt);
}

TEST(ApiFields, WrongTypesAreNamed) {
  const auto body = json::read(R"({"text":7,"flag":"true","number":"5","real":1.5,"texts":["a",7],"map":{"a":7},"none":null})").value();
  EXPECT_EQ(text_field(body.root(), "text").error().code, Code::validation);
  EXPECT_EQ(flag_field(body.root(), "flag", false).error().code, Code::validation);
  EXPECT_EQ(number_field(body.root(), "number", 0).error().code, Code::validation);
  EXPECT_EQ(number_field(body.root(), "real", 0).error().code, Code::validation);
  EXPECT_EQ(texts_field(body.root(), "texts").error().code, Code::validation);
  EXPECT_EQ(map_field(body.root(), "map").error().code, Code::validation);
  EXPECT_EQ(text_field(body.root(), "none", "fallback").value(), "fallback");
  EXPECT_EQ(number_field(body.root(), "absent", 30).value(), 30);
  EXPECT_NE(text_field(body.root(), "text").error().detail.find("text"), std::string::npos);
}

TEST(ApiFields, AMisspeltFieldIsNotPassedOver) {
  const auto body = json::read(R"({"name":"a","can_raed":true})").value();
  EXPECT_TRUE(only_fields(body.root(), {"name", "can_raed"}).has_value());
  EXPECT_EQ(only_fields(body.root(), {"name", "can_read"}).error().detail, "unknown field: can_raed");
}

}  // namespace
}  // namespace sallyport::api
