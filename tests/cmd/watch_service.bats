#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# ec2hib watch as a service: its manager, signals, configuration, log and life as a daemon.

load ../lib/helpers
load watch

setup_file() { agent_setup_file; }
teardown_file() { agent_teardown_file; }
setup() { agent_setup; }
teardown() {
	[ ! -e /run/test/pid ] || end_daemon
	agent_teardown
}

NOW=2026-01-02T03:04:05Z

children_of() { cat "/proc/$1/task/$1/children"; }

end_daemon() {
	local pid
	pid=$(cat /run/test/pid)
	kill "$pid"
	within 20 is_gone "$pid"
}

@test "the manager hears of start, state, reload and end, and that the agent lives" {
	start_service
	listen /run/test/notify
	export NOTIFY_SOCKET=/run/test/notify WATCHDOG_USEC=400000
	start_agent
	within 20 heard READY=1
	within 20 heard STATUS=watching
	within 20 eval '[ "$(grep -c ^WATCHDOG=1 "$HEARD")" -ge 3 ]'
	spot hibernate "$NOW"
	within 20 heard STATUS=noticed
	within 20 heard STATUS=preparing
	within 20 grep -q '^STATUS=watching; last hibernation .*: refused$' "$HEARD"
	kill -HUP "$AGENT_PID"
	within 20 heard RELOADING=1
	within 20 eval '[ "$(grep -c ^READY=1 "$HEARD")" -eq 2 ]'
	grep -q '^MONOTONIC_USEC=[0-9]' "$HEARD"
	stop_service
	within 20 grep -q '^STATUS=watching; .*Connection refused' "$HEARD"
	stop_agent
	[ "$AGENT_STATUS" -eq 0 ]
	within 20 heard STOPPING=1
	# Nothing is said to a manager by what the agent starts.
	[ "$(grep -c '^READY=1' "$HEARD")" -eq 2 ]
}

@test "a watchdog of somebody else is not ours" {
	start_service
	listen /run/test/notify
	NOTIFY_SOCKET=/run/test/notify WATCHDOG_USEC=400000 WATCHDOG_PID=1 start_agent
	within 20 heard READY=1
	more_polls 5
	! heard WATCHDOG=1
}

@test "SIGHUP reads the configuration again; a broken one changes nothing" {
	start_service
	configure "on-stop = ignore"
	start_agent
	spot stop "$NOW"
	within 20 has_said "notice: stop at $NOW; ignored, as configured"
	configure "on-stop = maybe"
	kill -HUP "$AGENT_PID"
	within 20 has_said "$CONFIG:4"
	has_said "the configuration stays as it was"
	spot stop 2026-01-02T03:05:05Z
	within 20 has_said "notice: stop at 2026-01-02T03:05:05Z; ignored, as configured"
	configure "on-stop = hooks"
	kill -HUP "$AGENT_PID"
	within 20 has_said "the configuration was read again"
	spot stop 2026-01-02T03:06:05Z
	within 20 has_said "notice: stop at 2026-01-02T03:06:05Z"
	said_times "notice: stop at 2026-01-02T03:06:05Z; ignored" 0
	printf '[watch]\npoll-interval = 1min\n' >"$CONFIG"
	kill -HUP "$AGENT_PID"
	within 20 state_is .poll_interval 60000
}

@test "SIGTERM and SIGINT end the agent cleanly, with all that it started" {
	start_service
	put_hook notice/10-hang 'trap "" HUP' 'echo $$ >/run/test/hook' 'exec sleep 1000'
	for signal in TERM INT; do
		rm -rf /run/test/hook /run/ec2hib
		start_agent --pidfile /run/test/pidfile
		[ "$(cat /run/test/pidfile)" = "$AGENT_PID" ]
		spot stop "$NOW"
		within 20 test -s /run/test/hook
		local hook
		hook=$(cat /run/test/hook)
		stop_agent $signal
		[ "$AGENT_STATUS" -eq 0 ]
		[ ! -e /run/test/pidfile ]
		state_is .state stopped
		state_is .pid null
		is_gone "$hook"
	done
}

@test "a second agent is refused, and named the first" {
	start_service
	start_agent
	run watch
	[ "$status" -eq 1 ]
	[ "$output" = "ec2hib: the agent runs already (process $AGENT_PID)" ]
	run watch --once
	[ "$status" -eq 1 ]
	state_is .pid "$AGENT_PID"
}

@test "a daemon returns when the agent has begun, and leaves nothing open" {
	start_service
	# Were one of its descriptors still the test's, this would wait for the daemon's end.
	run timeout 60 "$EC2HIB" --config "$CONFIG" --imds-endpoint "$SERVICE_URL" \
		watch --dry-run --daemon --pidfile /run/test/pid 3>&-
	[ "$status" -eq 0 ]
	[ -z "$output" ]
	local pid
	pid=$(cat /run/test/pid)
	state_is .pid "$pid"
	[ "$(readlink "/proc/$pid/cwd")" = / ]
	for fd in 0 1 2; do
		[ "$(readlink "/proc/$pid/fd/$fd")" = /dev/null ]
	done
	# It leads no session, so no terminal can become its own.
	[ "$(ps -o sid= -p "$pid" | tr -d ' ')" != "$pid" ]
	more_polls 2
	run timeout 60 "$EC2HIB" --config "$CONFIG" --imds-endpoint "$SERVICE_URL" \
		watch --dry-run --daemon --pidfile /run/test/other 3>&-
	[ "$status" -eq 1 ]
	[ "$output" = "ec2hib: the agent runs already (process $pid)" ]
	[ ! -e /run/test/other ]
	[ "$(cat /run/test/pid)" = "$pid" ]
	end_daemon
	[ ! -e /run/test/pid ]
}

@test "a daemon's pidfile can be relative, and what cannot begin says so" {
	start_service
	cd /run/test
	run timeout 60 "$EC2HIB" --config ec2hib.conf --imds-endpoint "$SERVICE_URL" \
		watch --dry-run --daemon --pidfile pid 3>&-
	[ "$status" -eq 0 ]
	kill -HUP "$(cat /run/test/pid)"
	more_polls 2
	state_is .poll_interval 100
	end_daemon
	[ ! -e /run/test/pid ]
	run watch --daemon --once
	[ "$status" -eq 2 ]
	run timeout 60 "$EC2HIB" --config "$CONFIG" --imds-endpoint ftp://nowhere \
		watch --dry-run --daemon 3>&-
	[ "$status" -eq 2 ]
	run timeout 60 "$EC2HIB" --config /run/test/none --imds-endpoint "$SERVICE_URL" \
		watch --dry-run --daemon 3>&-
	[ "$status" -eq 2 ]
}

@test "the journal gets each message once, with its event as a field" {
	start_service
	mkdir -p /run/systemd/journal
	rm -f /run/systemd/journal/socket
	listen /run/systemd/journal/socket
	: >"$LOG"
	JOURNAL_STREAM=$(stat -c '%d:%i' "$LOG") start_agent
	spot stop "$NOW"
	within 20 heard "MESSAGE=notice: stop at $NOW"
	grep -A 3 -xF "MESSAGE=notice: stop at $NOW" "$HEARD" >"$BATS_TEST_TMPDIR/entry"
	diff "$BATS_TEST_TMPDIR/entry" - <<-END
		MESSAGE=notice: stop at $NOW
		PRIORITY=5
		SYSLOG_IDENTIFIER=ec2hib
		EC2HIB_EVENT=notice
	END
	[ ! -s "$LOG" ]
	rm -f /run/systemd/journal/socket
}

@test "syslog gets the messages of a daemon" {
	[ "$(readlink /dev/log)" = /run/systemd/journal/dev-log ] || skip "/dev/log is no link into /run"
	start_service
	mkdir -p /run/systemd/journal
	rm -f /run/systemd/journal/dev-log
	listen /run/systemd/journal/dev-log
	"$EC2HIB" --config "$CONFIG" --imds-endpoint "$SERVICE_URL" watch --dry-run --daemon \
		--pidfile /run/test/pid 3>&-
	within 20 grep -q "^<29>.*ec2hib\[$(cat /run/test/pid)\]: watching " "$HEARD"
	rm -f /run/systemd/journal/dev-log
}

@test "a log to which nobody listens keeps nothing waiting" {
	start_service
	mkfifo /run/test/log
	# Somebody holds it open and does not read.
	exec 9<>/run/test/log
	LOG=/run/test/log begin_agent
	within 20 is_agent
	for minute in 10 11 12 13 14; do
		spot stop "2026-01-02T03:${minute}:05Z"
		within 20 state_is .notice.time "2026-01-02T03:${minute}:05Z"
	done
	stop_agent
	[ "$AGENT_STATUS" -eq 0 ]
	exec 9>&-
}

@test "an agent without standard descriptors writes into no file of its own" {
	start_service
	"$EC2HIB" --config "$CONFIG" --imds-endpoint "$SERVICE_URL" watch --dry-run \
		0<&- 1>&- 2>&- 3>&- &
	AGENT_PID=$!
	within 20 is_agent
	spot stop "$NOW"
	within 20 state_is .notice.kind stop
	more_polls 2
	grep -rlE 'notice: |watching' /run/ec2hib --include='*lock*' && return 1
	stop_agent
	[ "$AGENT_STATUS" -eq 0 ]
}

@test "what the agent does not need it does not hold: descriptors stay few" {
	start_service
	put_hook notice/10-fds 'ls -l /proc/self/fd >/run/test/fds'
	start_agent
	spot stop 2026-01-02T03:04:01Z
	within 20 test -s /run/test/fds
	# Hooks inherit nothing: 0, 1, 2 and the folder that ls itself has open.
	[ "$(grep -c -- '->' /run/test/fds)" -eq 4 ]
	more_polls 3
	local before
	before=$(ls "/proc/$AGENT_PID/fd" | wc -l)
	for minute in 10 11 12 13 14 15; do
		spot stop "2026-01-02T03:${minute}:05Z"
		within 20 state_is .notice.time "2026-01-02T03:${minute}:05Z"
		more_polls 2
	done
	within 20 eval '[ -z "$(children_of "$AGENT_PID")" ]'
	more_polls 2
	[ "$(ls "/proc/$AGENT_PID/fd" | wc -l)" -eq "$before" ]
}
