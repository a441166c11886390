#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# ec2hib watch: what it does about notices.

load ../lib/helpers
load watch

setup_file() { agent_setup_file; }
teardown_file() { agent_teardown_file; }
setup() { agent_setup; }
teardown() { agent_teardown; }

NOW=2026-01-02T03:04:05Z
LATER=2026-01-02T03:06:05Z

refused() { state_is .last_cycle.result refused; }

@test "the agent says in its state file what it does, after each change" {
	start_service
	start_agent
	within 20 has_said "watching $SERVICE_URL every 100 ms"
	state_is .state watching
	state_is .dry_run true
	state_is .endpoint "$SERVICE_URL"
	state_is .poll_interval 100
	[ "$(stat -c %a "$STATE")" = 644 ]
	within 20 eval '[ "$(state .polls)" -ge 2 ]'
	[ "$(state .latency_us)" -gt 0 ]
	[ "$(state .token_age)" -ge 0 ]
	state_is .failures 0
	# One token and one connection serve all of it.
	[ "$(counter tokens)" -eq 1 ]
}

@test "a notice to hibernate is acted on, and the refusal names its reason" {
	start_service
	put_hook notice/10-trace 'env | grep ^EC2HIB_ | sort >>/run/test/notice'
	put_hook failed/10-trace 'env | grep ^EC2HIB_ | sort >>/run/test/failed'
	start_agent
	spot hibernate "$NOW"
	within 20 refused
	within 20 state_is .state watching
	state_is .notice.kind hibernate
	state_is .notice.time "$NOW"
	state_is .last_cycle.reason notice
	state_is .last_cycle.notice_time "$NOW"
	[ "$(state '.acted[].name')" = "hibernate $NOW" ]
	[[ "$(state .last_cycle.message)" == "this machine cannot hibernate now: "* ]]
	said_times "notice: hibernate at $NOW" 1
	said_times "this machine cannot hibernate now" 1
	[ "$(cat /run/test/notice)" = "EC2HIB_ACTION=hibernate
EC2HIB_EVENT=notice
EC2HIB_REASON=notice
EC2HIB_TIME=$NOW" ]
	grep -qx 'EC2HIB_EVENT=failed' /run/test/failed
	grep -qx 'EC2HIB_RESULT=refused' /run/test/failed
	grep -qx 'EC2HIB_ACTION=hibernate' /run/test/failed
	grep -q '^EC2HIB_MESSAGE=this machine cannot hibernate now: ' /run/test/failed
	# The agent lives and asks on.
	more_polls 1
}

@test "a notice is acted on once: also when it comes back, and after a restart" {
	start_service
	put_hook notice/10-trace 'echo "$EC2HIB_TIME" >>/run/test/notices'
	start_agent
	spot hibernate "$NOW"
	within 20 refused
	more_polls 2
	control DELETE spot
	more_polls 2
	spot hibernate "$NOW"
	more_polls 2
	has_lines /run/test/notices 1
	stop_agent
	start_agent
	more_polls 2
	has_lines /run/test/notices 1
	stop_agent KILL
	start_agent
	more_polls 2
	has_lines /run/test/notices 1
	said_times "notice: hibernate" 1
	# Another time is another notice.
	spot hibernate "$LATER"
	within 20 has_lines /run/test/notices 2
	[ "$(tail -n 1 /run/test/notices)" = "$LATER" ]
	within 20 said_times "this machine cannot hibernate now" 2
}

@test "an agent that is killed while a hook runs can be started again at once" {
	start_service
	put_hook notice/10-hang 'echo "$EC2HIB_TIME" >>/run/test/notices' \
		'until [ -e /run/test/go ]; do sleep 0.02; done'
	start_agent
	spot stop "$NOW"
	within 20 has_lines /run/test/notices 1
	stop_agent KILL
	start_agent
	more_polls 2
	has_lines /run/test/notices 1
	touch /run/test/go
}

@test "an agent that ends while a notice waits for its turn leaves it to the next one" {
	start_service
	put_hook notice/10-trace 'echo "$EC2HIB_TIME" >>/run/test/notices'
	mkdir -p /run/ec2hib
	exec 8>/run/ec2hib/lock
	flock 8
	start_agent
	spot hibernate "$NOW"
	within 20 has_lines /run/test/notices 1
	state_is '.acted[0].under_way' true
	# Another ec2hib is waited for as long as ten minutes, but not by who is to end.
	kill -TERM "$AGENT_PID"
	within 20 is_gone "$AGENT_PID"
	wait "$AGENT_PID"
	has_said "stopped while waiting for another ec2hib"
	exec 8>&-
	start_agent
	within 20 refused
	has_lines /run/test/notices 2
	said_times "notice: hibernate at $NOW" 2
	state_is '.acted[0].under_way' false
	# From now on it is answered.
	stop_agent
	start_agent
	more_polls 2
	has_lines /run/test/notices 2
}

@test "an agent that is started by a setup waits for it without a word, then puts things back" {
	start_service
	mkdir -p /run/ec2hib
	echo '{"format":1,"swaps":[],"image_size":null}' >/run/ec2hib/away.json
	exec 8>/run/ec2hib/lock
	flock 8
	# Not a dry run: that one changes nothing at its start.
	"$EC2HIB" --config "$CONFIG" --imds-endpoint "$SERVICE_URL" watch >>"$LOG" 2>&1 3>&- 8>&- &
	AGENT_PID=$!
	within 20 is_agent
	within 20 has_children "$AGENT_PID"
	more_polls 2
	[ -e /run/ec2hib/away.json ]
	said_times "another ec2hib" 0
	exec 8>&-
	within 20 has_said "what a killed hibernation had changed is as before"
	[ ! -e /run/ec2hib/away.json ]
	stop_agent
	[ "$AGENT_STATUS" -eq 0 ]
}

@test "a dry run stops no pre-warm" {
	start_service
	mkdir -p /run/ec2hib
	bash -c 'exec 8<>/run/ec2hib/prewarm.lock; flock 8; echo $$ >&8; exec sleep 1000' 3>&- &
	LISTENER_PID=$!
	within 20 grep -qx "$LISTENER_PID" /run/ec2hib/prewarm.lock
	start_agent
	spot hibernate "$NOW"
	within 20 refused
	kill -0 "$LISTENER_PID"
}

@test "a notice that comes while its agent ends is not lost with its hooks" {
	start_service
	put_hook notice/10-hang 'echo "$EC2HIB_ACTION" >>/run/test/notices' \
		'until [ -e /run/test/go ]; do sleep 0.02; done'
	start_agent
	spot stop "$NOW"
	within 20 has_lines /run/test/notices 1
	stop_agent
	[ "$AGENT_STATUS" -eq 0 ]
	touch /run/test/go
	start_agent
	within 20 has_lines /run/test/notices 2
}

@test "a notice does not wait for items that do not answer" {
	start_service --fault meta-data/events/:hang
	spot stop "$NOW"
	# Long enough that nobody takes the end of that wait for the mend.
	AWS_METADATA_SERVICE_TIMEOUT=600 start_agent
	within 20 has_said "notice: stop at $NOW"
	state_is .polls 0
}

@test "an item that alone is not answered is said as that, once" {
	start_service --fault meta-data/events/:status=500
	start_agent
	within 20 has_said "events/recommendations/rebalance is not answered: "
	more_polls 3
	said_times "events/recommendations/rebalance is not answered: " 1
	said_times "is not understood" 0
	state_is .failures 0
}

# reacts OPTION EVENT BODY KIND: what each value of an on-... key does.
reacts() {
	start_service
	put_hook notice/10-trace 'echo "$EC2HIB_REASON $EC2HIB_ACTION $EC2HIB_DETAIL" >>/run/test/notices'
	for reaction in ignore hooks hibernate; do
		rm -rf /run/ec2hib /run/test/notices
		: >"$LOG"
		control DELETE "$2"
		configure "$1 = $reaction"
		start_agent
		control PUT "$2" "$3"
		within 20 has_said "notice: $4"
		case $reaction in
		ignore) more_polls 2 ;;
		hooks) within 20 has_lines /run/test/notices 1 ;;
		hibernate) within 20 refused ;;
		esac
		more_polls 2
		said_times "; ignored, as configured" "$([ $reaction = ignore ] && echo 1 || echo 0)"
		has_lines /run/test/notices "$([ $reaction = ignore ] && echo 0 || echo 1)"
		said_times "this machine cannot hibernate" "$([ $reaction = hibernate ] && echo 1 || echo 0)"
		said_times "notice: $4" 1
		state_is .notice.kind "$4"
		stop_agent
		[ "$AGENT_STATUS" -eq 0 ]
	done
}

@test "on-stop decides about a notice to stop" {
	reacts on-stop spot "{\"action\": \"stop\", \"time\": \"$NOW\"}" stop
	[ "$(cat /run/test/notices)" = "notice stop " ]
}

@test "on-terminate decides about a notice to terminate" {
	reacts on-terminate spot "{\"action\": \"terminate\", \"time\": \"$NOW\"}" terminate
}

@test "on-rebalance decides about a rebalance recommendation" {
	reacts on-rebalance rebalance '' rebalance
}

@test "on-maintenance decides about a scheduled event" {
	reacts on-maintenance maintenance system-reboot maintenance
	[ "$(cat /run/test/notices)" = "notice maintenance system-reboot" ]
}

@test "on-lifecycle decides about the Auto Scaling group's state" {
	reacts on-lifecycle lifecycle Terminated lifecycle
	[ "$(cat /run/test/notices)" = "notice lifecycle Terminated" ]
}

@test "a lifecycle state is another notice when the instance was in service meanwhile" {
	start_service --lifecycle-state InService
	put_hook notice/10-trace 'echo "$EC2HIB_DETAIL" >>/run/test/notices'
	start_agent
	control PUT lifecycle Warmed:Stopped
	within 20 has_lines /run/test/notices 1
	control PUT lifecycle InService
	within 20 eval '! state_is .acted[].name "lifecycle Warmed:Stopped"'
	control PUT lifecycle Warmed:Stopped
	within 20 has_lines /run/test/notices 2
}

@test "a hundred scheduled events are a hundred notices, once each" {
	local events
	events=$(jq -nc '[range(100) | {Code: "system-reboot", State: "active",
		EventId: "instance-event-\(.)", NotBefore: "2 Jan 2026 03:04:05 GMT"}]')
	start_service --set "meta-data/events/maintenance/scheduled=$events"
	configure "on-maintenance = ignore"
	start_agent
	within 20 said_times "notice: maintenance" 100
	local slow=$(($(counter requests) + 40))
	control GET "wait/requests/$slow/20s" >/dev/null
	said_times "notice: maintenance" 100
}

@test "a hibernation does not wait for a hook of another notice" {
	start_service
	put_hook notice/10-hang '[ "$EC2HIB_ACTION" = rebalance ] || exit 0' \
		'echo hangs >/run/test/hangs' 'until [ -e /run/test/go ]; do sleep 0.02; done'
	start_agent
	control PUT rebalance ''
	within 20 test -s /run/test/hangs
	spot hibernate "$NOW"
	within 20 refused
	[ ! -e /run/test/go ]
	touch /run/test/go
}

@test "a hook that hangs is ended by its time limit, and what it says is in the log" {
	start_service
	configure '[hibernate]' 'hook-timeout = 200ms'
	put_hook notice/10-hang 'echo begins' 'sleep 1000'
	put_hook notice/20-fails 'echo broken >&2' 'exit 3'
	put_hook notice/30-open 'echo never >/run/test/open'
	chmod 777 "$HOOKS/notice/30-open"
	start_agent
	spot hibernate "$NOW"
	within 20 refused
	has_said "notice/10-hang: begins"
	grep -q "notice/10-hang: .*did not end within 0.2 s" "$LOG"
	has_said "notice/20-fails: broken"
	grep -q "notice/20-fails: .*status 3" "$LOG"
	grep -q "notice/30-open: refused: " "$LOG"
	[ ! -e /run/test/open ]
}

@test "a hook that cannot be killed is left behind" {
	truncate -s 16M "$BATS_TEST_TMPDIR/disk"
	mkfs.ext4 -q -F "$BATS_TEST_TMPDIR/disk"
	mkdir /run/test/disk
	mount -o loop "$BATS_TEST_TMPDIR/disk" /run/test/disk || skip "cannot mount here"
	start_service
	configure '[hibernate]' 'hook-timeout = 200ms'
	put_hook notice/10-stuck 'echo x >/run/test/disk/file'
	start_agent
	fsfreeze -f /run/test/disk
	spot stop "$NOW"
	within 20 has_said "cannot be killed" || local failed=yes
	fsfreeze -u /run/test/disk
	within 20 umount /run/test/disk
	[ -z "${failed:-}" ]
	grep -q "notice/10-stuck: .*is left behind" "$LOG"
}

@test "--once looks once, acts, and ends with what came of it" {
	start_service
	run watch --once
	[ "$status" -eq 0 ]
	[ "$(counter polls)" -eq 1 ]
	state_is .state stopped
	spot stop "$NOW"
	put_hook notice/10-trace 'echo "$EC2HIB_ACTION" >>/run/test/notices'
	run watch --once
	[ "$status" -eq 0 ]
	has_lines /run/test/notices 1
	spot hibernate "$NOW"
	run watch --once
	[ "$status" -eq 1 ]
	[[ "$output" == *"ec2hib: this machine cannot hibernate now"* ]]
	run watch --once
	[ "$status" -eq 0 ]
	control PUT faults error
	run watch --once
	[ "$status" -eq 1 ]
	[[ "$output" == *"HTTP status 503"* ]]
	stop_service
	run watch --once
	[ "$status" -eq 1 ]
	[[ "$output" == *"Connection refused"* ]]
}
