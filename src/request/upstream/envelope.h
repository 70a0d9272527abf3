// Wire messages of ours towards a tool server, cut from checked text: what the codecs of both eras share. Pure; any
// thread.
#pragma once

#include <string>
#include <string_view>

#include "core/result.h"

namespace sallyport::upstream {

// The JSON-RPC message; `id` empty: a notification; `params` empty: none.
std::string envelope(std::string_view id, std::string_view method, std::string_view params);

// One message a line: a line break in what we send would be a second message on a pipe (design, principle 4). Errors:
// invalid_params.
Result<std::string> one_line(std::string text);

// The members of the raw object `meta` that pass on to the next hop, comma-separated, without braces: not progressToken,
// nothing below io.modelcontextprotocol/ (mcp-spec.md, 8: hop keys are stripped and made anew).
std::string surviving_meta(std::string_view meta);

// `params` (raw object or empty) with `_meta` replaced by `meta_members` (comma-separated); without it where they are
// empty.
std::string with_meta(std::string_view params, std::string_view meta_members);

}  // namespace sallyport::upstream
