#include "storage/approvals.h"

#include <algorithm>

#include "storage/load.h"

namespace sallyport::storage {
namespace {

// A state that nobody knows is none that would let a call pass.
ApprovalState state_of(std::string_view name) {
  const auto found = std::ranges::find(kApprovalStates, name);
  return found == kApprovalStates.end() ? ApprovalState::expired
                                        : static_cast<ApprovalState>(found - kApprovalStates.begin());
}

control::StoredApproval approval_of(const Row& row) {
  control::StoredApproval out;
  Approval& call = out.call;
  call.id = row.text(0);
  call.digest = row.text(1);
  call.principal = row.text(2);
  call.principal_name = row.text(3);
  call.person = row.text(4);
  call.server = row.text(5);
  call.tool = row.text(6);
  call.tool_digest = row.text(7);
  out.sealed = row.text(8);
  call.rule_id = row.text(9);
  call.request_id = row.text(10);
  call.state = state_of(row.text(11));
  call.created_at = from_micros(row.number(12));
  call.expires_at = from_micros(row.number(13));
  call.decided_at = from_micros(row.number(14));
  call.decided_by = row.text(15);
  call.reason = row.text(16);
  call.rounds = static_cast<std::uint32_t>(row.number(17));
  return out;
}

}  // namespace

Result<std::vector<control::StoredApproval>> load_approvals(Sqlite& db) {
  SP_TRY(Statement all, db.prepare("load approvals",
                                   "SELECT id, digest, principal, principal_name, person, server, tool, tool_digest, "
                                   "sealed, rule_id, request_id, state, created_at, expires_at, decided_at, "
                                   "decided_by, reason, rounds FROM approvals ORDER BY created_at, id"));
  std::vector<control::StoredApproval> out;
  for (;;) {
    SP_TRY(const bool more, all.step());
    if (!more) return out;
    out.push_back(approval_of(all.row()));
  }
}

Result<void> put_approval(Sqlite& db, const control::StoredApproval& approval) {
  const Approval& call = approval.call;
  SP_CHECK(db.run("put approval",
                  "INSERT OR REPLACE INTO approvals (id, digest, principal, principal_name, person, server, tool, "
                  "tool_digest, sealed, rule_id, request_id, state, created_at, expires_at, decided_at, decided_by, "
                  "reason, rounds) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                  call.id, call.digest, call.principal, call.principal_name, call.person, call.server, call.tool,
                  call.tool_digest, approval.sealed, call.rule_id, call.request_id, name_of(call.state),
                  to_micros(call.created_at), to_micros(call.expires_at), to_micros(call.decided_at), call.decided_by,
                  call.reason, std::int64_t{call.rounds}));
  return {};
}

Result<void> delete_approvals(Sqlite& db, std::span<const std::string> ids) {
  if (ids.empty()) return {};
  SP_TRY(Statement remove, db.prepare("delete approval", "DELETE FROM approvals WHERE id = ?"));
  for (const std::string& id : ids) SP_CHECK(remove.bind(id).run());
  return {};
}

}  // namespace sallyport::storage
