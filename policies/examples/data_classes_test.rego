package tool_access_data_classes_test

import data.tool_access
import rego.v1

denied(roles, carried, tool_labels) if {
	count(tool_access.deny) > 0 with input as {
		"action": "execute", "phase": "call", "granted": true, "time": "2026-11-20T12:00:00Z", "labels": carried,
		"user": {"roles": roles, "permissions": ["tool:execute"]},
		"tool": {"name": "t", "server": "s", "security_level": 1, "labels": tool_labels},
	}
}

test_clearance if {
	not denied(["user"], [], ["class_internal"])
	not denied(["admin"], [], ["class_confidential"])
	not denied(["readonly"], [], [])
	denied(["user"], [], ["class_confidential"])
	denied(["readonly"], [], ["class_internal"])
	denied([], [], ["class_internal"])
}

test_the_highest_role_counts if not denied(["readonly", "admin"], [], ["class_confidential"])

test_no_way_down if {
	denied(["admin"], ["class_confidential"], ["class_internal", "wiki_sink"])
	denied(["user"], ["class_internal"], ["external_sink"])
}

test_ways_up_and_across if {
	not denied(["admin"], ["class_internal"], ["class_confidential", "vault_sink"])
	not denied(["user"], ["class_internal"], ["class_internal", "wiki_sink"])
	not denied(["user"], [], ["external_sink"])
}

test_reading_a_lower_class_goes_on if not denied(["admin"], ["class_confidential"], ["class_internal"])
