package tool_access_flow_test

import data.tool_access
import rego.v1

denied(carried, tool_labels, phase) if {
	count(tool_access.deny) > 0 with input as {
		"action": "execute", "phase": phase, "granted": true, "time": "2026-11-20T12:00:00Z", "labels": carried,
		"user": {"roles": ["user"], "permissions": ["tool:execute"]},
		"tool": {"name": "t", "server": "s", "security_level": 1, "labels": tool_labels},
	}
}

both := ["private_data", "untrusted_content"]

test_both_and_a_sink if denied(both, ["external_sink"], "call")

test_it_is_not_listed_either if denied(both, ["external_sink"], "list")

test_one_alone_may_send if {
	every label in both {
		not denied([label], ["external_sink"], "call")
	}
}

test_nothing_carried_may_send if not denied([], ["external_sink"], "call")

test_reading_goes_on if not denied(both, ["private_data", "untrusted_content"], "call")

test_a_tool_without_labels if not denied(both, [], "call")
