#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# Nobody leads a command to another file than the swap file, whenever he exchanges it.

load machine

setup() {
	need_machine
	make_machine debian-12
	start_machine
	install -d -o 1000 -g 1000 "$IMAGE/home/user"
}

teardown() {
	drop_machine
}

# swap_of_ours PATH: a swap file as setup makes it.
swap_of_ours() {
	dd if=/dev/zero of="$IMAGE$1" bs=1M count=20 status=none
	chmod 600 "$IMAGE$1"
	mkswap -q -L ec2hib "$IMAGE$1"
}

@test "teardown refuses a swap file that a user could exchange, and touches nothing" {
	swap_of_ours /home/user/swap
	before=$(list_machine)
	run on_machine /usr/sbin/ec2hib teardown --yes --swapfile /home/user/swap
	[ "$status" -eq 1 ]
	[[ "$output" == *"cannot remove /home/user/swap: others could exchange it: /home/user belongs to uid 1000"* ]]
	[ "$before" = "$(list_machine)" ]
}

# exchange_while_asked COMMAND: when the question is there, the user gets the folder and leads the
# name to another file. What the command said is in $output.
exchange_while_asked() {
	local said=$BATS_TEST_TMPDIR/said end=$((SECONDS + 60)) asked
	mkfifo "$BATS_TEST_TMPDIR/keys"
	exec 8<>"$BATS_TEST_TMPDIR/keys"
	script -qec "chroot '$IMAGE' /usr/sbin/ec2hib $1" /dev/null <&8 >"$said" 2>&1 8>&- 3>&- &
	asked=$!
	until grep -q 'Apply this plan' "$said"; do
		((SECONDS < end)) || return 1
		sleep 0.05
	done
	chown 1000 "$IMAGE/srv/own"
	mv "$IMAGE/srv/own" "$IMAGE/srv/away"
	ln -s ../etc "$IMAGE/srv/own"
	echo y >&8
	wait "$asked" || true
	exec 8>&-
	output=$(tr -s " \r\n" " " <"$said")
}

@test "a folder that is exchanged while teardown asks leads to no other file" {
	need_program script
	install -d "$IMAGE/srv/own"
	setup_machine --size 20M --swapfile /srv/own/swap
	echo precious >"$IMAGE/etc/swap"
	swapoff "$IMAGE/srv/own/swap"
	rm "$IMAGE/sys/power/resume_offset" # a file cannot play what a kernel does with it
	exchange_while_asked "teardown --swapfile /srv/own/swap"
	[ "$(cat "$IMAGE/etc/swap")" = precious ]
	[[ "$output" == *"/srv/own is a symbolic link"* ]]
	[ -e "$IMAGE/srv/away/swap" ]
}

@test "what setup switches on has its own name in /proc/swaps" {
	setup_machine --size 20M --no-boot-config
	grep -q "^$IMAGE/swap " /proc/swaps
	on_machine /usr/sbin/ec2hib status --json swap-active | jq -e '.checks[0].state == "pass"'
}
