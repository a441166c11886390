#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# ec2hib tui on a running machine and on images: what it follows, what it asks, what it runs.

load ../lib/helpers
load tmux

# shellcheck disable=SC2034 # options in front of the command, for open_tui
TUI_GLOBAL=()

setup() {
	need_tmux
	cd "$BATS_TEST_TMPDIR" || return
	export EC2HIB_TUI_CLOCK=2026-11-21T12:00:00Z
	TUI_GLOBAL=()
	use_stub
}

teardown() {
	close_terminal
	stop_service
}

make_root() {
	ROOT=$BATS_TEST_TMPDIR/root
	mkdir -p "$ROOT/run" "$ROOT/etc" "$ROOT/var/lib/ec2hib"
	TUI_GLOBAL=(--root "$ROOT")
}

# put FILE JSON: as the agent and a pre-warm do it.
put() {
	mkdir -p "$ROOT/run/ec2hib"
	echo "$2" >"$ROOT/run/ec2hib/.new"
	mv "$ROOT/run/ec2hib/.new" "$ROOT/run/ec2hib/$1"
}

# ---- What is followed ----

@test "the agent's state file is followed, also when it is not there yet" {
	make_root
	open_tui 80 24
	shows "none has run since boot" "facts of"
	put watch.json '{"format": 1, "state": "watching", "pid": 4242, "last_poll": "2026-11-21T11:59:57Z",
		"latency_us": 1500}'
	shows "watching, last poll 3.0 s ago, 1.5 ms"
	put watch.json '{"format": 1, "state": "noticed", "pid": 4242,
		"notice": {"kind": "hibernate", "time": "2026-11-21T12:02:00Z", "detail": null}}'
	shows "noticed" "hibernate at 2026-11-21T12:02:00Z, in 2 min" "agent heard: hibernate"
	put watch.json '{"format": 1, "state": "stopped", "pid": null}'
	shows "not running; it was stopped"
	put watch.json 'no JSON'
	shows "watch.json is dam"
	rm -r "$ROOT/run/ec2hib"
	shows "none has run since boot"
	put watch.json '{"format": 1, "state": "watching", "pid": 4242}'
	shows "agent: watching"
}

@test "a pre-warm is followed, with a graph of its speed" {
	make_root
	open_tui 80 24
	shows "none since boot; F6 starts one" "facts of"
	for done in 1 2 3 4; do
		put prewarm.json "{\"format\": 1, \"state\": \"running\", \"pid\": 1, \"path\": \"/swap\",
			\"device\": \"/dev/nvme0n1p1\", \"total\": 1073741824, \"done\": $((done * 268435456)),
			\"rate\": $((done * 26843545)), \"slowest_us\": 2500, \"slow\": $done, \"left\": 5000}"
		shows "$((done * 25)) %" "slow blocks $done"
	done
	shows "▂▄▆█" "102.4 MiB/s" "5.0 s left"
	put prewarm.json '{"format": 1, "state": "finished", "total": 1073741824, "done": 1073741824}'
	shows "finished" "100 %" "pre-warm: finished"
}

@test "the history of an image is shown, and one that is damaged is said" {
	make_root
	jq '{format: 1, cycles: .history}' "${srcdir:-$top_builddir}/tests/fixtures/tui/state.json" \
		>"$ROOT/var/lib/ec2hib/history.json"
	open_tui 80 24
	shows "2026-11-21T02:11:09Z"
	echo '{' >"$ROOT/var/lib/ec2hib/history.json"
	press r
	shows "history.json"
}

@test "facts are gathered again when they are asked for" {
	make_root
	open_tui 80 24
	shows "facts of"
	press 2
	hides "freeze-timeout          the"
	printf '[swap]\nswapfile = /elsewhere\n' >"$ROOT/etc/ec2hib.conf"
	close_terminal
	open_tui 80 24
	shows "/elsewhere is not there"
}

# ---- The metadata service ----

@test "the metadata service: latency, a notice that comes and goes" {
	need_service
	unset AWS_EC2_METADATA_DISABLED EC2HIB_TUI_CLOCK
	start_service --life-cycle spot
	TUI_GLOBAL=(--imds-endpoint "$SERVICE_URL")
	open_tui 80 24
	shows "answers in" "notice    none" "i-"
	control PUT spot '{"action": "hibernate", "time": "2099-01-02T03:04:05Z"}'
	shows "hibernate at 2099-01-02T03:04:05Z, in " "metadata service: says hibernate"
	control DELETE spot
	shows "notice    none"
	stop_service
	shows "no answer"
	press 5
	shows "latency (x: no answer)" "asked                   $SERVICE_URL"
}

@test "a metadata service that hangs keeps no key waiting" {
	need_service
	unset AWS_EC2_METADATA_DISABLED EC2HIB_TUI_CLOCK
	# Longer than the test takes: who waited for an answer would never see one.
	export AWS_METADATA_SERVICE_TIMEOUT=3600 AWS_METADATA_SERVICE_NUM_ATTEMPTS=1
	start_service --fault hang
	TUI_GLOBAL=(--imds-endpoint "$SERVICE_URL")
	open_tui 80 24
	shows "looking at the machine" "asking $SERVICE_URL"
	press '?'
	shows "show this list of keys"
	press Escape 4
	shows "═ 4 pre-warm"
	resize_terminal 100 30
	press 0
	shows "hangs, no answer for" "looking for"
	press e
	shows "y runs: ec2hib --imds-endpoint $SERVICE_URL watch --once --dry-run"
	press n q
	ends_well 0
}

# ---- What is run ----

# question KEY TEXT...: asks before it runs; the other keys leave it.
question() {
	press "$1"
	shows "${@:2}" "any other keyLeave"
	press n
	hides "any other key"
	never_called
	press "$1"
	shows "${@:2}"
	press Escape
	hides "any other key"
	never_called
}

@test "each command is shown before it runs, and runs" {
	need_root
	open_tui 100 30
	shows "facts of"
	local -a calls=()
	while IFS='|' read -r key words; do
		rm -f calls
		question "$key" "y runs: ec2hib $words"
		press "$key"
		shows "y runs: ec2hib $words"
		press y
		shows "the stub was called" "and complains" "ec2hib $words: succeeded"
		has_called "$words"
		press Escape
		calls+=("$words")
	done <<-'END'
		F6|prewarm
		w|prewarm
		W|prewarm --stop
		F7|test-hibernate --yes
		t|test-hibernate --yes
		F8|watch --once --dry-run
		e|watch --once --dry-run
		F9|hibernate
		H|hibernate
	END
	[ "${#calls[@]}" -eq 9 ]
}

@test "set up shows the plan first, and applies it after a yes" {
	need_root
	open_tui 100 30
	shows "facts of"
	press F2
	shows "the stub was called" "y runs: ec2hib setup --yes" "Any other key leaves it."
	has_called "setup --dry-run"
	press Escape
	hides "y runs"
	press y
	press s
	shows "y runs: ec2hib setup --yes"
	has_called "setup --dry-run" "setup --dry-run"
	press y
	shows "ec2hib setup --yes: succeeded"
	has_called "setup --dry-run" "setup --dry-run" "setup --yes"
}

@test "a plan that failed is not applied" {
	need_root
	echo 1 >result
	open_tui 100 30
	shows "facts of"
	press F2
	shows "setup --dry-run: failed with status 1"
	lacks "y runs"
	press y
	press 5
	shows "═ 5 notices"
	has_called "setup --dry-run"
}

@test "the facts go into a new file, whose name is asked for" {
	open_tui 100 30
	shows "facts of"
	press S
	shows "save the facts to: ec2hib-facts-2026-11-21T12-00-00Z.json"
	press C-u
	press -l "my facts.json"
	press Enter
	shows "y runs: ec2hib status --json > my facts.json"
	echo 1 >result
	press y
	shows "wrote my facts.json, 20 bytes"
	has_called "status --json"
	[ "$(cat 'my facts.json')" = "the stub was called" ]
	[ "$(stat -c %a 'my facts.json')" = 600 ]
	# Never over something that is there.
	press S C-u
	press -l "my facts.json"
	press Enter y
	shows "cannot create my facts.json: File exists"
	has_called "status --json"
}

@test "what is asked and what a command says is there to the end, however narrow" {
	need_root
	mkfifo gate
	open_tui 60 15
	shows "facts of"
	press S Enter
	shows "y runs: ec2hib status --json >" "        ec2hib-facts-2026-11-21T12-00-00Z.json"
	resize_terminal 40 8
	shows "y runs: ec2hib status --json >" "        ec2hib-facts-2026-11-21T12-00-0" "        0Z.json"
	press n
	resize_terminal 60 15
	press x
	shows "no command is running"
	press s
	shows "... still running"
	echo "  1. a step that is so long that no terminal of 60 columns has room for it" >gate
	shows "  1. a step that is so long that no terminal of 60 columns" "      has room for it"
	press Escape 6
	shows "dashboard: ec2hib setup --dry-run: succeeded"
}

@test "what was saved is what --from shows" {
	unset EC2HIB_TUI_PROGRAM
	make_root
	open_tui 100 30
	shows "facts of"
	press S C-u
	press -l "saved.json"
	press Enter
	shows "y runs: ec2hib --root $ROOT status --json > saved.json"
	press y
	shows "wrote saved.json"
	close_terminal
	TUI_GLOBAL=()
	open_tui 100 30 --from saved.json
	shows "saved facts: the keys that change a machine do nothing" "swap-file"
}

@test "a command's output scrolls, follows its end, and can be shown again" {
	need_root
	mkfifo gate
	open_tui 80 24
	shows "facts of"
	press w y
	shows "... still running; x stops it"
	seq -f 'line %g of many' 100 >gate
	shows "line 100 of many" "succeeded"
	press g
	shows "the stub was called"
	press /
	press -l "line 42 of"
	press Enter
	shows "line 42 of many"
	press Escape
	shows "─ 7 history"
	press o
	shows "line 100 of many"
}

@test "one command at a time; it can be stopped, and goes on when the dashboard is left" {
	need_root
	mkfifo gate
	open_tui 80 24
	shows "facts of"
	press w y
	shows "still running; x stops it"
	press Escape F9
	shows "ec2hib prewarm is still running; o shows it"
	press x
	shows "ec2hib prewarm: killed by signal 15"
	has_called prewarm
	press w y
	shows "still running; x stops it"
	press q
	shows "ec2hib prewarm is still running, and goes on without the dashboard: q leaves"
	press q
	ends_well 0
	shows "ec2hib: ec2hib prewarm (process "
	# Somebody still reads the gate: this does not hang, and the stub ends by itself.
	timeout "$TUI_PATIENCE" sh -c 'echo open >gate'
}

@test "arguments are shown as a shell would have to be given them" {
	need_root
	ROOT="$BATS_TEST_TMPDIR/a 'quoted' root"
	mkdir -p "$ROOT/etc"
	TUI_GLOBAL=(--root "$ROOT")
	open_tui 160 30
	shows "facts of"
	press F2
	shows "y runs: ec2hib --root '$BATS_TEST_TMPDIR/a '\\''quoted'\\'' root' setup --yes"
	has_called "--root $ROOT setup --dry-run"
}

@test "saved facts and images: what cannot be done is said" {
	make_root
	open_tui 100 24
	shows "facts of"
	for key in w W e H; do
		press Escape
		hides "this is an image"
		press "$key"
		shows "this is an image: only a running machine can do that"
	done
	close_terminal
	# shellcheck disable=SC2034 # for open_tui
	TUI_GLOBAL=()
	cp "${srcdir:-$top_builddir}/tests/fixtures/facts/ready.json" .
	open_tui 100 24 --from ready.json
	shows READY
	for key in s w W e H S; do
		press Escape
		hides "these are saved facts"
		press "$key"
		shows "these are saved facts: nothing is done to any machine"
	done
	never_called
}

@test "a plain user sees what there is, and what root would do" {
	need_root
	command -v setpriv || skip "setpriv is not installed"
	# A folder that another user may enter.
	local place
	place=$(mktemp -d /tmp/ec2hib-tui.XXXXXX)
	chmod 755 "$place"
	cp "$EC2HIB" "$place/ec2hib"
	open_terminal 80 24 setpriv --reuid=65534 --regid=65534 --clear-groups "$place/ec2hib" tui
	shows "read-only: sudo shows what is unknown, and can act" || rm -r "$place"
	press w
	shows "only root can do that: sudo ec2hib prewarm"
	press H
	shows "only root can do that: sudo ec2hib hibernate"
	press s
	shows "only root can do that: sudo ec2hib setup --dry-run"
	press S
	shows "save the facts to:"
	never_called
	rm -r "$place"
}

# ---- Whatever keys come ----

# The same ones every time: keys of all kinds, but for those that leave.
random_keys() {
	awk 'BEGIN {
		srand(20261121)
		count = split("Up Down Left Right PPage NPage Home End Tab BTab Enter Escape BSpace " \
			"F1 F2 F3 F4 F5 F6 F7 F8 F9 F11 F12 Space / ? 0 1 2 3 4 5 6 7 8 9 a b e g G h H j k " \
			"l n N o p r s S t w W x y Y z C-b C-f C-l M-a ä", keys, " ")
		for (i = 0; i < 1000; i++)
			printf "%s%s", keys[int(rand() * count) + 1], i % 25 == 24 ? "\n" : " "
	}'
}

@test "1000 random keys, at many sizes" {
	local -a sizes=("80 24" "120 40" "60 15" "30 5" "200 60" "41 9")
	local round=0
	open_tui 80 24
	shows "facts of"
	while read -r -a keys; do
		press "${keys[@]}"
		if ((++round % 4 == 0)); then
			# shellcheck disable=SC2086 # two numbers
			resize_terminal ${sizes[round / 4 % ${#sizes[@]}]}
		fi
	done < <(random_keys)
	[ "$round" -eq 40 ]
	resize_terminal 80 24
	# The size has to be there: in a tiny terminal keys do nothing.
	shows "   2026-11-21T12:00:00Z"
	# Out of whatever it is in.
	press Escape
	press Escape Escape Escape n 0
	shows "─ 7 history" "F10Quit"
	hides " is running (o shows it)"
	press q
	ends_well 0
}
