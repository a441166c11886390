#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# The agent as a service: setup enables it in images and takes over from older agents, teardown
# leaves the tree as it was, also when they are killed at any program; the script for System V; and
# what systemd says of the unit.

load ../lib/helpers

SOURCE=${srcdir:-$top_builddir}
TREES=$SOURCE/tests/fixtures/trees
STUBS=$SOURCE/tests/fixtures/services

teardown() {
	drop_image
}

# make_tree NAME PROGRAM...: $IMAGE becomes that distribution with these stub programs.
make_tree() {
	local tree=$1 applet
	shift
	need_root
	make_image ext4 200M 11111111-2222-4333-8444-555555555555
	"$TREES/copy" "$tree" "$BATS_TEST_TMPDIR/tree"
	cp -a "$BATS_TEST_TMPDIR/tree/." "$IMAGE"
	put_program "$IMAGE" mkswap
	for applet in ln rmdir; do
		ln -s busybox "$IMAGE/bin/$applet"
	done
	mkdir -p "$IMAGE/usr/sbin" "$IMAGE/etc/init.d" "$IMAGE/etc/rc3.d"
	for program; do
		install -m 755 "$STUBS/$program" "$IMAGE/usr/sbin/$program"
	done
	install -m 644 "$STUBS/die" "$IMAGE/var/log/die"
}

# put PATH LINE...: a file of the image.
put() {
	mkdir -p "$(dirname "$IMAGE$1")"
	printf '%s\n' "${@:2}" >"$IMAGE$1"
}

make_systemd() {
	make_tree debian-12 systemctl
	put /usr/lib/systemd/systemd ""
	put /usr/lib/systemd/systemd-logind "HandleSuspendKey HandleSuspendKeyLongPress"
	for unit in systemd-logind ec2hib hibagent hibinit-agent acpid; do
		put "/usr/lib/systemd/system/$unit.service" "[Service]"
	done
	enable hibinit-agent
	put /etc/acpi/events/sleepconf "event=button/sleep.*" "action=/etc/acpi/actions/sleep.sh %e"
	put /etc/acpi/events/powerconf "# sleep" "event=button/power.*" "action=/sbin/poweroff"
}

enable() {
	mkdir -p "$IMAGE/etc/systemd/system/multi-user.target.wants"
	ln -s "/usr/lib/systemd/system/$1.service" \
		"$IMAGE/etc/systemd/system/multi-user.target.wants/$1.service"
}

# What may not differ: all but the swap area, the log of the stubs, and our own state folder.
snapshot() {
	list_image | grep -v '\./var/log\|\./var/lib/ec2hib'
}

# The part of it that is about services: where the swap file lies differs from run to run.
services() {
	snapshot | grep '\./etc/\(systemd\|acpi\|rc3\.d\|init\.d\)'
}

stubs() {
	cat "$IMAGE/var/log/stubs.log" 2>/dev/null | grep -v '^\(grub\|update-initramfs\|dracut\)'
}

DROP_IN=/etc/systemd/logind.conf.d/ec2hib.conf

@test "setup enables the service and keeps logind off the button, teardown undoes both" {
	make_systemd
	before=$(snapshot)
	run setup_image --size 20M
	[ "$status" -eq 0 ]
	[[ "$output" == *"enable the agent (service ec2hib)"* ]]
	[[ "$output" == *"hibinit-agent, acpid (/etc/acpi/events: sleepconf) would answer EC2 as well"* ]]
	run stubs
	[ "$output" = "systemctl --root=/ enable ec2hib.service (offline 1)" ]
	[ "$(fact 'system.agents[] | select(.name == "ec2hib").enabled')" = true ]
	[ "$(fact system.logind_drop_in)" = done ]
	[ "$(fact system.logind_sleep_key)" = ignore ]
	grep -v '^#' "$IMAGE$DROP_IN" >"$BATS_TEST_TMPDIR/settings"
	diff "$BATS_TEST_TMPDIR/settings" - <<-'END'
		[Login]
		HandleSuspendKey=ignore
		HandleHibernateKey=ignore
		HandleSuspendKeyLongPress=ignore
	END
	[ "$(fact 'system.agents[] | select(.name == "hibinit-agent").enabled')" = true ]
	run setup_image --size 20M
	[[ "$output" == *"Nothing to do"* ]]
	"$EC2HIB" --root "$IMAGE" teardown --yes
	diff <(echo "$before") <(snapshot)
}

@test "a logind that does not know long presses is not told of them" {
	make_systemd
	put /usr/lib/systemd/systemd-logind "HandleSuspendKey"
	setup_image --size 20M
	! grep LongPress "$IMAGE$DROP_IN"
}

@test "--take-over switches the older agents off, teardown on again" {
	make_systemd
	before=$(snapshot)
	run setup_image --size 20M --take-over
	[[ "$output" == *"switch off who answered EC2 until now: hibinit-agent, acpid"* ]]
	[ "$(fact system.acpid_events)" = null ]
	[ "$(fact system.taken_over)" = "hibinit-agent acpid/sleepconf" ]
	[ -e "$IMAGE/etc/acpi/events/powerconf" ]
	[ "$(state old-agents)" = pass ]
	run setup_image --size 20M --take-over
	[[ "$output" == *"Nothing to do"* ]]
	"$EC2HIB" --root "$IMAGE" teardown --yes
	diff <(echo "$before") <(snapshot)
	# hibagent was not enabled before, and is not now.
	run stubs
	[[ "$output" == *"enable hibinit-agent.service"* ]]
	[[ "$output" != *" hibagent.service"* ]]
}

@test "--no-service leaves services alone; so does a unit that is missing or masked" {
	make_systemd
	before=$(find "$IMAGE/etc/systemd" "$IMAGE/etc/acpi" | sort)
	setup_image --size 20M --no-service
	run "$EC2HIB" --root "$IMAGE" setup --yes --no-service --take-over
	[ "$status" -eq 2 ]
	[[ "$output" == *"exclude each other"* ]]
	mv "$IMAGE/usr/lib/systemd/system/ec2hib.service" "$BATS_TEST_TMPDIR"
	run setup_image --size 20M --take-over
	[ "$status" -eq 0 ]
	[[ "$output" == *"the service ec2hib is not installed"* ]]
	[[ "$output" == *"the older agents are left as they are"* ]]
	mv "$BATS_TEST_TMPDIR/ec2hib.service" "$IMAGE/usr/lib/systemd/system/ec2hib.service"
	ln -s /dev/null "$IMAGE/etc/systemd/system/ec2hib.service"
	setup_image --size 20M
	rm "$IMAGE/etc/systemd/system/ec2hib.service"
	[ "$before" = "$(find "$IMAGE/etc/systemd" "$IMAGE/etc/acpi" | sort)" ]
	[ -z "$(stubs)" ]
}

@test "a service that cannot be enabled leaves who answered until now as it was" {
	make_systemd
	: >"$IMAGE/var/log/fail-systemctl"
	run setup_image --size 20M --take-over
	[ "$status" -eq 1 ]
	[[ "$output" == *"(service)"*"systemctl"*"Failed to do it"* ]]
	[ -e "$IMAGE/etc/acpi/events/sleepconf" ]
	[ ! -e "$IMAGE$DROP_IN" ]
	rm "$IMAGE/var/log/fail-systemctl"
	setup_image --size 20M --take-over
	run setup_image --size 20M --take-over
	[[ "$output" == *"Nothing to do"* ]]
}

# killed_at_every_program: setup --take-over and teardown, killed before and after each.
killed_at_every_program() {
	local before done when number
	before=$(snapshot)
	setup_image --size 20M --take-over
	done=$(services)
	"$EC2HIB" --root "$IMAGE" teardown --yes
	diff <(echo "$before") <(snapshot)
	for when in before after; do
		for number in $(seq 1 12); do
			rm -f "$IMAGE/var/log/calls"
			echo "$number $when" >"$IMAGE/var/log/kill-at"
			setup_image --size 20M --take-over -q || true
			"$EC2HIB" --root "$IMAGE" teardown --yes -q || true
			rm "$IMAGE/var/log/kill-at"
			setup_image --size 20M --take-over -q
			diff <(echo "$done") <(services)
			"$EC2HIB" --root "$IMAGE" teardown --yes -q
			diff <(echo "$before") <(snapshot)
		done
	done
	[ "$(cat "$IMAGE/var/log/calls")" -ge 4 ]
}

@test "systemd: killed at every program, the next run completes" {
	make_systemd
	killed_at_every_program
}

@test "System V with chkconfig: there and back, killed at every program" {
	make_tree amazon-linux-1 chkconfig
	put /etc/init.d/ec2hib "#!/bin/sh"
	put /etc/init.d/hibagent "#!/bin/sh"
	ln -s ../init.d/hibagent "$IMAGE/etc/rc3.d/S20hibagent"
	killed_at_every_program
	run stubs
	[[ "$output" == "chkconfig --add ec2hib"$'\n'"chkconfig ec2hib on"$'\n'"chkconfig hibagent off"* ]]
	[[ "$output" == *"chkconfig --del ec2hib"* ]]
}

@test "System V with update-rc.d: there and back" {
	make_tree debian-12 update-rc.d
	put /etc/init.d/ec2hib "#!/bin/sh"
	before=$(snapshot)
	setup_image --size 20M
	[ ! -e "$IMAGE$DROP_IN" ]
	"$EC2HIB" --root "$IMAGE" teardown --yes
	diff <(echo "$before") <(snapshot)
	run stubs
	[ "$output" = "update-rc.d ec2hib defaults
update-rc.d ec2hib enable
update-rc.d -f ec2hib remove" ]
}

@test "System V without a program for it says so" {
	make_tree debian-12
	put /etc/init.d/ec2hib "#!/bin/sh"
	run setup_image --size 20M
	[ "$status" -eq 1 ]
	[[ "$output" == *"neither chkconfig nor update-rc.d is there"* ]]
}

# ---- The script ------------------------------------------------------------------------------------

# make_script: the script for System V with a stub in place of the program.
make_script() {
	PLACE=$BATS_TEST_TMPDIR/place
	mkdir -p "$PLACE/sbin" "$PLACE/run" "$PLACE/subsys" "$PLACE/agent"
	cat >"$PLACE/sbin/ec2hib" <<-'END'
		#!/bin/sh
		# ec2hib watch --daemon --pidfile FILE
		place=$(dirname "$0")/..
		echo "$*" >>"$place/asked"
		[ ! -e "$place/fail" ] || exit 1
		"$place/agent/ec2hib" "$place/heard" </dev/null >/dev/null 2>&1 3>&- &
		echo $! >"$4"
	END
	# Its name is what /proc/PID/comm says.
	cat >"$PLACE/agent/ec2hib" <<-'END'
		#!/bin/sh
		trap 'echo HUP >>"$1"' HUP
		trap 'echo TERM >>"$1"; exit' TERM
		while :; do sleep 0.1; done
	END
	chmod +x "$PLACE/sbin/ec2hib" "$PLACE/agent/ec2hib"
	sed -e "s|@sbindir@|$PLACE/sbin|; s|/var/run/|$PLACE/run/|; s|/var/lock/subsys|$PLACE/subsys|" \
		-e "s|^settings=.*|settings=$PLACE/settings|" "$SOURCE/data/ec2hib.init.in" >"$PLACE/script"
}

# says STATUS TEXT VERB: what the script does under $SHELL_UNDER_TEST.
says() {
	run $SHELL_UNDER_TEST "$PLACE/script" "$3"
	echo "$3: $status: $output"
	[ "$status" -eq "$1" ]
	[[ "$output" == *"$2"* ]]
}

script_story() {
	need_root
	make_script
	says 3 "not running" status
	says 0 "not running" stop
	says 7 "not running" reload
	says 0 "" condrestart
	[ ! -e "$PLACE/asked" ]
	echo 'OPTIONS="--config /etc/my.conf"' >"$PLACE/settings"
	says 0 started start
	[ "$(cat "$PLACE/asked")" = \
		"watch --daemon --pidfile $PLACE/run/ec2hib.pid --config /etc/my.conf" ]
	[ -e "$PLACE/subsys/ec2hib" ]
	pid=$(cat "$PLACE/run/ec2hib.pid")
	says 0 "process $pid" status
	says 0 "already running" start
	sleep 0.3
	says 0 "" reload
	says 0 "" force-reload
	sleep 0.3
	grep -q HUP "$PLACE/heard"
	says 0 "process $pid" status
	says 0 started condrestart
	[ "$(cat "$PLACE/run/ec2hib.pid")" != "$pid" ]
	says 0 started restart
	sleep 0.3
	says 0 stopped stop
	grep -q TERM "$PLACE/heard"
	[ ! -e "$PLACE/subsys/ec2hib" ]
	says 3 "not running" status
	# The number is somebody else's by now, or damaged.
	for left in $$ 0 x '' 4194999; do
		echo "$left" >"$PLACE/run/ec2hib.pid"
		says 1 "ec2hib.pid is there" status
	done
	kill -0 $$
	rm "$PLACE/run/ec2hib.pid"
	: >"$PLACE/subsys/ec2hib"
	says 2 "is there" status
	: >"$PLACE/fail"
	says 1 "not started" start
	rm "$PLACE/sbin/ec2hib"
	says 5 "not installed" start
	says 2 usage frob
	run $SHELL_UNDER_TEST "$PLACE/script"
	[ "$status" -eq 2 ]
}

@test "the script for System V, under dash" {
	command -v dash || skip "no dash here"
	SHELL_UNDER_TEST=dash script_story
}

@test "the script for System V, under bash" {
	SHELL_UNDER_TEST="bash --posix" script_story
}

@test "the script for System V, under busybox" {
	SHELL_UNDER_TEST="busybox sh" script_story
}

@test "shellcheck has nothing to say about the script" {
	command -v shellcheck || skip "no shellcheck here"
	shellcheck "$SOURCE/data/ec2hib.init.in"
}

@test "the script has its headers" {
	grep -q '^# chkconfig: 2345 [0-9]* [0-9]*$' "$SOURCE/data/ec2hib.init.in"
	for word in Provides Required-Start Required-Stop Default-Start Default-Stop Short-Description; do
		sed -n '/^### BEGIN INIT INFO/,/^### END INIT INFO/p' "$SOURCE/data/ec2hib.init.in" |
			grep -q "^# $word: "
	done
}

# ---- The unit --------------------------------------------------------------------------------------

make_unit() {
	command -v systemd-analyze || skip "no systemd-analyze here"
	mkdir -p "$BATS_TEST_TMPDIR/units"
	UNIT=$BATS_TEST_TMPDIR/units/ec2hib.service
	ln -s "$EC2HIB" "$BATS_TEST_TMPDIR/ec2hib"
	sed "s|@sbindir@|$BATS_TEST_TMPDIR|" "$SOURCE/data/ec2hib.service.in" >"$UNIT"
}

@test "systemd has nothing to say about the unit" {
	make_unit
	run systemd-analyze verify --man=no --recursive-errors=no "$UNIT"
	echo "$output"
	[ "$status" -eq 0 ]
	[ -z "$output" ]
}

@test "the unit is exposed to 4.6 of 10 at most, by systemd's own measure" {
	make_unit
	systemd-analyze security --offline=true --no-pager "$UNIT" >/dev/null ||
		skip "this systemd-analyze cannot look at a file"
	systemd-analyze security --offline=true --threshold=46 --no-pager "$UNIT" | tail -n 1
}

@test "with the drop-in for setup-on-start systemd has nothing to say either" {
	make_unit
	mkdir "$UNIT.d"
	cp "$SOURCE/data/setup-on-start.conf" "$UNIT.d"
	run systemd-analyze verify --man=no --recursive-errors=no "$UNIT"
	echo "$output"
	[ -z "$output" ]
}
