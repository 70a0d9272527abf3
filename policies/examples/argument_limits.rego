# Limits and allow-lists for arguments, by tool. What is not given, or is of another type, is refused too: a limit that
# is passed by leaving the argument out is none.
#
# Arguments exist in phase "call" alone: the tools are listed, and a call with other values is refused.

package tool_access

import rego.v1

# "server/tool": argument: most
most := {"payments/transfer": {"amount": 1000}, "search/query": {"limit": 100}}

# "server/tool": argument: the values that may be
one_of := {"payments/transfer": {"currency": {"EUR", "USD"}}}

# "server/tool": argument: domains of the addresses that may be written to
domains := {"mail/send": {"to": {"example.com", "example.org"}}}

called := sprintf("%s/%s", [input.tool.server, input.tool.name]) if {
	input.action == "execute"
	input.phase == "call"
}

deny contains sprintf("%s: a number, at most %v", [name, limit]) if {
	some name, limit in most[called]
	not within(name, limit)
}

within(name, limit) if {
	is_number(input.arguments[name])
	input.arguments[name] <= limit
}

deny contains sprintf("%s: not one of the values that may be", [name]) if {
	some name, values in one_of[called]
	not input.arguments[name] in values
}

deny contains sprintf("%s: an address of a domain that may not be written to", [name]) if {
	some name, allowed in domains[called]
	not addresses_in(name, allowed)
}

# One address, or a list of them: every one counts, and none is not enough.
addresses_in(name, allowed) if {
	is_string(input.arguments[name])
	address_in(input.arguments[name], allowed)
}

addresses_in(name, allowed) if {
	is_array(input.arguments[name])
	count(input.arguments[name]) > 0
	every address in input.arguments[name] {
		address_in(address, allowed)
	}
}

# local@domain and nothing else: no list in a string, no second @, no display name.
address_in(address, allowed) if {
	regex.match(`^[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+$`, address)
	lower(split(address, "@")[1]) in allowed
}
