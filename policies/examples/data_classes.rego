# Data classes: who may read which class, and no way for it to a lower one.
#
# Label each tool with its class, and what writes or sends with a sink (names of your own; docs/policy.md, Labels):
#   sallyport tool label hr/salaries class_confidential
#   sallyport tool label wiki/read class_internal
#   sallyport tool label wiki/edit class_internal wiki_sink
# A call leaves the class with its caller. A tool without a class is public.

package tool_access

import rego.v1

rank_of_class := {"class_public": 0, "class_internal": 1, "class_confidential": 2}

# What roles may read; who has several may what the highest of them may. Roles that are not named here: public alone.
clearance_of_role := {"admin": 2, "user": 1, "agent": 1}

tool_class := max({0} | {rank_of_class[label] | some label in input.tool.labels})

carried_class := max({0} | {rank_of_class[label] | some label in input.labels})

clearance := max({0} | {clearance_of_role[role] | some role in input.user.roles})

is_sink if {
	some label in input.tool.labels
	endswith(label, "_sink")
}

deny contains "this data class is above the caller's clearance" if {
	input.action == "execute"
	tool_class > clearance
}

deny contains "data of a higher class was read: it does not go into a lower one" if {
	input.action == "execute"
	is_sink
	carried_class > tool_class
}
