#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# The command line itself: help, errors, exit statuses, saved facts, completion.

load ../lib/helpers

facts_file() {
	echo "${srcdir:-$top_builddir}/tests/fixtures/facts/ready.json"
}

@test "--help names every command" {
	run "$EC2HIB" --help
	[ "$status" -eq 0 ]
	for command in status setup teardown prewarm history imds help version; do
		[[ "$output" == *"  $command "* ]]
	done
}

@test "no command at all shows the help and is a usage error" {
	run "$EC2HIB"
	[ "$status" -eq 2 ]
	[[ "$output" == Usage:* ]]
}

@test "every command has --help that fits a screen" {
	for command in status setup teardown prewarm history imds 'imds get' 'imds serve' help version; do
		# shellcheck disable=SC2086
		run "$EC2HIB" $command --help
		[ "$status" -eq 0 ]
		[[ "${lines[0]}" == "Usage: ec2hib $command"* ]]
		[ "${#lines[@]}" -le 34 ]
		for line in "${lines[@]}"; do [ "${#line}" -le 90 ]; done
	done
}

@test "wrong words are usage errors that say what is wrong" {
	local -a cases=(
		'frobnicate|there is no command "frobnicate"'
		'status --frob|unrecognized option'
		'status nonsense-check|there is no check "nonsense-check"'
		'--color blue status|--color: "blue" is not one of auto, always, never'
		'setup --prewarm maybe|--prewarm: "maybe" is not one of auto, yes, no, background'
		'imds|imds needs one more word'
		'imds frob|there is no command "imds frob"'
		'help imds get more|help takes one command: "more" is too many'
		'help imds frob|there is no command "imds frob"'
		'imds get --frob|see ec2hib imds get --help'
		'setup extra|setup takes no operand: "extra"'
		'setup --size|requires an argument'
		'setup --size big|--size: "big" is not a size (examples: 8G, 50%, auto)'
		'setup --size 0|--size: "0" is not a size'
		'setup --size -5G|--size: "-5G" is not a size'
		'setup --swapfile swap|--swapfile is "swap"'
		'setup --swapfile /a --swap-device /dev/b|--swapfile and --swap-device exclude each other'
		'--root= status|--root is empty'
		'setup --size= -n|--size is empty'
		'setup --size 0% -n|--size: "0%" is not a size'
		'setup --take-over --no-service|--take-over and --no-service exclude each other'
		'teardown --swapfile /a --swap-device /dev/b|--swapfile and --swap-device exclude each other'
		'watch --daemon --once|--daemon and --once exclude each other'
		'hibernate --method fast|--method: "fast" is not one of auto, direct, systemd'
		'prewarm --depth 65|--depth: "65" is not a number from 1 to 64'
		'imds get /a//b|"/a//b" is not a path of the metadata service'
		'status --frob|see ec2hib status --help'
		'--frob status|ec2hib: unrecognized option'
		'setup --frob|ec2hib: unrecognized option'
		'help status setup|help takes one command: "setup" is too many'
		'help __complete|there is no command "__complete"'
		'setup --swapfile /a/../b|--swapfile is "/a/../b"'
		'--root /no/such status|cannot open the root folder /no/such'
		'--config /no/such status|cannot read /no/such'
		'status --from /no/such|cannot read /no/such: No such file'
		'status --from /tmp|cannot read /tmp: Is a directory'
		'status --from x --root /|--from and --root exclude each other'
		'status --from x --config y|--from and --config exclude each other'
		'status --from x --imds-endpoint http://y|--from and --imds-endpoint exclude each other'
		'--imds-endpoint ftp://x status|ftp://x'
	)
	for case in "${cases[@]}"; do
		# shellcheck disable=SC2086
		run "$EC2HIB" ${case%%|*} </dev/null
		echo "$case: $status: $output"
		[ "$status" -eq 2 ]
		[[ "$output" == *"${case#*|}"* ]]
	done
}

@test "a word that is a typing error away from a command says which" {
	local -a cases=(
		'statsu|status' 'stauts|status' 'statuss|status' 'satus|status' 'ststus|status'
		'setpu|setup' 'hibernat|hibernate' 'test-hibernaet|test-hibernate' 'tuo|tui'
		'imds gte|imds get' 'imds sevre|imds serve' 'help statsu|status'
		'help imds gte|imds get'
	)
	for case in "${cases[@]}"; do
		# shellcheck disable=SC2086
		run "$EC2HIB" ${case%%|*}
		echo "$case: $status: $output"
		[ "$status" -eq 2 ]
		[[ "$output" == "ec2hib: there is no command \"${case%%|*}\"; did you mean \"${case#*|}\"?" ||
			"$output" == "ec2hib: there is no command \"$(cut -d ' ' -f 2- <<<"${case%%|*}")\"; did you mean \"${case#*|}\"?" ]]
	done
	# Too far away from any; and nobody is sent to what is not for people.
	for word in st stat foo fooled complete __complet "$(printf 'x%.0s' {1..100})"; do
		run "$EC2HIB" "$word"
		echo "$word: $output"
		[ "$status" -eq 2 ]
		[[ "$output" == *"; ec2hib --help lists them" ]]
	done
}

@test "a program ec2hib-NAME goes before a guess" {
	mkdir "$BATS_TEST_TMPDIR/bin"
	printf '#!/bin/sh\necho mine\n' >"$BATS_TEST_TMPDIR/bin/ec2hib-statsu"
	chmod +x "$BATS_TEST_TMPDIR/bin/ec2hib-statsu"
	PATH=$BATS_TEST_TMPDIR/bin:$PATH run "$EC2HIB" statsu
	[ "$status" -eq 0 ]
	[ "$output" = mine ]
}

@test "what works on a running machine alone refuses an image, and says why" {
	mkdir "$BATS_TEST_TMPDIR/image"
	while IFS='|' read -r command why; do
		# shellcheck disable=SC2086
		run "$EC2HIB" --root "$BATS_TEST_TMPDIR/image" $command </dev/null
		echo "$command: $status: $output"
		[ "$status" -eq 2 ]
		[ "$output" = "ec2hib: $BATS_TEST_TMPDIR/image is an image: $why" ]
	done <<-'END'
		hibernate|only the running machine can hibernate
		hibernate --dry-run|only the running machine can hibernate
		test-hibernate --yes|only the running machine can hibernate
		watch --once|only a running machine can be watched
		prewarm|what is cold is the volume of a running machine
		prewarm --status|what is cold is the volume of a running machine
	END
}

@test "what only root may do says so to others, what changes nothing does not" {
	need_root
	chmod 755 "$BATS_TEST_TMPDIR" "$BATS_RUN_TMPDIR" "$(dirname "$BATS_TEST_TMPDIR")"
	install -m 755 "$EC2HIB" "$BATS_TEST_TMPDIR/ec2hib"
	as_nobody() {
		setpriv --reuid 65534 --regid 65534 --clear-groups "$BATS_TEST_TMPDIR/ec2hib" "$@"
	}
	for command in 'setup --yes' 'setup --dry-run' 'teardown --yes' hibernate prewarm \
		'prewarm --stop' 'test-hibernate --level ready' 'watch --once' 'watch --once --dry-run'; do
		# shellcheck disable=SC2086
		run as_nobody $command </dev/null
		echo "$command: $status: $output"
		[ "$status" -eq 1 ]
		[ "$output" = "ec2hib: ${command%% *} needs root: run it with sudo" ]
	done
	for command in status 'hibernate --dry-run' 'prewarm --status' history; do
		# shellcheck disable=SC2086
		run as_nobody $command </dev/null
		echo "$command: $status: $output"
		[[ "$output" != *"needs root"* ]]
	done
}

@test "help COMMAND shows the manual page, and the short help where there is none" {
	mkdir -p "$BATS_TEST_TMPDIR/man/man8" "$BATS_TEST_TMPDIR/bin"
	printf '.TH EC2HIB-STATUS 8\n.SH NAME\nec2hib-status \\- a page\n' \
		>"$BATS_TEST_TMPDIR/man/man8/ec2hib-status.8"
	if command -v man; then
		MANPATH=$BATS_TEST_TMPDIR/man run "$EC2HIB" help status
		echo "$output"
		[ "$status" -eq 0 ]
		[[ "$output" == *"a page"* ]]
	fi
	printf '#!/bin/sh\nexit 16\n' >"$BATS_TEST_TMPDIR/bin/man"
	chmod +x "$BATS_TEST_TMPDIR/bin/man"
	for command in status setup teardown help version; do
		PATH=$BATS_TEST_TMPDIR/bin:$PATH run "$EC2HIB" help $command
		echo "$output"
		[ "$status" -eq 0 ]
		[[ "${lines[0]}" == "Usage: ec2hib $command"* ]]
	done
}

# at_terminal KEYS COMMAND...: runs it at a terminal of its own, where KEYS are typed.
at_terminal() {
	local keys=$1
	shift
	# script(1) takes its input as typed; the program has to ask before it reads.
	(sleep 1; printf '%b' "$keys"; sleep 1) | script -qec "$*" /dev/null | tr -d '\r'
}

@test "at a terminal setup asks: y in any case applies, all else changes nothing" {
	need_root
	command -v script || skip "script is not installed"
	make_image ext4 200M
	for keys in 'n\n' '\n' '\004'; do
		run at_terminal "$keys" "'$EC2HIB' --root '$IMAGE' setup --size 20M; echo status=\$?"
		echo "$keys: $output"
		[[ "$output" == *"Apply this plan? [y/N]"* ]]
		[[ "${lines[-2]}" == "Nothing was changed." ]]
		[[ "${lines[-1]}" == status=1 ]]
		[ ! -e "$IMAGE/swap" ]
	done
	for keys in 'y\n' 'Y\n' 'Yes\n'; do
		run at_terminal "$keys" "'$EC2HIB' --root '$IMAGE' setup --size 20M; echo status=\$?"
		echo "$keys: $output"
		[[ "${lines[-1]}" == status=0 ]]
		[ -e "$IMAGE/swap" ]
		"$EC2HIB" --root "$IMAGE" teardown -q -y
	done
	drop_image
}

@test "an unknown command runs ec2hib-NAME from PATH" {
	mkdir "$BATS_TEST_TMPDIR/bin"
	printf '#!/bin/sh\necho "hello $*"; exit 7\n' >"$BATS_TEST_TMPDIR/bin/ec2hib-greet"
	chmod +x "$BATS_TEST_TMPDIR/bin/ec2hib-greet"
	PATH=$BATS_TEST_TMPDIR/bin:$PATH run "$EC2HIB" greet a b
	[ "$status" -eq 7 ]
	[ "$output" = "hello a b" ]
}

@test "saved facts give the same answer on any machine" {
	run "$EC2HIB" status --from "$(facts_file)"
	[ "$status" -eq 0 ]
	[[ "${lines[-1]}" == "ready to hibernate: 0 failed"* ]]
	"$EC2HIB" status --json --from "$(facts_file)" >"$BATS_TEST_TMPDIR/1"
	"$EC2HIB" status --json --from "$BATS_TEST_TMPDIR/1" >"$BATS_TEST_TMPDIR/2"
	cmp "$BATS_TEST_TMPDIR/1" "$BATS_TEST_TMPDIR/2"
	"$EC2HIB" status --json --from - <"$BATS_TEST_TMPDIR/1" | cmp - "$BATS_TEST_TMPDIR/1"
}

@test "status --describe has each fact of --json, with its type, and no other" {
	# A line a fact, "swaps[].path string"; the type of what is absent is not known.
	"$EC2HIB" status --json --from "$(facts_file)" | jq -r '.facts | paths as $path |
		select($path | last | type == "string") |
		($path | map(if type == "number" then "[]" else "." + . end) | add | ltrimstr(".")) +
		" " + (getpath($path) | if type == "number" then "integer" else type end)' |
		sort -u >"$BATS_TEST_TMPDIR/facts"
	"$EC2HIB" status --describe --json | jq -r '.facts[] | .path + " " + .type' |
		sort >"$BATS_TEST_TMPDIR/described"
	diff <(cut -d ' ' -f 1 "$BATS_TEST_TMPDIR/described") \
		<(cut -d ' ' -f 1 "$BATS_TEST_TMPDIR/facts" | sort -u)
	[ -z "$(grep -v ' null$' "$BATS_TEST_TMPDIR/facts" | comm -13 "$BATS_TEST_TMPDIR/described" -)" ]
	# The text says the same.
	diff <(cut -d ' ' -f 1 "$BATS_TEST_TMPDIR/described") \
		<("$EC2HIB" status --describe | cut -d ' ' -f 1 | sort)
	for words in '--from x' swap-size; do
		run "$EC2HIB" status --describe $words
		[ "$status" -eq 2 ]
	done
}

@test "nothing of this machine counts for saved facts" {
	AWS_METADATA_SERVICE_TIMEOUT=nonsense run "$EC2HIB" status --from "$(facts_file)"
	[ "$status" -eq 0 ]
	[[ "${lines[-1]}" == "ready to hibernate: 0 failed"* ]]
	# So it is with a configuration that is broken; only root can put one there.
	need_root
	unshare --mount true 2>/dev/null || skip "no mount namespace here"
	mkdir "$BATS_TEST_TMPDIR/etc"
	printf '[swap]\ntarget-size-mb = lots\n' >"$BATS_TEST_TMPDIR/etc/ec2hib.conf"
	cp "$(facts_file)" "$BATS_TEST_TMPDIR/facts"
	run unshare --mount sh -c "mount --bind '$BATS_TEST_TMPDIR/etc' /etc &&
		'$EC2HIB' status --from '$BATS_TEST_TMPDIR/facts'"
	echo "$output"
	[ "$status" -eq 0 ]
}

@test "facts of this machine, saved, give the same checks as on this machine" {
	"$EC2HIB" status --json >"$BATS_TEST_TMPDIR/1" || true
	"$EC2HIB" status --json --from "$BATS_TEST_TMPDIR/1" >"$BATS_TEST_TMPDIR/2" || true
	cmp "$BATS_TEST_TMPDIR/1" "$BATS_TEST_TMPDIR/2"
}

@test "exit status is 1 for not ready and 3 for could not tell" {
	jq '.facts.area.size = 1048576 | .facts.area.header_size = 1048576' \
		<(jq 'if .facts then . else {facts: .} end' "$(facts_file)") >"$BATS_TEST_TMPDIR/small"
	run "$EC2HIB" status --from "$BATS_TEST_TMPDIR/small"
	[ "$status" -eq 1 ]
	jq '.facts.area.signature = {unknown: "no permission"}' \
		<(jq 'if .facts then . else {facts: .} end' "$(facts_file)") >"$BATS_TEST_TMPDIR/dark"
	run "$EC2HIB" status --from "$BATS_TEST_TMPDIR/dark"
	[ "$status" -eq 3 ]
	[[ "$output" == *"could not tell"*"2 unknown"* ]]
}

@test "status CHECK evaluates just that one" {
	run "$EC2HIB" status --from "$(facts_file)" swap-size
	[ "$status" -eq 0 ]
	[ "${#lines[@]}" -eq 3 ]
	[[ "${lines[1]}" == *"pass    swap-size"* ]]
}

@test "a few checks call no machine ready" {
	run "$EC2HIB" status --json --from "$(facts_file)"
	[ "$(jq -r .readiness <<<"$output")" = ready ]
	run "$EC2HIB" status --json --from "$(facts_file)" swap-size
	[ "$(jq -r '.readiness, (.checks | length)' <<<"$output")" = $'null\n1' ]
}

@test "--verbose explains, --quiet says nothing" {
	run "$EC2HIB" status -v --from "$(facts_file)" swap-size
	[ "${#lines[@]}" -ge 4 ]
	run "$EC2HIB" status -q --from "$(facts_file)"
	[ "$status" -eq 0 ]
	[ -z "$output" ]
}

@test "colours only where they are wanted" {
	run "$EC2HIB" status --from "$(facts_file)"
	[[ "$output" != *$'\033'* ]]
	run "$EC2HIB" --color always status --from "$(facts_file)"
	[[ "$output" == *$'\033[32m'* ]]
	run "$EC2HIB" --color never status --from "$(facts_file)"
	[[ "$output" != *$'\033'* ]]
}

@test "what status advises is for the machine that it looked at" {
	mkdir "$BATS_TEST_TMPDIR/image"
	printf '[swap]\nswapfile = /other\n' >"$BATS_TEST_TMPDIR/c"
	run "$EC2HIB" --root "$BATS_TEST_TMPDIR/image" status swap-file
	[[ "$output" == *" run: ec2hib --root $BATS_TEST_TMPDIR/image setup" ||
		"$output" == *" run: ec2hib --root $BATS_TEST_TMPDIR/image setup"$'\n'* ]]
	run "$EC2HIB" --root "$BATS_TEST_TMPDIR/image" --config "$BATS_TEST_TMPDIR/c" status swap-file
	[[ "$output" == *"--root $BATS_TEST_TMPDIR/image --config $BATS_TEST_TMPDIR/c setup"* ]]
}

@test "a narrow terminal has the text below the id, and no line is cut" {
	command -v script || skip "script is not installed"
	for width in 40 60; do
		run script -qec "stty cols $width; '$EC2HIB' --color never status \
			--from '$(facts_file)' swap-size swap-header stale-image" /dev/null </dev/null
		echo "$output"
		[ "${lines[1]//$'\r'/}" = "  pass    swap-size" ]
		for line in "${lines[@]:0:${#lines[@]}-1}"; do
			line=${line//$'\r'/}
			[ "${#line}" -le "$width" ]
		done
	done
	run script -qec "stty cols 80; '$EC2HIB' --color never status --from '$(facts_file)' \
		swap-size" /dev/null </dev/null
	[[ "${lines[1]}" == "  pass    swap-size                7.6 GiB of swap"* ]]
}

@test "nothing that somebody else wrote steers the terminal" {
	jq '.facts.area.path = "/a\u001b[31mb\u009bc\u00f6d"' \
		<(jq 'if .facts then . else {facts: .} end' "$(facts_file)") >"$BATS_TEST_TMPDIR/facts"
	run "$EC2HIB" status --from "$BATS_TEST_TMPDIR/facts" stale-image
	echo "$output"
	[[ "${lines[1]}" == *" /a?[31mb??c"$'\303\266'"d holds no"* ]]
	LC_ALL=C run "$EC2HIB" status --from "$BATS_TEST_TMPDIR/facts" stale-image
	[[ "${lines[1]}" == *" /a?[31mb??c??d holds no"* ]]
	# JSON has the same text, in letters of ASCII: also a control character above them.
	"$EC2HIB" status --json --from "$BATS_TEST_TMPDIR/facts" >"$BATS_TEST_TMPDIR/json" || true
	[ -z "$(tr -d '\n\040-\176' <"$BATS_TEST_TMPDIR/json")" ]
	jq -e '.facts.area.path == "/a\u001b[31mb\u009bc\u00f6d"' "$BATS_TEST_TMPDIR/json"
	run "$EC2HIB" status $'a\033[31m'
	[[ "$output" == *'no check "a?[31m"'* ]]
	# A mark that would have what follows shown from right to left.
	LC_ALL=C.UTF-8 run "$EC2HIB" status $'a\342\200\256b'
	[[ "$output" == *'no check "a???b"'* ]]
}

@test "damaged saved facts are an error, not a crash" {
	for text in '' '{' '[]' '{}' '{"facts": 3}' '{"format": 1, "kernel": []}' '{"a":1,"a":2}'; do
		printf '%s' "$text" >"$BATS_TEST_TMPDIR/x"
		run "$EC2HIB" status --from "$BATS_TEST_TMPDIR/x"
		echo "$text: $status: $output"
		[ "$status" -eq 2 ]
		[[ "$output" == *"$BATS_TEST_TMPDIR/x"* ]]
	done
}

@test "output that cannot be written is a failure" {
	run bash -c "'$EC2HIB' status --from '$(facts_file)' >/dev/full"
	[ "$status" -ne 0 ]
	[[ "$output" == *"cannot write the output: No space left on device"* ]]
}

@test "setup without --yes changes nothing where nobody can answer" {
	need_root
	make_image ext4 200M
	run "$EC2HIB" --root "$IMAGE" setup --size 20M </dev/null
	[ "$status" -eq 2 ]
	[[ "$output" == *"--yes applies this plan"* ]]
	[ ! -e "$IMAGE/swap" ]
	drop_image
}

@test "setup of an image says how to give it a size" {
	need_root
	mkdir "$BATS_TEST_TMPDIR/image"
	for size in '' '--size auto' '--size 50%'; do
		# shellcheck disable=SC2086
		run "$EC2HIB" --root "$BATS_TEST_TMPDIR/image" setup -n $size
		echo "$output"
		[ "$status" -eq 1 ]
		[[ "$output" == *"is an image, not the running machine; say it with a number, such as --size 8G" ]]
	done
}

@test "setup says when the swap area will be too small for the image" {
	need_root
	run "$EC2HIB" setup -n --force --size 1M
	echo "$output"
	[ "$status" -eq 0 ] || skip "no plan can be made for this machine"
	[[ "$output" == *"note: 1.0 MiB of swap for "*" of memory: the image can be half of memory and would not fit"* ]]
}

@test "setup --json is JSON, with the plan and what came of it" {
	need_root
	make_image ext4 200M
	"$EC2HIB" --root "$IMAGE" setup --dry-run --json --size 20M | jq -e '.applied == false'
	"$EC2HIB" --root "$IMAGE" setup --yes --json --size 20M |
		jq -e '.applied and .error == null and .steps[0].id == "create-swap"'
	drop_image
}

@test "root reads no configuration that others can write" {
	need_root
	printf '[core]\n' >"$BATS_TEST_TMPDIR/c"
	chmod 666 "$BATS_TEST_TMPDIR/c"
	run "$EC2HIB" --config "$BATS_TEST_TMPDIR/c" status swap-size
	[ "$status" -eq 2 ]
	[[ "$output" == *"c can be written by others (mode 0666)"* ]]
	chmod 644 "$BATS_TEST_TMPDIR/c"
	chown 1000 "$BATS_TEST_TMPDIR/c"
	run "$EC2HIB" --config "$BATS_TEST_TMPDIR/c" status swap-size
	[ "$status" -eq 2 ]
	[[ "$output" == *"c belongs to uid 1000, not to root"* ]]
}

@test "a configuration error names file and line" {
	printf '[swap]\ntarget-size-mb = lots\n' >"$BATS_TEST_TMPDIR/c"
	run "$EC2HIB" --config "$BATS_TEST_TMPDIR/c" status
	[ "$status" -eq 2 ]
	[[ "$output" == *"$BATS_TEST_TMPDIR/c:2: target-size-mb"* ]]
	printf '[swap]\ncolour = red\n' >"$BATS_TEST_TMPDIR/c"
	run "$EC2HIB" --config "$BATS_TEST_TMPDIR/c" status swap-size
	[[ "$output" == *"warning: $BATS_TEST_TMPDIR/c:2: unknown key \"colour\""* ]]
}

@test "a key before any section counts" {
	printf 'swapfile = /x\n' >"$BATS_TEST_TMPDIR/c"
	run "$EC2HIB" --config "$BATS_TEST_TMPDIR/c" status swap-file
	[[ "$output" == *"/x "* && "$output" != *warning* ]]
}

@test "all that is wrong in a configuration is said in one run" {
	printf '%s\n' 'swapfile = x' '[swap]' 'target-size-mb = lots' 'colour = red' '[watch' \
		"poll-interval = $(printf '7%.0s' {1..500})" >"$BATS_TEST_TMPDIR/c"
	run "$EC2HIB" check-config "$BATS_TEST_TMPDIR/c"
	[ "$status" -eq 2 ]
	echo "$output"
	[ "$(sed -nE 's/^ec2hib: (warning: )?[^:]*:([0-9]+):.*/\1\2/p' <<<"$output" | xargs)" = \
		'1 3 warning: 4 5 warning: 6' ]
	[ "${lines[5]}" = "ec2hib: $BATS_TEST_TMPDIR/c: 3 errors" ]
	run "$EC2HIB" --config "$BATS_TEST_TMPDIR/c" status
	[ "$status" -eq 2 ]
	[ "${#lines[@]}" -eq 6 ]
}

@test "check-config tells warnings from errors, and a file that is not there" {
	printf '[swap]\nswapfile = /x\n' >"$BATS_TEST_TMPDIR/c"
	run "$EC2HIB" check-config "$BATS_TEST_TMPDIR/c"
	[ "$status" -eq 0 ]
	[ "$output" = "$BATS_TEST_TMPDIR/c: no errors" ]
	printf '[pm-utils]\nhibernate-command = /usr/local/sbin/drain\n' >"$BATS_TEST_TMPDIR/c"
	run "$EC2HIB" --config "$BATS_TEST_TMPDIR/c" check-config
	[ "$status" -eq 1 ]
	[[ "${lines[0]}" == *"/c:2: hibernate-command = /usr/local/sbin/drain is not followed: "* ]]
	[ "${lines[1]}" = "$BATS_TEST_TMPDIR/c: no errors, 1 warning" ]
	printf '[swap]\nswapfile = /x\0y\n' >"$BATS_TEST_TMPDIR/c"
	run "$EC2HIB" check-config "$BATS_TEST_TMPDIR/c"
	[ "$status" -eq 2 ]
	[[ "$output" == *"/c:2: a NUL: this is not a text file" ]]
	run "$EC2HIB" check-config "$BATS_TEST_TMPDIR/none"
	[ "$status" -eq 2 ]
	mkdir "$BATS_TEST_TMPDIR/image"
	run "$EC2HIB" --root "$BATS_TEST_TMPDIR/image" check-config
	[ "$status" -eq 0 ]
	[[ "$output" == "$BATS_TEST_TMPDIR/image/etc/ec2hib.conf is not there: the defaults apply" ]]
}

@test "a pipe in place of a file is no reason to wait" {
	mkdir -p "$BATS_TEST_TMPDIR/image/etc"
	mkfifo "$BATS_TEST_TMPDIR/image/etc/fstab" "$BATS_TEST_TMPDIR/c"
	run timeout 10 "$EC2HIB" --root "$BATS_TEST_TMPDIR/image" status
	[ "$status" -eq 1 ]
	run timeout 10 "$EC2HIB" --config "$BATS_TEST_TMPDIR/c" status
	[ "$status" -eq 2 ]
	[[ "$output" == *"cannot read $BATS_TEST_TMPDIR/c: it is a pipe" ||
		"$output" == *"$BATS_TEST_TMPDIR/c is not a regular file" ]]
}

@test "without root what cannot be read is unknown, and nothing fails" {
	need_root
	cp "$EC2HIB" "$BATS_TEST_TMPDIR/ec2hib"
	chmod 755 "$BATS_TEST_TMPDIR/ec2hib" "$BATS_TEST_TMPDIR" "$BATS_RUN_TMPDIR" \
		"$(dirname "$BATS_TEST_TMPDIR")"
	make_image ext4 200M
	setup_image --size 20M
	run setpriv --reuid 65534 --regid 65534 --clear-groups \
		"$BATS_TEST_TMPDIR/ec2hib" --root "$IMAGE" status swap-holes stale-image
	echo "$output"
	[ "$status" -eq 3 ]
	[[ "$output" == *"unknown swap-holes"*"Permission denied"* ]]
	run setpriv --reuid 65534 --regid 65534 --clear-groups \
		"$BATS_TEST_TMPDIR/ec2hib" setup --yes
	[ "$status" -eq 1 ]
	[[ "$output" == *"setup needs root"* ]]
	drop_image
}

# completions LINE WORD...: what is offered at the end of LINE, which bash cuts into WORDs.
completions() {
	EC2HIB=$EC2HIB bash -c '
		source "'"${srcdir:-$top_builddir}"'/completions/ec2hib.bash"
		ec2hib() { "$EC2HIB" "$@"; }
		COMP_LINE=$1 COMP_POINT=${#1} COMP_WORDS=("${@:2}") COMP_CWORD=$(($# - 2))
		_ec2hib 2>/dev/null
		echo "${COMPREPLY[*]}"' _ "$@"
}

@test "bash completes commands, options, values and checks" {
	[ "$(completions 'ec2hib st' ec2hib st)" = status ]
	[ "$(completions 'ec2hib setup --sw' ec2hib setup --sw)" = "--swapfile --swap-device --swap-on" ]
	[ "$(completions 'ec2hib --color a' ec2hib --color a)" = "auto always" ]
	[ "$(completions 'ec2hib status stale-' ec2hib status stale-)" = stale-image ]
	[ "$(completions 'ec2hib setup --size a' ec2hib setup --size a)" = auto ]
	[ "$(completions 'ec2hib help tea' ec2hib help tea)" = teardown ]
	[ "$(completions 'ec2hib imds ' ec2hib imds '')" = "get serve" ]
	[ "$(completions 'ec2hib -v imds g' ec2hib -v imds g)" = get ]
	[ "$(completions 'ec2hib imds get --j' ec2hib imds get --j)" = --json ]
	[ "$(completions 'ec2hib imds get instance-i' ec2hib imds get instance-i)" = instance-id ]
	[ "$(completions 'ec2hib imds serve --spot h' ec2hib imds serve --spot h)" = hibernate ]
	[ "$(completions 'ec2hib imds serve --fault gar' ec2hib imds serve --fault gar)" = garbage= ]
}

@test "bash completes behind = and :, where it cuts words" {
	[ "$(completions 'ec2hib --color=al' ec2hib --color = al)" = always ]
	[ "$(completions 'ec2hib --color=' ec2hib --color =)" = "auto always never" ]
	[ "$(completions 'ec2hib setup --size=au' ec2hib setup --size = au)" = auto ]
	[ "$(completions 'ec2hib --frob=' ec2hib --frob =)" = "" ]
	[ "$(completions 'ec2hib --imds-endpoint http://1' ec2hib --imds-endpoint http : //1)" = \
		//169.254.169.254 ]
	[ "$(completions 'ec2hib --imds-endpoint=http:' ec2hib --imds-endpoint = http :)" = \
		'//169.254.169.254 //\[fd00:ec2::254\]' ]
	# What stands before goes on being understood.
	[ "$(completions 'ec2hib --config=x teardown --dry' ec2hib --config = x teardown --dry)" = \
		--dry-run ]
	touch "$BATS_TEST_TMPDIR/facts.json"
	cd "$BATS_TEST_TMPDIR"
	[ "$(completions 'ec2hib status --from=fac' ec2hib status --from = fac)" = facts.json ]
}
