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

test_other_actions if not allowed(["admin"], "root", "user:write")
