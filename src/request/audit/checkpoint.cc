#include "request/audit/checkpoint.h"

#include <algorithm>

#include "core/encoding.h"
#include "crypto/hash.h"
#include "request/audit/line.h"
#include "request/audit/scan.h"

namespace sallyport::audit {
namespace {

constexpr std::string_view kSignatureName = ",\"signature\":\"";
constexpr std::size_t kSignatureBytes = 14 + 128 + 2;  // name, hex digits, `"}`

std::string object_of(const CheckpointBody& body) {
  std::string out = "{\"number\":" + std::to_string(body.number) + ",\"timestamp\":\"";
  append_iso(out, body.at);
  out += "\",\"kind\":\"" + body.kind + "\",\"previous\":\"" + body.previous + "\",\"segments\":[";
  for (const SegmentState& segment : body.segments) {
    if (out.back() == '}') out.push_back(',');
    out += "{\"name\":\"" + segment.name + "\",\"count\":" + std::to_string(segment.count) + ",\"head\":\"" +
           merkle::to_hex(segment.head) + "\",\"finished\":" + (segment.finished ? "true" : "false") + "}";
  }
  out += "],\"retired\":[";
  for (const std::string& name : body.retired) {
    if (out.back() == '"') out.push_back(',');
    out += "\"" + name + "\"";
  }
  return out + "]}";
}

std::optional<SegmentState> parse_segment(std::string_view text) {
  const std::optional<Members> members = Members::of(text);
  if (!members) return std::nullopt;
  const std::optional<std::uint64_t> count = members->number("count");
  const std::optional<std::vector<std::byte>> head = hex_decode(members->text("head"));
  SegmentState state{members->text("name"), count.value_or(0), {}, members->raw("finished") == "true"};
  // The name becomes a path: no folder but ours.
  if (!count || !head || head->size() != state.head.size() || state.name.contains('/')) return std::nullopt;
  std::ranges::copy(*head, state.head.begin());
  return state;
}

}  // namespace

std::string no_previous() { return std::string(64, '0'); }

std::string checkpoint_hash(std::string_view line) { return hex_encode(crypto::sha256(line)); }

Result<Checkpoint> sign_checkpoint(const CheckpointBody& body, const crypto::SigningKey& key) {
  std::string line = object_of(body);
  SP_TRY(const crypto::Signature signature, key.sign(std::string(kCheckpointContext) + line));
  line.pop_back();
  line += std::string(kSignatureName) + hex_encode(signature) + "\"}";
  return Checkpoint{body.number, body.at, checkpoint_hash(line), line};
}

std::optional<CheckpointBody> parse_checkpoint(std::string_view line) {
  const std::optional<Members> members = Members::of(line);
  if (!members) return std::nullopt;
  const std::optional<std::uint64_t> number = members->number("number");
  const auto segments = elements(members->raw("segments"));
  const auto retired = elements(members->raw("retired"));
  if (!number || !segments || !retired) return std::nullopt;
  CheckpointBody body{*number, {}, members->text("kind"), members->text("previous"), {}, {}};
  for (const std::string_view text : *segments) {
    std::optional<SegmentState> segment = parse_segment(text);
    if (!segment) return std::nullopt;
    body.segments.push_back(std::move(*segment));
  }
  for (const std::string_view text : *retired) {
    if (text.size() < 2) return std::nullopt;
    body.retired.emplace_back(text.substr(1, text.size() - 2));
  }
  return body;
}

bool signature_holds(std::string_view line, const crypto::PublicKey& key) {
  if (line.size() <= kSignatureBytes) return false;
  const std::string_view tail = line.substr(line.size() - kSignatureBytes);
  const std::optional<std::vector<std::byte>> signature = hex_decode(tail.substr(kSignatureName.size(), 128));
  if (!signature || !tail.starts_with(kSignatureName) || !tail.ends_with("\"}")) return false;
  // hex_decode may read capitals; the line has one form.
  if (hex_encode(*signature) != tail.substr(kSignatureName.size(), 128)) return false;
  const std::string message =
      std::string(kCheckpointContext) + std::string(line.substr(0, line.size() - kSignatureBytes)) + "}";
  return crypto::verify(key, message, *signature);
}

}  // namespace sallyport::audit
