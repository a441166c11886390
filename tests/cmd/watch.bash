# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# shellcheck disable=SC2034 # the tests use what is set here
# shellcheck disable=SC2119,SC2120 # and call with and without arguments
# What the tests of the agent share. The agent is the shipped one, with --dry-run, and lives in a mount
# namespace of its own: /run and /etc are the test's, and /sys/power/state is one that cannot
# hibernate, so that the machine is safe whatever the agent does.

: "${DATAGRAMS:=$top_builddir/tests/lib/datagrams}"
STATE=/run/ec2hib/watch.json
HOOKS=/etc/ec2hib/hooks.d

# Once for a file of tests: run-bats gives it the namespace.
agent_setup_file() {
	need_root
	[ -n "${PRIVATE_MOUNTS:-}" ] || skip "needs a mount namespace of its own (tests/lib/run-bats)"
	mkdir "$BATS_FILE_TMPDIR/etc"
	mount -t tmpfs tmpfs "$BATS_FILE_TMPDIR/etc"
	cp -a /etc/. "$BATS_FILE_TMPDIR/etc"
	chmod 755 "$BATS_FILE_TMPDIR/etc"
	rm -rf "$BATS_FILE_TMPDIR"/etc/ec2hib*
	mount --bind "$BATS_FILE_TMPDIR/etc" /etc
	echo "freeze mem" >"$BATS_FILE_TMPDIR/state"
	[ ! -e /sys/power/state ] || mount --bind "$BATS_FILE_TMPDIR/state" /sys/power/state
	mount -t tmpfs -o mode=755 tmpfs /run
}

agent_teardown_file() {
	[ -n "${PRIVATE_MOUNTS:-}" ] || return 0
	umount /run
	! mountpoint -q /sys/power/state || umount /sys/power/state
	umount /etc
	umount "$BATS_FILE_TMPDIR/etc"
}

agent_setup() {
	need_service
	rm -rf /etc/ec2hib /run/ec2hib /run/test
	mkdir -p /run/test "$HOOKS"/{notice,pre-hibernate,post-resume,failed}
	export AWS_EC2_METADATA_DISABLED=false
	unset NOTIFY_SOCKET WATCHDOG_USEC WATCHDOG_PID JOURNAL_STREAM
	CONFIG=/run/test/ec2hib.conf LOG=$BATS_TEST_TMPDIR/agent.log
	AGENT_PID='' LISTENER_PID=''
	configure
}

agent_teardown() {
	# What the agent said belongs to a failure.
	[ ! -f "$LOG" ] || tail -n 40 "$LOG" | sed 's/^/log: /'
	end_of "$AGENT_PID"
	end_of "$LISTENER_PID"
	stop_service
}

# end_of PROCESS: kills one of ours.
end_of() {
	[ -n "$1" ] && kill -0 "$1" 2>/dev/null || return 0
	kill -KILL "$1"
	wait "$1" 2>/dev/null || true
}

# configure LINE...: the agent's configuration, with what makes a test fast.
configure() {
	{
		printf '[watch]\npoll-interval = 100ms\nslow-poll-interval = 1s\n'
		printf '%s\n' "$@"
	} >"$CONFIG"
}

# watch OPTION...: the agent in the foreground, to its end.
watch() {
	"$EC2HIB" --config "$CONFIG" ${SERVICE_URL:+--imds-endpoint "$SERVICE_URL"} \
		watch --dry-run "$@" 3>&-
}

# begin_agent OPTION...: the agent in the background; AGENT_PID.
begin_agent() {
	"$EC2HIB" --config "$CONFIG" --imds-endpoint "$SERVICE_URL" watch --dry-run "$@" \
		>>"$LOG" 2>&1 3>&- &
	AGENT_PID=$!
}

has_children() { [ -n "$(cat "/proc/$1/task/$1/children")" ]; }
is_gone() { [ ! -e "/proc/$1" ]; }
is_agent() { [ "$(state .pid)" = "$AGENT_PID" ]; }

# start_agent OPTION...: until it has written its state.
start_agent() {
	begin_agent "$@"
	within 20 is_agent
}

# stop_agent [SIGNAL]: AGENT_STATUS is how it ended.
stop_agent() {
	kill "-${1:-TERM}" "$AGENT_PID"
	AGENT_STATUS=0
	wait "$AGENT_PID" || AGENT_STATUS=$?
	AGENT_PID=
}

# state FILTER: of the state file.
state() { jq -r "$1" "$STATE" 2>/dev/null; }
state_is() { [ "$(state "$1")" = "$2" ]; }

# said TEXT: how often the log has it.
said() { grep -cF -- "$1" "$LOG" || true; }
has_said() { grep -qF -- "$1" "$LOG"; }
said_times() { [ "$(said "$1")" -eq "$2" ]; }

# more_polls N: until so many more notices were asked for, and the last but one was dealt with.
more_polls() {
	control GET "wait/polls/$(($(counter polls) + $1 + 1))/20s" >"$BATS_TEST_TMPDIR/waited"
}

# put_hook EVENT/NAME LINE...: a hook of these lines.
put_hook() {
	{
		echo '#!/bin/bash'
		printf '%s\n' "${@:2}"
	} >"$HOOKS/$1"
	chmod 755 "$HOOKS/$1"
}

# has_lines FILE N
has_lines() {
	local count=0
	[ ! -e "$1" ] || count=$(wc -l <"$1")
	[ "$count" -eq "$2" ]
}

# spot ACTION TIME: the notice that the service has from now on.
spot() { control PUT spot "{\"action\": \"$1\", \"time\": \"$2\"}"; }

# listen SOCKET...: what comes there is in $HEARD.
listen() {
	HEARD=$BATS_TEST_TMPDIR/heard
	"$DATAGRAMS" "$@" >"$HEARD" 3>&- &
	LISTENER_PID=$!
	within 20 grep -q '^listening$' "$HEARD"
}
heard() { grep -qxF -- "$1" "$HEARD"; }
