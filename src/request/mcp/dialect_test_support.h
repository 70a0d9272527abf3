// For tests of the dialect: the five revisions by short names, as mcp-spec.md section 9 calls them.
#pragma once

#include <array>

#include "request/mcp/dialect.h"

namespace sallyport::mcp::dialect_test {

inline constexpr Revision L1 = Revision::r2024_11_05;
inline constexpr Revision L2 = Revision::r2025_03_26;
inline constexpr Revision L3 = Revision::r2025_06_18;
inline constexpr Revision L4 = Revision::r2025_11_25;
inline constexpr Revision M = Revision::r2026_07_28;
inline constexpr std::array<Revision, 5> kAll{L1, L2, L3, L4, M};

// What close_modern puts at the end of each result for a modern client.
inline std::string server_info() {
  return R"("io.modelcontextprotocol/serverInfo":{"name":"sallyport","title":"Sallyport","version":")" SALLYPORT_VERSION
         R"("})";
}
inline std::string modern_end() { return R"("resultType":"complete","_meta":{)" + server_info() + "}}"; }

}  // namespace sallyport::mcp::dialect_test
