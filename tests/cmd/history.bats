#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# ec2hib history: the record, and hibernations in kernel logs.

load ../lib/helpers

setup() {
	LOGS=${srcdir:-$top_builddir}/tests/fixtures/logs
	ROOT=$BATS_TEST_TMPDIR/root
	HISTORY=$ROOT/var/lib/ec2hib/history.json
	mkdir -p "$ROOT/etc" "${HISTORY%/*}"
}

history() {
	"$EC2HIB" --root "$ROOT" history "$@"
}

# A notice that went well, and a button that was refused by a device.
put_history() {
	cat >"$HISTORY" <<-'END'
		{"format": 1, "cycles": [
		 {"began": "2026-11-20T02:11:09Z", "reason": "notice", "notice_action": "hibernate",
		  "notice_time": "2026-11-20T02:11:08Z", "method": "direct", "result": "resumed",
		  "tries": 1, "away": 7980000, "image_size": 2040109466, "prepare": 41,
		  "to_power_off": 9310, "kernel": "6.1.0-26-cloud-amd64",
		  "timeline": {"freeze_user": 12, "freeze_kernel": 1, "image_pages": 498074,
		   "write_size": 2040109466, "write_time": 8100, "write_rate": 251865366,
		   "read_size": {"unknown": "not on the console"}}},
		 {"began": "2026-11-21T08:05:11Z", "reason": "button", "method": "systemd",
		  "result": "failed", "message": "device nvme nvme0 refused to stop (error -16)",
		  "tries": 3, "from_the_future": true}]}
	END
}

@test "no hibernation so far is an answer" {
	run history
	[ "$status" -eq 0 ]
	[ "$output" = "no hibernation so far ($ROOT/var/lib/ec2hib/history.json)" ]
	mkdir -p "$ROOT/"$'a\e[31mb'
	run "$EC2HIB" --root "$ROOT/"$'a\e[31mb' history
	[ "$output" = "no hibernation so far ($ROOT/a?[31mb/var/lib/ec2hib/history.json)" ]
	run history --json
	[ "$status" -eq 0 ]
	[ "$(jq -c .cycles <<<"$output")" = "[]" ]
	run history -q
	[ "$status" -eq 0 ]
	[ -z "$output" ]
}

@test "history has a line for each cycle, newest last, and why one failed" {
	put_history
	run history
	echo "$output"
	[ "$status" -eq 0 ]
	[ "${#lines[@]}" -eq 4 ]
	[[ "${lines[0]}" == "began "*"reason "*"method "*"result "*"away "*"image "*"write "*"freeze "*"to power-off" ]]
	[[ "${lines[0]}" != *" read "* ]]
	[[ "${lines[1]}" == "2026-11-20T02:11:09Z"*"notice"*"direct"*"resumed"*"2 h 13 min"*"1.9 GiB"*"8.1 s, 240 MiB/s"*"13 ms"*"9.3 s" ]]
	[[ "${lines[2]}" == "2026-11-21T08:05:11Z"*"button"*"systemd"*"failed"*" - "* ]]
	[ "${lines[3]}" = "    device nvme nvme0 refused to stop (error -16)" ]
}

@test "history -v shows all that is known" {
	put_history
	run history -v
	echo "$output"
	[[ "${lines[0]}" == "2026-11-20T02:11:09Z  resumed" ]]
	[[ "$output" == *"notice "*"hibernate, 2026-11-20T02:11:08Z"* ]]
	[[ "$output" == *"write "*"1.9 GiB in 8.1 s, 240 MiB/s"* ]]
	[[ "$output" == *"read "*"not known: not on the console"* ]]
	[[ "$output" == *"tries "*"3"* ]]
}

@test "history --json gives the record back" {
	put_history
	history --json >"$BATS_TEST_TMPDIR/1"
	jq -e '.cycles | length == 2' "$BATS_TEST_TMPDIR/1"
	jq -e '.cycles[0].timeline.write_time == 8100 and .cycles[1].reason == "button"' \
		"$BATS_TEST_TMPDIR/1"
	jq '{format: 1, cycles}' "$BATS_TEST_TMPDIR/1" >"$HISTORY"
	history --json | cmp - "$BATS_TEST_TMPDIR/1"
}

@test "a damaged record is an error that names it, and stays as it is" {
	echo '{"format": 1, "cycles": [' >"$HISTORY"
	run history
	[ "$status" -eq 1 ]
	[[ "$output" == *"$HISTORY is damaged: line 2"* ]]
	[ "$(cat "$HISTORY")" = '{"format": 1, "cycles": [' ]
}

@test "the folder of the record is the configuration's" {
	put_history
	mkdir -p "$ROOT/srv"
	mv "$HISTORY" "$ROOT/srv/"
	printf '[core]\nstate-dir = /srv\n' >"$ROOT/etc/ec2hib.conf"
	[ "$(history --json | jq '.cycles | length')" -eq 2 ]
}

@test "a log's hibernations look the same" {
	run "$EC2HIB" history --log "$LOGS/linux-6.1-freezing.txt"
	echo "$output"
	[ "$status" -eq 0 ]
	[ "${lines[0]}" = "began        result   image      freeze" ]
	[ "${lines[1]}" = "[  610.001]  failed   -          -" ]
	[ "${lines[2]}" = "    2 tasks did not freeze within 20.003 s: mount.nfs4, df" ]
	[ "${lines[3]}" = "[  640.001]  resumed  591.1 MiB  12 ms" ]
	run "$EC2HIB" history --log "$LOGS/linux-4.9-messages.txt"
	[[ "${lines[1]}" == "Nov 21 13:00:02  resumed  2 h 13 min  581.3 MiB"* ]]
	run "$EC2HIB" history --log "$LOGS/linux-6.1-console.txt"
	[[ "${lines[1]}" == *"1.3 s, 66 MiB/s"*"1.5 s, 58 MiB/s"*"7.8 s" ]]
}

@test "history --log - reads standard input, also from a slow pipe" {
	(head -n 5 "$LOGS/linux-6.1-console.txt" && sleep 1 && tail -n +6 "$LOGS/linux-6.1-console.txt") |
		"$EC2HIB" history --json --log - | jq -e '.cycles[0].timeline.read_time == 1450'
	mkfifo "$BATS_TEST_TMPDIR/fifo"
	(sleep 1 && cat "$LOGS/linux-4.9-console.txt") >"$BATS_TEST_TMPDIR/fifo" &
	"$EC2HIB" history --json --log "$BATS_TEST_TMPDIR/fifo" | jq -e '.cycles[0].away == 8019471'
	"$EC2HIB" history --log <(gzip -c "$LOGS/linux-5.10-journal.txt" | zcat) | grep -q resumed
}

@test "the log is a file of the host, also with --root" {
	run history --log "$LOGS/linux-5.10-journal.txt"
	[ "$status" -eq 0 ]
	[[ "${lines[1]}" == "2026-11-21T08:05:11+0000  resumed"* ]]
}

@test "a log without a hibernation is status 1, one that cannot be read 2" {
	echo "Nov 21 13:00:02 host kernel: [    1.0] PM: Image not found (code -22)" >"$BATS_TEST_TMPDIR/log"
	run "$EC2HIB" history --log "$BATS_TEST_TMPDIR/log"
	[ "$status" -eq 1 ]
	[[ "$output" == *"no hibernation in $BATS_TEST_TMPDIR/log" ]]
	[ "$("$EC2HIB" history -q --json --log "$BATS_TEST_TMPDIR/log" | jq -c .cycles)" = "[]" ]
	run "$EC2HIB" history -q --log /dev/null
	[ "$status" -eq 1 ]
	[ -z "$output" ]
	for case in "/no/such|cannot read /no/such: No such file" "/tmp|it is a folder"; do
		run "$EC2HIB" history --log "${case%%|*}"
		[ "$status" -eq 2 ]
		[[ "$output" == *"${case#*|}"* ]]
	done
	printf 'LPKSHHRH and more' >"$BATS_TEST_TMPDIR/system.journal"
	run "$EC2HIB" history --log "$BATS_TEST_TMPDIR/system.journal"
	[ "$status" -eq 2 ]
	[[ "$output" == *"run: journalctl -k -o short-iso --file $BATS_TEST_TMPDIR/system.journal | ec2hib history --log -"* ]]
}

@test "packed logs are read as they lie in /var/log, also from a pipe" {
	local log=$BATS_TEST_TMPDIR/log packer
	gzip -c "$LOGS/linux-6.1-console.txt" >"$log.gzip"
	if [[ "$("$EC2HIB" history --log "$log.gzip" 2>&1)" == *"run: zcat"* ]]; then
		skip "built without libarchive, or it is not installed"
	fi
	for packer in gzip xz zstd bzip2; do
		command -v "$packer" || continue
		"$packer" -c "$LOGS/linux-6.1-console.txt" >"$log.$packer"
		"$EC2HIB" history --json --log "$log.$packer" >"$log.1"
		"$EC2HIB" history --json --log - <"$log.$packer" | cmp - "$log.1"
		"$EC2HIB" history --json --log "$LOGS/linux-6.1-console.txt" | cmp - "$log.1"
	done
	head -c 300 "$log.gzip" >"$log.cut"
	run "$EC2HIB" history --log "$log.cut"
	[ "$status" -eq 2 ]
	[[ "$output" == *"$log.cut is damaged: "* ]]
}

@test "a device without an end is given up" {
	run "$EC2HIB" history --log /dev/zero
	[ "$status" -eq 2 ]
	[[ "$output" == *"cannot read /dev/zero: it is a device without an end" ]]
}

@test "a log in UTF-16, as the shell of Windows writes one, is read" {
	local log=$BATS_TEST_TMPDIR/log
	{ printf '\377\376'; sed 's/$/\r/' "$LOGS/linux-6.1-console.txt" | iconv -t UTF-16LE; } >"$log"
	"$EC2HIB" history --json --log "$log" | jq -e '.cycles | length == 1 and .[0].timeline.read_time == 1450'
	iconv -t UTF-16BE "$LOGS/linux-6.1-console.txt" >"$log"
	"$EC2HIB" history --json --log "$log" | jq -e '.cycles[0].timeline.read_time == 1450'
}

@test "how a log was read is said where it matters" {
	local log=$BATS_TEST_TMPDIR/log
	tac "$LOGS/linux-6.1-freezing.txt" >"$log"
	run "$EC2HIB" history --log "$log"
	[ "$status" -eq 0 ]
	[[ "$output" == *"warning: the log has its newest line first; it was read from its end"* ]]
	[ "$(grep -c resumed <<<"$output")" -eq 1 ]
	run "$EC2HIB" history --log "$LOGS/cases/order.txt"
	[[ "$output" == *"warning: parts of the log were not in the order of time"* ]]
	echo "2026|11|28 host (kernel) PM: hibernation: hibernation entry" >"$log"
	run "$EC2HIB" history --log "$log"
	[ "$status" -eq 1 ]
	[[ "$output" == *"1 line about hibernation could not be read; the first is: 2026|11|28 host"* ]]
}

@test "in JSON null is what does not apply, and unknown has a reason" {
	local log
	for log in "$LOGS"/*.txt "$LOGS"/cases/*.txt; do
		"$EC2HIB" -q history --json --log "$log" >"$BATS_TEST_TMPDIR/json" || [ $? -eq 1 ]
		[ "$(jq '[.. | objects | select(.unknown? == "")] | length' "$BATS_TEST_TMPDIR/json")" -eq 0 ]
	done
}

@test "of the journal one boot or all is asked for" {
	run "$EC2HIB" history --journal --boot 1
	[ "$status" -eq 2 ]
	[[ "$output" == *'--boot: "1" is not the number of a boot (examples: 0, -1)' ]]
	run "$EC2HIB" history --boot 0
	[ "$status" -eq 2 ]
	run "$EC2HIB" history --journal --log /dev/null
	[ "$status" -eq 2 ]
}

@test "the running kernel's log needs root where the kernel says so" {
	need_root
	cp "$EC2HIB" "$BATS_TEST_TMPDIR/ec2hib"
	chmod 755 "$BATS_TEST_TMPDIR/ec2hib" "$BATS_TEST_TMPDIR" "$BATS_RUN_TMPDIR" \
		"$(dirname "$BATS_TEST_TMPDIR")"
	run setpriv --reuid 65534 --regid 65534 --clear-groups \
		"$BATS_TEST_TMPDIR/ec2hib" history --log /dev/kmsg
	echo "$status: $output"
	[ "$status" -le 2 ]
	[ "$status" -ne 2 ] || [[ "$output" == *"cannot read /dev/kmsg: "*"; run as root" ]]
}

@test "plain ASCII where the terminal is not UTF-8, and no control characters" {
	printf '{"format":1,"cycles":[{"began":"x","result":"failed","message":"caf\xc3\xa9 \\u001b[2J"}]}' >"$HISTORY"
	run history
	[ "${lines[2]}" = "    café ?[2J" ]
	LC_ALL=C run history
	[ "${lines[2]}" = "    caf?? ?[2J" ]
}

@test "a narrow terminal leaves columns out, not off" {
	put_history
	command -v script || skip "script is not installed"
	run script -qec "stty cols 60; '$EC2HIB' --color never --root '$ROOT' history" /dev/null
	echo "$output"
	for line in "${lines[@]}"; do [ "${#line}" -le 62 ]; done
	[[ "${lines[0]}" == "began "*"result "*"away"* ]]
	[[ "${lines[0]}" != *"to power-off"* ]]
}
