# Tools above security level 0 are called from Monday to Friday, 8 to 18 o'clock UTC; administrators at any time.
#
# input.time is the time of the gateway. A rule that reads it is decided anew each time.

package tool_access

import rego.v1

opens := 8

closes := 18

working_days := {"Monday", "Tuesday", "Wednesday", "Thursday", "Friday"}

in_business_hours if {
	now := time.parse_rfc3339_ns(input.time)
	time.weekday(now) in working_days
	[hour, _, _] := time.clock(now)
	hour >= opens
	hour < closes
}

deny contains "outside of business hours (Monday to Friday, 8 to 18 o'clock UTC)" if {
	input.action == "execute"
	input.tool.security_level > 0
	not "admin" in input.user.roles
	not in_business_hours
}
