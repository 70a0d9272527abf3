package tool_access_business_hours_test

import data.tool_access
import rego.v1

denied(roles, level, now) if {
	count(tool_access.deny) > 0 with input as {
		"action": "execute", "phase": "call", "granted": true, "time": now, "labels": [],
		"user": {"roles": roles, "permissions": ["tool:execute"]},
		"tool": {"name": "t", "server": "s", "security_level": level, "labels": []},
	}
}

# 2026-11-20 is a Friday.
test_in_hours if {
	every now in ["2026-11-20T08:00:00.000000Z", "2026-11-20T17:59:59.999999Z", "2026-11-16T12:00:00Z"] {
		not denied(["user"], 1, now)
	}
}

test_out_of_hours if {
	every now in ["2026-11-20T07:59:59.999999Z", "2026-11-20T18:00:00Z", "2026-11-21T12:00:00Z", "2026-11-22T12:00:00Z"] {
		denied(["user"], 1, now)
	}
}

test_harmless_tools if not denied(["user"], 0, "2026-11-21T12:00:00Z")

test_administrators if not denied(["admin"], 1, "2026-11-21T12:00:00Z")

test_a_time_that_cannot_be_read if denied(["user"], 1, "yesterday")
