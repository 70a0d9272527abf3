// One record as one line of JSON, and its leaf. Internal to the audit stage.
//
//   {"seq":7,"timestamp":"...","timestamp_epoch":...,"kind":"intent",...,"leaf":"<64 hex digits>"}
//
// The leaf is the RFC 6962 leaf hash of the line without `,"leaf":"..."`, that is, of the object before it was added.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engines/merkle/merkle.h"
#include "request/audit/record.h"
#include "request/audit/segment_seal.h"

namespace sallyport::audit {

inline constexpr std::size_t kFieldBytesMax = 4096;         // of one text field; the rest is cut
inline constexpr std::size_t kArgumentsBytesMax = 64 << 10;
inline constexpr std::size_t kLineBytesMax = 2 << 20;       // a longer one cannot be ours, sealed or not
inline constexpr std::size_t kLeafBytes = 75;               // ,"leaf":"<64>"} less the brace that the object keeps

// Appends the line with its LF to `out`, which must not be empty (the byte before the line is borrowed while hashing).
merkle::Hash append_line(std::string& out, const AuditRecord& record, std::uint64_t seq);

// The same sealed (request/audit/segment_seal.h). On an error `out` is as it was.
Result<merkle::Hash> append_sealed_line(std::string& out, const AuditRecord& record, std::uint64_t seq,
                                        const SegmentSeal& seal);

// "2026-11-20T11:46:44.123456Z"
void append_iso(std::string& out, WallTime time);
// A JSON string with its quotes; bytes that are no UTF-8 become U+FFFD, DEL and C1 controls are escaped (terminals).
void append_string(std::string& out, std::string_view text);

// The object before its leaf was added, and the leaf it carries; nullopt where the line does not have this shape.
struct SplitLine {
  std::string object;
  std::string_view leaf_hex;
};
std::optional<SplitLine> split_line(std::string_view line);
// The leaf where the line is whole and carries the right one.
std::optional<merkle::Hash> check_line(std::string_view line);

}  // namespace sallyport::audit
