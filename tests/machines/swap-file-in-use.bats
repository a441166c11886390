#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# Which swap file a running machine uses, and when it is on.

load machine

setup() { need_machine; }
teardown() { drop_machine; }

# The machine has 64 MiB of memory, most of it free.
little_memory() {
	printf '%s\n' 'MemTotal: 65536 kB' 'MemFree: 40000 kB' 'MemAvailable: 40000 kB' \
		'Active(anon): 10000 kB' 'Inactive(anon): 0 kB' 'Active(file): 0 kB' \
		'Inactive(file): 0 kB' 'SReclaimable: 0 kB' >"$BATS_TEST_TMPDIR/meminfo"
	mount --bind "$BATS_TEST_TMPDIR/meminfo" "$IMAGE/proc/meminfo" || skip "cannot mount here"
}

@test "a swap file that is on and will do is used by whoever asks" {
	make_machine debian-12 ext4 600M
	start_machine
	little_memory
	fallocate -l 64M "$IMAGE/swapfile"
	chmod 600 "$IMAGE/swapfile"
	mkswap -q "$IMAGE/swapfile"
	swapon "$IMAGE/swapfile"
	[ "$(live_fact area.path)" = /swapfile ]
	[ "$(live_fact area.chosen)" = active ]
	run setup_machine --no-initramfs
	[ "$status" -eq 0 ]
	[[ "$output" == *"/swapfile is used, a swap file that is there already (switched on)"* ]]
	[ "$(live_fact area.chosen)" = remembered ]
	# it is the same when it is off
	swapoff "$IMAGE/swapfile"
	[ "$(live_fact area.path)" = /swapfile ]
	# one that is too small for memory is not chosen, and not replaced
	teardown_machine
	[ -e "$IMAGE/swapfile" ]
	truncate -s 0 "$IMAGE/swapfile"
	fallocate -l 32M "$IMAGE/swapfile"
	mkswap -q "$IMAGE/swapfile"
	swapon "$IMAGE/swapfile"
	[ "$(live_fact area.path)" = /swap ]
}

@test "a swap that is on only around a hibernation is switched off by setup" {
	make_machine debian-12
	start_machine
	little_memory
	setup_machine --size 64M --no-initramfs
	[ "$(live_fact area.active)" = true ]
	run setup_machine --size 64M --no-initramfs --swap-on hibernation
	[ "$status" -eq 0 ]
	[[ "$output" == *"switch /swap off until a hibernation"* ]]
	[ "$(live_fact area.active)" = false ]
	[ "$(live_state swap-active)" = pass ]
	# and on for good when that is asked for again
	setup_machine --size 64M --no-initramfs --swap-on always
	[ "$(live_fact area.active)" = true ]
}
