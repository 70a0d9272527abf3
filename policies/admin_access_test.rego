package admin_access_test

import data.admin_access
import rego.v1

allowed(roles, action, permission) if {
	req := {"action": action, "permission": permission, "granted": true, "user": {"roles": roles, "permissions": [permission]}}
	admin_access.allow with input as req
	count(admin_access.deny) == 0 with input as req
}

test_admin if allowed(["admin"], "admin", "user:write")

test_admin_with_another_role if allowed(["readonly", "admin"], "admin", "policy:write")

test_everyone_else if {
	every role in ["user", "agent", "readonly", "auditor", "custom"] {
		not allowed([role], "admin", "user:write")
	}
}

test_no_role if not allowed([], "admin", "audit:read")

test_auditor_reads_the_audit if allowed(["auditor"], "admin", "audit:read")

test_approver_decides_about_calls if {
	every permission in ["approval:read", "approval:write"] {
		allowed(["approver"], "admin", permission)
		not allowed(["agent"], "admin", permission)
		not allowed(["approver", "agent"], "admin", permission)
	}
}

test_approver_needs_the_permission_itself if {
	req := {"action": "admin", "permission": "approval:write", "granted": false, "user": {"roles": ["user"], "permissions": ["approval:read"]}}
	not admin_access.allow with input as req
	count(admin_access.deny) == 1 with input as req
}

test_approver_does_nothing_else if not allowed(["approver"], "admin", "policy:write")

test_other_actions if not allowed(["admin"], "root", "user:write")
