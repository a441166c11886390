#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# Snapshots of the root subvolume go on working after setup, with the swap switched on.

load machine

setup() { need_machine; }
teardown() { drop_machine; }

@test "a snapshot of / after setup works, and the swap file is not spoilt" {
	need_program btrfs
	make_machine debian-12 btrfs
	start_machine
	setup_machine --size 40M --no-initramfs
	[ "$(live_fact area.path)" = /swap/swapfile ]
	[ "$(live_fact area.active)" = true ]
	[ "$(live_state swap-snapshots)" = pass ]
	btrfs subvolume snapshot -r "$IMAGE" "$IMAGE/snapshot"
	[ "$(live_state swap-copy-on-write)" = pass ]
	[ ! -e "$IMAGE/snapshot/swap/swapfile" ]
	btrfs subvolume delete "$IMAGE/snapshot" >/dev/null
	teardown_machine
	[ ! -e "$IMAGE/swap" ]
	! grep -q "$IMAGE" /proc/swaps
}

@test "where snapper takes snapshots of / a swap file in it is a warning" {
	need_program btrfs
	make_machine sles-15 btrfs
	mkdir -p "$IMAGE/etc/snapper/configs"
	printf 'SUBVOLUME="/"\nFSTYPE="btrfs"\n' >"$IMAGE/etc/snapper/configs/root"
	setup_image --size 40M --swapfile /swapfile --no-boot-config --no-initramfs
	[ "$(state swap-snapshots)" = warn ]
	run "$EC2HIB" --root "$IMAGE" status swap-snapshots
	[[ "$output" == *"snapper takes snapshots"*"--swapfile /swap-ec2hib/swapfile"* ]]
}
