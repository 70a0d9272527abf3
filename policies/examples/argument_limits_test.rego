package tool_access_argument_limits_test

import data.tool_access
import rego.v1

request(phase, server, name, arguments) := {
	"action": "execute", "phase": phase, "granted": true, "time": "2026-11-20T12:00:00Z", "arguments": arguments, "labels": [],
	"user": {"roles": ["user"], "permissions": ["tool:execute"]},
	"tool": {"name": name, "server": server, "security_level": 1, "labels": []},
}

denied(server, name, arguments) if {
	req := request("call", server, name, arguments)
	count(tool_access.deny) > 0 with input as req
}

transfer(amount, currency) := {"amount": amount, "currency": currency}

test_within if {
	not denied("payments", "transfer", transfer(1000, "EUR"))
	not denied("payments", "transfer", transfer(-5, "USD"))
	not denied("other", "transfer", transfer(5000, "XXX"))
}

test_above if denied("payments", "transfer", transfer(1000.01, "EUR"))

test_another_value if denied("payments", "transfer", transfer(1, "RUB"))

test_left_out if {
	denied("payments", "transfer", {"currency": "EUR"})
	denied("payments", "transfer", {"amount": 1})
	denied("mail", "send", {})
}

test_another_type if {
	every amount in ["1", null, [1], {"a": 1}, true] {
		denied("payments", "transfer", transfer(amount, "EUR"))
	}
}

test_domains if {
	not denied("mail", "send", {"to": "ada@example.com"})
	not denied("mail", "send", {"to": ["ada@example.com", "Bob@Example.ORG"]})
	every to in [
		"eve@evil.test", "eve@example.com.evil.test", "ada@example.com,eve@evil.test", "a@b@example.com",
		"eve@evil.test\nada@example.com", "", [], ["ada@example.com", "eve@evil.test"], ["ada@example.com", 7], 7,
	] {
		denied("mail", "send", {"to": to})
	}
}

test_the_list_has_no_arguments if {
	req := object.remove(request("list", "payments", "transfer", {}), ["arguments"])
	count(tool_access.deny) == 0 with input as req
}
