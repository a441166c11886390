#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# ec2hib watch: what it makes of a metadata service that is away or talks nonsense.

load ../lib/helpers
load watch

setup_file() { agent_setup_file; }
teardown_file() { agent_teardown_file; }
setup() { agent_setup; }
teardown() { agent_teardown; }

NOW=2026-01-02T03:04:05Z

ANSWERS_NOT="no answer from the metadata service, trying again"
ANSWERS_AGAIN="the metadata service answers again, after"

failures_reach() { [ "$(state .failures)" -ge "$1" ]; }

# more_faults N: until so many more requests met a fault.
more_faults() {
	control GET "wait/faults/$(($(counter faults) + $1))/60s" >"$BATS_TEST_TMPDIR/waited"
}

# From a certain port on, so that the service can come back to it.
start_service_again() {
	SERVICE_PLACE=${SERVICE_URL#http://} start_service "$@"
}

@test "a service that goes away and comes back is one line each" {
	start_service
	start_agent
	more_polls 2
	stop_service
	within 20 failures_reach 3
	said_times "$ANSWERS_NOT" 1
	state_is .state watching
	[[ "$(state .error)" == *"Connection refused"* ]]
	start_service_again --spot hibernate
	within 60 has_said "$ANSWERS_AGAIN"
	within 20 state_is .last_cycle.result refused
	said_times "$ANSWERS_NOT" 1
	said_times "$ANSWERS_AGAIN" 1
	within 20 state_is .failures 0
	state_is .error null
}

@test "a service that is away when the agent starts ends nothing" {
	SERVICE_URL=http://127.0.0.1:9
	start_agent
	within 20 failures_reach 2
	state_is .state watching
	state_is .last_poll null
	stop_agent
	[ "$AGENT_STATUS" -eq 0 ]
}

@test "a service that fails for a while is one line each, and asked on" {
	start_service --fault items:error
	start_agent
	within 60 failures_reach 5
	control DELETE faults
	within 60 state_is .failures 0
	more_polls 3
	said_times "$ANSWERS_NOT" 1
	said_times "$ANSWERS_AGAIN" 1
}

@test "nonsense is never a notice, whatever it is, and the true one is heard after it" {
	start_service
	put_hook notice/10-trace 'echo "$EC2HIB_ACTION" >>/run/test/notices'
	start_agent
	for fault in garbage huge cut close error status=500 status=302 status=404 status=200 \
		hang token:garbage token:status=403 token:huge; do
		: >"$LOG"
		control PUT faults "$fault"
		control DELETE tokens
		control PUT items/meta-data/spot/instance-action "{\"action\": \"hibernate\""
		more_faults 2
		control DELETE items/meta-data/spot/instance-action
		control DELETE faults
		within 60 state_is .failures 0
		said_times "notice:" 0
		has_lines /run/test/notices 0
		[ "$(said "$ANSWERS_NOT")" -le 1 ]
	done
	spot stop "$NOW"
	within 20 has_lines /run/test/notices 1
}

@test "answers of the wrong form are no notices, and cost few words" {
	start_service
	start_agent
	for answer in '' hibernate '{}' '[]' 'null' '{"action":"hibernate","time":""}' \
		'{"action":"Hibernate","time":"2026-01-02T03:04:05Z"}' \
		'{"action":"hibernate","time":"now"}' \
		'{"action":"hibernate","time":"2026-02-30T03:04:05Z"}' \
		'{"action":"hibernate","time":"2026-01-02T03:04:05Z"} {}' \
		'{"action":"stop","action":"hibernate","time":"2026-01-02T03:04:05Z"}' \
		'<html><body>hibernate</body></html>'; do
		control PUT items/meta-data/spot/instance-action "$answer"
		more_polls 3
		said_times "notice: " 0
		state_is .failures 0
		control DELETE items/meta-data/spot/instance-action
		more_polls 2
	done
	# The first, its end, and that it comes back.
	said_times "is not understood: " 1
	said_times "is answered as it should be again" 1
	said_times "is not understood, again and again: " 1
	spot stop "$NOW"
	within 20 has_said "notice: stop"
}

@test "a service that fails every other time is a few lines, whatever is asked" {
	start_service --fault items:cut-header=50%
	start_agent
	more_faults 30
	[ "$(said "metadata service")" -le 4 ]
	spot stop "$NOW"
	within 20 has_said "notice: stop"
}

@test "a notice whose time moves with the clock is one notice" {
	start_service
	put_hook notice/10-trace 'echo "$EC2HIB_TIME" >>/run/test/notices'
	start_agent
	local end=$((SECONDS + 4))
	while ((SECONDS < end)); do
		spot stop "$(date -u -d '+2 minutes' +%Y-%m-%dT%H:%M:%SZ)"
		more_polls 1
	done
	said_times "notice: stop" 1
	within 20 has_lines /run/test/notices 1
	# Two minutes later at once is another order.
	spot stop "$(date -u -d '+1 hour' +%Y-%m-%dT%H:%M:%S+00:00)"
	within 20 has_lines /run/test/notices 2
}

@test "a notice without a time is heard each time that it comes" {
	start_service
	put_hook notice/10-trace 'echo "${EC2HIB_TIME:-none}" >>/run/test/notices'
	start_agent
	for count in 1 2; do
		control PUT items/meta-data/spot/instance-action '{"action":"stop"}'
		within 20 has_lines /run/test/notices "$count"
		more_polls 2
		has_lines /run/test/notices "$count"
		control DELETE items/meta-data/spot/instance-action
		more_polls 2
	done
	[ "$(sort -u /run/test/notices)" = none ]
}

@test "a service that is always slower than the time limit is heard all the same" {
	start_service --fault latency=1500ms --spot stop
	AWS_METADATA_SERVICE_TIMEOUT=1 start_agent
	within 60 has_said "notice: stop"
}

@test "tokens that are lost cost no notice and no word" {
	start_service --fault token-loss=2
	put_hook notice/10-trace 'echo "$EC2HIB_ACTION" >>/run/test/notices'
	start_agent
	more_polls 5
	control DELETE tokens
	more_polls 3
	spot stop "$NOW"
	within 20 has_lines /run/test/notices 1
	[ "$(counter tokens)" -ge 4 ]
	said_times "$ANSWERS_NOT" 0
}

@test "a service that is switched off by the environment is not asked" {
	start_service
	AWS_EC2_METADATA_DISABLED=true start_agent
	within 20 has_said "the metadata service is not asked"
	has_said "watching the sleep button; no polls"
	said_times "no polls every" 0
	[ "$(counter requests)" -eq 0 ]
	state_is .state watching
	stop_agent
	[ "$AGENT_STATUS" -eq 0 ]
	AWS_EC2_METADATA_DISABLED=true run watch --once
	[ "$status" -eq 0 ]
}

@test "the service is heard over IPv6" {
	SERVICE_PLACE='[::1]:0' start_service || skip "no IPv6 here"
	start_agent
	spot stop "$NOW"
	within 20 has_said "notice: stop at $NOW"
	[[ "$SERVICE_URL" == "http://[::1]:"* ]]
	state_is .endpoint "$SERVICE_URL"
}

@test "the endpoint and the proxy of the environment: one is used, the other is not" {
	start_service
	AWS_EC2_METADATA_SERVICE_ENDPOINT=$SERVICE_URL http_proxy=http://127.0.0.1:9 \
		"$EC2HIB" --config "$CONFIG" watch --dry-run --once 3>&-
	[ "$(counter polls)" -eq 1 ]
}
