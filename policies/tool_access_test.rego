# The golden table of C20. Run by `sallyport policy test` and by the unit tests.
package tool_access_test

import data.tool_access
import rego.v1

request(roles, permissions, granted, action, level) := {
	"action": action,
	"phase": "call",
	"granted": granted,
	"user": {"id": "user:1", "name": "u", "kind": "user", "roles": roles, "permissions": permissions},
	"server": "calculator",
	"tool": {"name": "add", "server": "calculator", "security_level": level, "required": [], "labels": []},
	"resource": "tool:calculator/add",
	"labels": [],
	"time": "2026-11-20T12:00:00.000000Z",
}

allowed(roles, permissions, granted, action, level) if {
	req := request(roles, permissions, granted, action, level)
	tool_access.allow with input as req
	count(tool_access.deny) == 0 with input as req
}

test_admin_any_level if {
	every level in [0, 2, 3, 10] {
		allowed(["admin"], ["tool:execute"], true, "execute", level)
	}
}

test_user_with_execute if allowed(["user"], ["tool:read", "tool:execute"], true, "execute", 2)

test_user_without_execute if not allowed(["user"], ["tool:read"], false, "execute", 1)

test_user_high_level if not allowed(["user"], ["tool:execute"], true, "execute", 3)

test_user_and_admin_high_level if allowed(["user", "admin"], ["tool:execute"], true, "execute", 3)

test_agent_granted if allowed(["agent"], ["tool:execute"], true, "execute", 2)

test_agent_not_granted if not allowed(["agent"], [], false, "execute", 1)

test_agent_granted_high_level if not allowed(["agent"], ["tool:execute"], true, "execute", 3)

test_readonly_execute if not allowed(["readonly"], ["tool:read", "tool:execute"], true, "execute", 1)

test_readonly_read if allowed(["readonly"], ["tool:read"], true, "read", 1)

test_no_role if {
	every action in ["read", "execute", "create", "delete"] {
		not allowed([], ["tool:read", "tool:execute"], true, action, 1)
	}
}

test_custom_role if allowed(["analyst"], ["tool:execute"], true, "execute", 1)

test_unknown_action if not allowed(["user"], ["tool:execute"], true, "fly", 1)
