# Who may do what administrators do: users, keys, servers, policies, the audit (S0-13, with the corrections of C20).
#
# Sallyport asks this package for every administrative action, after the roles have been looked at. The input is the one
# described in tool_access.rego, with
#   input.action      always "admin"
#   input.permission  what is asked for, such as "user:write", "key:read" or "audit:read"

package admin_access

import rego.v1

# Without a rule that says yes, the answer is no.
default allow := false

is_admin if "admin" in input.user.roles

# Auditors read the audit, and nothing else here.
reads_audit if {
	input.permission == "audit:read"
	"auditor" in input.user.roles
}

allow if {
	input.action == "admin"
	is_admin
}

allow if {
	input.action == "admin"
	reads_audit
}

# Who was granted it looks at the calls that wait for approval, and decides about them. An agent never does.
is_approver if {
	input.permission in {"approval:read", "approval:write"}
	input.permission in input.user.permissions
	not "agent" in input.user.roles
}

allow if {
	input.action == "admin"
	is_approver
}

# Every other administrative action is refused, by name, so that a rule added above by mistake does not open it.
deny contains "administrative actions are for administrators" if {
	not is_admin
	not reads_audit
	not is_approver
}
