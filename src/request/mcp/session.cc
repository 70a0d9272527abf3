#include "request/mcp/session.h"

#include <algorithm>
#include <charconv>

#include "core/encoding.h"
#include "core/secret.h"
#include "crypto/hash.h"

namespace sallyport::mcp {

ClientSessionPtr SessionTable::find(std::string_view id, std::string_view principal_id, std::string_view scope) const {
  const auto found = sessions_.find(id);
  if (found == sessions_.end()) return nullptr;
  const auto& session = found->second;
  return session->principal->id == principal_id && session->scope == scope ? session : nullptr;
}

void SessionTable::put(ClientSessionPtr session) {
  erase(session->id);
  by_principal_[session->principal->id].push_back(session);
  sessions_[session->id] = std::move(session);
}

void SessionTable::erase(const std::string& id) {
  const auto found = sessions_.find(id);
  if (found == sessions_.end()) return;
  const auto mine = by_principal_.find(found->second->principal->id);
  std::erase(mine->second, found->second);
  if (mine->second.empty()) by_principal_.erase(mine);
  sessions_.erase(found);
}

std::span<const ClientSessionPtr> SessionTable::of(std::string_view principal_id) const {
  const auto found = by_principal_.find(principal_id);
  return found == by_principal_.end() ? std::span<const ClientSessionPtr>() : found->second;
}

std::vector<ClientSessionPtr> SessionTable::all() const {
  std::vector<ClientSessionPtr> out;
  out.reserve(sessions_.size());
  for (const auto& [id, session] : sessions_) out.push_back(session);
  return out;
}

namespace {

std::string tag_of(std::span<const std::byte> key, std::string_view binding, std::string_view offset) {
  const std::string message = std::string(binding) + '\0' + std::string(offset);
  const crypto::Digest mac = crypto::hmac_sha256(key, message);
  return base64url_encode(std::span(mac).first(16));
}

}  // namespace

std::string Cursors::make(std::string_view binding, std::size_t offset) const {
  const std::string number = std::to_string(offset);
  return number + "." + tag_of(key_, binding, number);
}

Result<std::size_t> Cursors::open(std::string_view binding, std::string_view cursor) const {
  const auto dot = cursor.find('.');
  const auto number = cursor.substr(0, dot);
  std::size_t offset = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), offset);
  const bool shaped = dot != std::string_view::npos && error == std::errc() && end == number.data() + number.size();
  if (!shaped || !equal_constant_time(as_bytes(cursor.substr(dot + 1)), as_bytes(tag_of(key_, binding, number)))) {
    return fail(Code::invalid_params, "a cursor that was not made here");
  }
  return offset;
}

}  // namespace sallyport::mcp
