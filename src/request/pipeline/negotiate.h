// What the headers of an MCP request say about forms (RFC 9110 12.5.1, 8.3). Pure; any thread.
#pragma once

#include <optional>
#include <string_view>

#include "core/result.h"
#include "net/http_message.h"

namespace sallyport {

// What the gateway offers; each revision is told what it knows of it (mcp/dialect.h).
inline constexpr std::string_view kOffered =
    R"({"tools":{"listChanged":true},"resources":{"subscribe":true,"listChanged":true},"prompts":{"listChanged":true},"logging":{},"completions":{}})";

// Does one element of the Accept header cover `type`? An absent header accepts all; weights are not read.
bool accepts(const net::RequestHead& head, std::string_view type);

// The Content-Type is application/json, with or without parameters.
bool is_json(const net::RequestHead& head);

// A POST of Streamable HTTP sends JSON and takes both forms of an answer (MCP 2025-06-18, Streamable HTTP). Errors:
// unsupported_media, not_acceptable.
Result<void> check_post(const net::RequestHead& head);

// The body is a JSON array, as far as its first character tells.
bool starts_array(std::string_view body);

// What an array is answered with outside of MCP 2025-03-26: invalid_request.
Result<void> no_batches();

// HTTP+SSE: the session that the address of a POST names, "sessionId=..."; nothing where it names none, or two.
std::optional<std::string_view> session_of_query(std::string_view query);

}  // namespace sallyport
