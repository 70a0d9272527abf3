# Who may do what with a tool (S0-12, with the corrections of C20).
#
# Sallyport asks this package on every list, search and call, after the roles have been looked at: a call passes only
# when the roles grant it AND `allow` is true here AND `deny` is empty. Nothing here can give what the roles do not.
#
# What you can look at (the same fields on every call):
#   input.action               "execute", "read", "create", "update" or "delete"
#   input.permission           the same by its whole name, such as "tool:execute"
#   input.phase                "list" when a list or a search is made, "call" when the tool is really called
#   input.method               what is called: "tools/call", or of a server as a whole (input.tool.name is empty then)
#                              "resources/read", "resources/subscribe", "resources/unsubscribe", "prompts/get" or
#                              "completion/complete"; absent in phase "list"
#   input.user.id, .name       who calls; a key has the name that its maker gave it, so go by the id, or ask for the kind too
#   input.user.kind            "user", "key" or "local"
#   input.user.roles           names of the roles it has, such as ["user"]
#   input.user.groups          names of the groups it belongs to
#   input.user.permissions     what it holds on this tool, such as ["tool:read", "tool:execute"]
#   input.granted              true when those permissions contain the one this action needs
#   input.labels               what earlier calls have left with the caller and has not run out, such as ["private_data"]
#   input.server               name of the tool server
#   input.tool.name            the tool, as its server calls it
#   input.tool.server          the same as input.server
#   input.tool.security_level  0 (harmless) to 10
#   input.tool.required        permissions the operator asks for besides, such as ["gmail.send"] (held already)
#   input.tool.labels          what a call of it leaves with the caller
#   input.tool.pin             "approved": a server's tool, called only while it is what was approved; "registered":
#                              one that was registered over REST. Absent for a server as a whole
#   input.tool.untrusted.annotations  what the tool's server says of it ("readOnlyHint", ...). Nobody has checked that:
#                              good for a refusal, never for a permission
#   input.arguments            what the tool is called with; absent in phase "list". Of a server as a whole: {"uri"}, {"name",
#                              "arguments"} of a prompt, {"ref", "argument", "context"} of a completion, as the server has them
#   input.address              where the caller comes from
#   input.time                 now, such as "2026-11-20T11:49:53.000000Z" (time.parse_rfc3339_ns reads it)
#   input.protocol             MCP version of the caller
#   input.resource             "tool:<server>/<tool>"
#
# What you can say beside yes and no: a rule `obligations` binds a call that is allowed. It is asked for in phase "call",
# and one that is not understood refuses the call.
#   obligations contains {"redact": ["ssn"]} if ...          these members of the result are not shown
#   obligations contains {"require_approval": true} if ...   people approve this call first
#   obligations contains {"calls_per_minute": 5} if ...      of this caller to this tool (or server as a whole); the lowest holds
#   obligations contains {"log_full": true} if ...           arguments and result stand in the audit
#
# What is refused in phase "list" is not listed, and what is not listed cannot be called. So a rule about arguments
# belongs under `deny`: `deny contains "too much" if input.arguments.amount > 100` lets the tool be listed, where there
# are no arguments, and refuses the call.
#
# An answer is remembered by the fields that the rules read. Rules that read few of them and name them plainly (input.user.roles,
# not `x := input`) are asked seldom; rules on arguments or the time are asked each time.

package tool_access

import rego.v1

# Without a rule that says yes, the answer is no.
default allow := false

# Tools above this level are for administrators.
max_level := 2

# Some role of the caller is admin. (`"admin" != role` for some role would be another question: it also holds for an
# admin who has a second role. That was the fault of the original, C20.)
is_admin if "admin" in input.user.roles

allow if is_admin

# Users execute tools when they hold tool:execute.
allow if {
	input.action == "execute"
	"user" in input.user.roles
	"tool:execute" in input.user.permissions
}

# Agents execute the tools their key was granted.
allow if {
	input.action == "execute"
	"agent" in input.user.roles
	input.granted
}

# Everyone with a role reads what it may read; readonly and auditor do nothing else with tools.
allow if {
	input.action == "read"
	count(input.user.roles) > 0
	input.granted
}

# Changing the registry needs the very permission, whatever the role (C7: delete is off until granted).
allow if {
	input.action in {"create", "update", "delete"}
	count(input.user.roles) > 0
	input.granted
}

# Roles you define yourself execute what they are granted.
allow if {
	input.action == "execute"
	some role in input.user.roles
	not role in {"admin", "user", "agent", "readonly", "auditor"}
	input.granted
}

# A reason here refuses, whatever `allow` says. The text is shown to the caller.
deny contains "the tool's security level is for administrators" if {
	input.action == "execute"
	input.tool.security_level > max_level
	not is_admin
}
