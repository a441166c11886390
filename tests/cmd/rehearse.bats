#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# ec2hib test-hibernate: its command line and its record. What the kernel does is the lab's.

load ../lib/helpers

setup() {
	READY=${srcdir:-$top_builddir}/tests/fixtures/facts/ready.json
	ROOT=$BATS_TEST_TMPDIR/root
	mkdir -p "$ROOT/etc" "$ROOT/var/lib/ec2hib"
}

# level_ids: as --help of the option's completion has them.
level_ids() {
	"$EC2HIB" __complete -- test-hibernate --level '' | cut -f 1 | xargs
}

@test "a wrong command line begins nothing" {
	for arguments in "--level core,nonsense" "--level ," "--timeout 0" "--timeout soon" \
		"--timeout -1" "--level"; do
		# shellcheck disable=SC2086 # words
		run "$EC2HIB" test-hibernate $arguments
		echo "$arguments: $output"
		[ "$status" -eq 2 ]
	done
	run "$EC2HIB" test-hibernate --level core,nonsense
	[[ "$output" == *'--level: "core,nonsense" is not a list of levels (there are ready, hooks, '*'cycle, or all)' ]]
}

@test "an image cannot be rehearsed" {
	run "$EC2HIB" --root "$ROOT" test-hibernate --level ready
	[ "$status" -eq 2 ]
	[[ "$output" == *"is an image: only the running machine can hibernate"* ]]
}

@test "levels that stop the machine are refused without --yes where nobody can be asked" {
	need_root
	for arguments in "" "--level image" "--level ready,image,cycle" "--level all" "--json"; do
		# shellcheck disable=SC2086 # words
		run "$EC2HIB" test-hibernate $arguments </dev/null
		echo "$arguments: $output"
		[ "$status" -eq 2 ]
		[[ "$output" == *"nothing was begun: without a question image"*" needs --yes"* ]]
	done
	run "$EC2HIB" test-hibernate --level cycle </dev/null
	[[ "$output" == *"without a question cycle needs --yes"* ]]
}

@test "who is not root is told so" {
	need_root
	chmod 755 "$BATS_TEST_TMPDIR"
	cp "$EC2HIB" "$BATS_TEST_TMPDIR/ec2hib"
	run setpriv --reuid 65534 --regid 65534 --clear-groups "$BATS_TEST_TMPDIR/ec2hib" \
		test-hibernate --level ready
	echo "$output"
	[ "$status" -eq 1 ]
	[[ "$output" == *"needs root"* ]]
}

@test "a level is one object in JSON" {
	need_root
	local status=0
	output=$("$EC2HIB" test-hibernate --level ready --json 2>/dev/null) || status=$?
	echo "$output"
	[ "$status" -le 1 ]
	[ "$(jq -r '.levels[].level' <<<"$output")" = ready ]
	[ "$(jq -c '.levels[0] | keys' <<<"$output")" = \
		'["away","estimate","image","level","reason","result","timeline","title"]' ]
	if [ "$status" -eq 0 ]; then
		[ "$(jq -c '[.passed, .error, .levels[0].result, .levels[0].reason]' <<<"$output")" = \
			'[true,null,"passed",null]' ]
	else
		[ "$(jq -c '[.passed, .error, .levels[0].result]' <<<"$output")" = \
			'[false,"the level ready has failed","failed"]' ]
	fi
}

@test "completion offers levels, also behind a comma" {
	[ "$(level_ids)" = "ready hooks freezer devices platform processors core image cycle all" ]
	[ "$("$EC2HIB" __complete -- test-hibernate --level ready,c | cut -f 1 | xargs)" = \
		"ready,core ready,cycle" ]
	[ "$("$EC2HIB" __complete -- test-hibernate --level=im | cut -f 1)" = image ]
}

@test "the manual page has every level and no other" {
	diff <(level_ids | tr ' ' '\n' | grep -vx all) \
		<(sed -n '/^\.Ss The levels/,/^\.Ss/p' "${srcdir:-$top_builddir}/man/ec2hib-test-hibernate.8" |
			sed -n 's/^\.It Cm //p')
}

@test "status tells the furthest level, and what has changed since" {
	run "$EC2HIB" status --from "$READY" rehearsal
	[ "$status" -eq 0 ]
	[[ "$output" == *"pass    rehearsal                passed up to cycle at 2026-01-02T03:04:05Z"* ]]
	changed() {
		jq ".rehearsal.$1" "$READY" >"$BATS_TEST_TMPDIR/facts"
		run "$EC2HIB" status --from "$BATS_TEST_TMPDIR/facts" rehearsal
		echo "$1: $output"
		[[ "$output" == *"warn    rehearsal"*"but since then $2"*"run: ec2hib test-hibernate"* ]]
	}
	changed 'kernel = "5.10.0"' "the kernel was 5.10.0 and is 6.1.0-26-cloud-amd64"
	changed 'area_uuid = "another"' "the swap area is another one"
	changed 'area_offset = 4096' "the swap area lies elsewhere"
	changed 'entry = "another"' "the boot entry is another one"
}

@test "the record is a fact; a damaged one is not taken for none" {
	fact() {
		"$EC2HIB" --root "$ROOT" status --json | jq -c ".facts.rehearsal.$1"
	}
	[ "$(fact level)" = null ]
	echo '{"format": 1, "rehearsal": {"level": "image", "area_offset": 4096}}' \
		>"$ROOT/var/lib/ec2hib/rehearsal.json"
	[ "$(fact level)" = '"image"' ]
	[ "$(fact area_offset)" = 4096 ]
	echo '{"format": 1, "rehearsal":' >"$ROOT/var/lib/ec2hib/rehearsal.json"
	[[ "$(fact level)" == *"is damaged: line 2"* ]]
	echo '{"format": 99, "rehearsal": {}}' >"$ROOT/var/lib/ec2hib/rehearsal.json"
	[[ "$(fact level)" == *"was written by a newer ec2hib"* ]]
}

@test "a marker in an image is left to the machine that it is of" {
	echo '{"format": 1, "level": "image", "boot_id": "x"}' \
		>"$ROOT/var/lib/ec2hib/rehearsal-runs.json"
	run "$EC2HIB" --root "$ROOT" status rehearsal
	[[ "$output" != *"cut short"* ]]
	[ -e "$ROOT/var/lib/ec2hib/rehearsal-runs.json" ]
}

@test "at a terminal levels that stop the machine are asked for" {
	need_root
	run script -qec "'$EC2HIB' test-hibernate --level image,cycle" /dev/null <<<n
	echo "$output"
	[ "$status" -eq 1 ]
	[[ "$output" == *"image: all tasks stand still"* ]]
	[[ "$output" == *"cycle: the machine powers off"* ]]
	[[ "$output" == *"Go on? [y/N]"* ]]
	[[ "$output" == *"Nothing was begun."* ]]
}
