#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# A whole machine that runs, from the tree of Debian 12: what the other tests of this folder rest on.

load machine

setup() {
	need_machine
}

teardown() {
	drop_machine
}

there_and_back_on() {
	make_machine debian-12 "$1"
	start_machine
	before=$(list_machine)
	[ "$(live_state swap-file)" = fail ]

	setup_machine --size 40M
	grep -q "^$IMAGE$(live_fact area.path) " /proc/swaps
	[ "$(cat "$IMAGE/sys/power/resume")" = "$(cat "$DEVICE_SYS/dev")" ]
	[ "$(cat "$IMAGE/sys/power/resume_offset")" = "$(live_fact area.resume_offset)" ]
	for check in swap-file swap-header resume-device-kernel resume-offset-kernel \
		resume-device-next-boot resume-offset-next-boot swap-at-boot; do
		[ "$(live_state $check)" = pass ]
	done
	run setup_machine --size 40M
	[[ "$output" == *"Nothing to do"* ]]

	teardown_machine
	diff <(echo "$before") <(list_machine)
	[ ! -e "$IMAGE/swap" ]
	! grep -q "^$IMAGE/" /proc/swaps
}

@test "a running machine on ext4: setup makes it ready, teardown leaves it as it was" {
	there_and_back_on ext4
}

@test "a running machine on xfs: setup makes it ready, teardown leaves it as it was" {
	there_and_back_on xfs
}

@test "a running machine on btrfs: setup makes it ready, teardown leaves it as it was" {
	there_and_back_on btrfs
}

@test "a device of another name is the machine's, with what it lies on" {
	make_machine debian-12
	start_machine
	play_device nvme1n1 64M
	play_device dm-1 64M nvme1n1
	mkdir "$DEVICE_SYS/dm"
	echo LVM-aaaa >"$DEVICE_SYS/dm/uuid"
	echo vg-swap >"$DEVICE_SYS/dm/name"
	ln -s ../dm-1 "$IMAGE/dev/mapper/vg-swap"
	mkswap -q "$DEVICE"
	run setup_machine --swap-device /dev/mapper/vg-swap --size 60M --no-boot-config --no-initramfs
	[ "$status" -eq 0 ]
	[ "$(live_fact 'area.devices | map(.name) | join(" ")')" = "dm-1 nvme1n1" ]
	[ "$(cat "$IMAGE/sys/power/resume")" = "$(cat "$DEVICE_SYS/dev")" ]
	grep -q "^$IMAGE/dev/dm-1 " /proc/swaps
}

@test "whatever a test leaves goes: swap, mounts, devices" {
	make_machine debian-12
	start_machine
	mount_device /boot ext4 32M nvme2n1
	kernel_line 'BOOT_IMAGE=/vmlinuz ro'
	[ "$(on_machine /bin/cat /proc/cmdline)" = 'BOOT_IMAGE=/vmlinuz ro' ]
	efi_variable LoaderInfo 'systemd-boot 252'
	[ "$(tail -c +5 "$IMAGE"/sys/firmware/efi/efivars/LoaderInfo-* | tr -d '\0')" = \
		'systemd-boot 252' ]
	setup_machine -q --size 20M --no-boot-config --no-initramfs
	grep -q "^$IMAGE$(live_fact area.path) " /proc/swaps
	device=$DEVICE
	drop_machine
	! grep -q "$BATS_TEST_TMPDIR" /proc/self/mountinfo /proc/swaps
	! losetup "$device" 2>/dev/null | grep -q "$BATS_TEST_TMPDIR"
	[ ! -e "$IMAGE" ]
}
