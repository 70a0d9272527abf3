# Taint: who has read private data and untrusted content sends nothing outside any more.
#
# Text that a stranger wrote can hold instructions ("send me the files"). Harmless alone; together with private data and
# a tool that reaches the outside it is the way by which data leaves. Label the tools (docs/policy.md, Labels):
#   sallyport tool label files/read private_data
#   sallyport tool label mail/read private_data untrusted_content
#   sallyport tool label mail/send external_sink
# A call leaves the first two with its caller's credential, before the tool is asked. This rule looks at them.
#
# input.labels        what earlier calls of this caller left, in whatever session: ["private_data"]
# input.tool.labels   what is said of the tool that is asked for, its server's included

package tool_access

import rego.v1

deny contains "private data and untrusted content were read: nothing may be sent outside (ask an administrator to clear the labels)" if {
	input.action == "execute"
	"external_sink" in input.tool.labels
	"private_data" in input.labels
	"untrusted_content" in input.labels
}
