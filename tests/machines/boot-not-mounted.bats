#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# /boot or the EFI system partition is to be mounted and is not: what lies below the mount point is
# not what boots.

load machine

setup() {
	need_machine
}

teardown() {
	drop_machine
}

boot_files() {
	(cd "$IMAGE" && find boot etc/default etc/kernel -type f -exec sha256sum {} + | sort -k 2)
}

want_boot() {
	printf 'UUID=96d15588-3596-4b3c-adca-a2ff7279ea63 %s xfs defaults 0 0\n' "${1:-/boot}" >>"$IMAGE/etc/fstab"
}

refuses_boot_on_machine() {
	local before
	before=$(boot_files)
	[ "$(live_state boot-loader)" = fail ]
	[[ "$(live_text boot-loader)" == "$1"*"not mounted"* ]]
	run setup_machine --size 20M
	[ "$status" -eq 1 ]
	[[ "${lines[-1]}" == *"mount $1, then run: ec2hib setup"* ]]
	[ "$before" = "$(boot_files)" ]
	# the rest was done
	[ "$(cat "$IMAGE/sys/power/resume")" = "$(cat "$DEVICE_SYS/dev")" ]
	[ "$(live_state swap-at-boot)" = pass ]
	[ "$(live_state resume-offset-next-boot)" = unknown ]
}

@test "/boot is in fstab and not mounted: a failed check, nothing below it is edited" {
	make_machine rhel-9
	want_boot
	start_machine
	refuses_boot_on_machine /boot
}

@test "the same with noauto and a slash at the end" {
	make_machine debian-12
	printf 'UUID=96d15588-3596-4b3c-adca-a2ff7279ea63\t/boot/\text4\tnoauto\t0\t0\n' >>"$IMAGE/etc/fstab"
	start_machine
	refuses_boot_on_machine /boot
}

@test "the same with a mount unit" {
	make_machine rhel-9
	mkdir -p "$IMAGE/etc/systemd/system"
	printf '[Mount]\nWhat=/dev/vdb1\nWhere=/boot\n' >"$IMAGE/etc/systemd/system/boot.mount"
	start_machine
	refuses_boot_on_machine /boot
}

@test "a masked mount unit wants nothing" {
	make_machine debian-12
	mkdir -p "$IMAGE/etc/systemd/system"
	ln -s /dev/null "$IMAGE/etc/systemd/system/boot.mount"
	start_machine
	[ "$(live_state boot-loader)" = pass ]
}

@test "/boot is mounted: it is edited" {
	make_machine debian-12
	want_boot
	cp -a "$IMAGE/boot" "$BATS_TEST_TMPDIR/boot"
	start_machine
	root=$DEVICE_SYS
	mount_device /boot ext4 64M nvme2n1
	cp -a "$BATS_TEST_TMPDIR/boot/." "$IMAGE/boot/"
	DEVICE_SYS=$root
	[ "$(live_fact boot.unmounted)" = null ]
	setup_machine --size 20M
	[ "$(live_state boot-loader)" = pass ]
	[ "$(live_state resume-offset-next-boot)" = pass ]
}

@test "the EFI partition is not mounted: failed with UEFI, of no account with a BIOS" {
	make_machine debian-12
	want_boot /boot/efi
	mkdir -p "$IMAGE/boot/efi"
	start_machine
	[ "$(live_state boot-loader)" = pass ]
	mkdir -p "$IMAGE/sys/firmware/efi"
	[ "$(live_state boot-loader)" = fail ]
	[[ "$(live_text boot-loader)" == "/boot/efi is in /etc/fstab but not mounted"* ]]
}

# What systemd-boot reads lies on a partition: /efi is wanted, and the files below /boot/efi are old.
@test "the partition of systemd-boot is not mounted: files in another folder are not edited" {
	make_machine debian-13-systemd-boot
	sed -i '\,/boot/efi,d' "$IMAGE/etc/fstab"
	printf 'PARTUUID=12345678-1234-4234-8234-123456789abc /efi vfat umask=0077 0 2\n' >>"$IMAGE/etc/fstab"
	mkdir "$IMAGE/efi"
	start_machine
	efi_variable LoaderInfo 'systemd-boot 257.8'
	refuses_boot_on_machine /efi
}

@test "nobody wants the partition of systemd-boot mounted: the one that it names is missed" {
	make_machine debian-13-systemd-boot
	sed -i '\,/boot/efi,d' "$IMAGE/etc/fstab"
	start_machine
	efi_variable LoaderInfo 'systemd-boot 257.8'
	efi_variable LoaderDevicePartUUID '12345678-1234-4234-8234-123456789ABC'
	before=$(boot_files)
	[[ "$(live_text boot-loader)" == *"from the partition 12345678-1234-4234-8234-123456789abc, which is not mounted"* ]]
	run setup_machine --size 20M
	[ "$status" -eq 1 ]
	[ "$before" = "$(boot_files)" ]
	[ "$(live_state boot-loader)" = fail ]
}

@test "an image with an empty /boot that fstab has: refused" {
	make_machine rhel-9
	want_boot
	rm -rf "$IMAGE"/boot/*
	mkdir "$IMAGE/boot/efi"
	[ "$(state boot-loader)" = fail ]
	run setup_image --size 20M
	[ "$status" -eq 1 ]
	[[ "${lines[-1]}" == *"mount /boot, then run: ec2hib setup"* ]]
	[ -z "$(find "$IMAGE/boot" -type f)" ]
}

@test "an image with files in a /boot that fstab has: said, and set up" {
	make_machine rhel-9
	want_boot
	[ "$("$EC2HIB" --root "$IMAGE" status --json | jq -r '.facts.boot.unmounted | type')" = object ]
	run setup_image --size 20M
	[ "$status" -eq 0 ]
	[[ "$output" == *"/boot is in /etc/fstab and not mounted, but has files"* ]]
}
