#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# One line of fstab for the swap area, whatever name it has there: a second one makes systemd's own
# generator fail, and the generator takes every fstab that setup leaves.
bats_require_minimum_version 1.5.0

load machine

AREA_UUID=aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee
GENERATOR=/usr/lib/systemd/system-generators/systemd-fstab-generator

setup() {
	need_machine
}

teardown() {
	drop_machine
}

only_swap=(--no-boot-config --no-initramfs --prewarm no)

# generate [COMMAND-LINE]: systemd's generator reads the image's fstab, as on a machine that boots. It
# looks for a container first, so it runs in a copy of this machine's / that has no sign of one.
# $UNITS is where its units are.
generate() {
	[ -x "$GENERATOR" ] || skip "needs $GENERATOR"
	UNITS=$BATS_TEST_TMPDIR/units
	rm -rf "$UNITS"
	mkdir -p "$UNITS"
	# shellcheck disable=SC2016 # the shell inside expands them
	unshare --mount --pid --fork sh -c '
		set -e
		host=$(mktemp -d)
		mount -t tmpfs tmpfs "$host"
		mkdir "$host/upper" "$host/work" "$host/root"
		mount -t overlay overlay "$host/root" \
			-o "lowerdir=/,upperdir=$host/upper,workdir=$host/work" || exit 77
		rm -f "$host/root/.dockerenv"
		mount -t proc proc "$host/root/proc"
		mount -t tmpfs tmpfs "$host/root/run"
		mkdir -p "$host/root/generated"
		cp "$1" "$host/root/fstab.in"
		status=0
		chroot "$host/root" env -i SYSTEMD_IN_CHROOT=0 SYSTEMD_IGNORE_CHROOT=1 \
			SYSTEMD_LOG_TARGET=console SYSTEMD_FSTAB=/fstab.in \
			SYSTEMD_PROC_CMDLINE="$3" "$4" /generated /generated /generated || status=$?
		cp -a "$host/root/generated/." "$2/"
		exit $status' sh "$IMAGE/etc/fstab" "$UNITS" "${1:-quiet}" "$GENERATOR"
}

# started: how many units of swap a boot starts.
started() {
	find "$UNITS" -path '*swap.target.*' -name '*.swap' | wc -l
}

accepted() {
	local status=0
	generate "$@" || status=$?
	[ "$status" -ne 77 ] || skip "cannot mount overlay here"
	[ "$status" -eq 0 ]
}

swap_lines() {
	grep -cw swap "$IMAGE/etc/fstab"
}

@test "the generator takes every fstab that setup leaves" {
	local tree
	for tree in $(cd "$TREES" && echo */); do
		tree=${tree%/}
		[ -e "$TREES/$tree/etc/fstab" ] || continue
		make_machine "$tree"
		before=$(cat "$IMAGE/etc/fstab")
		setup_image --size 20M "${only_swap[@]}" || true
		setup_image --size 20M "${only_swap[@]}" || true
		accepted || { echo "$tree"; false; }
		if grep -q x-ec2hib "$IMAGE/etc/fstab"; then
			[ "$(started)" -ge 1 ]
		fi
		"$EC2HIB" --root "$IMAGE" teardown --yes
		[ "$before" = "$(cat "$IMAGE/etc/fstab")" ]
		drop_machine
	done
}

@test "noauto is not on at boot: setup takes the word out, teardown puts it back" {
	make_machine debian-12
	printf '/swap\tnone\tswap\tnoauto,pri=0\t0 0\n' >>"$IMAGE/etc/fstab"
	before=$(cat "$IMAGE/etc/fstab")
	run setup_image --size 20M --dry-run "${only_swap[@]}"
	[[ $output == *noauto* ]]
	setup_image --size 20M "${only_swap[@]}"
	[ "$(swap_lines)" -eq 1 ]
	[ "$(state swap-at-boot)" = pass ]
	accepted
	[ "$(started)" -eq 1 ]
	"$EC2HIB" --root "$IMAGE" teardown --yes
	[ "$before" = "$(cat "$IMAGE/etc/fstab")" ]
}

@test "the same at the end of a line of DOS" {
	make_machine debian-12
	printf '/swap none swap pri=0,noauto\r\n' >>"$IMAGE/etc/fstab"
	cp "$IMAGE/etc/fstab" "$BATS_TEST_TMPDIR/before"
	setup_image --size 20M "${only_swap[@]}"
	[ "$(swap_lines)" -eq 1 ]
	[ "$(state swap-at-boot)" = pass ]
	run setup_image --size 20M "${only_swap[@]}"
	[[ $output == *"Nothing to do"* ]]
	"$EC2HIB" --root "$IMAGE" teardown --yes
	cmp "$IMAGE/etc/fstab" "$BATS_TEST_TMPDIR/before"
}

@test "a device is the same under every name that it has" {
	local name
	make_machine debian-12
	start_machine
	play_device dm-1 64M
	mkdir -p "$DEVICE_SYS/dm"
	echo LVM-0123456789abcdef >"$DEVICE_SYS/dm/uuid"
	echo vg--0-swap >"$DEVICE_SYS/dm/name"
	mkswap -q -U "$AREA_UUID" -L 'my swap' "$DEVICE"
	ln -s ../dm-1 "$IMAGE/dev/mapper/vg--0-swap"
	mkdir "$IMAGE/dev/vg-0"
	ln -s ../dm-1 "$IMAGE/dev/vg-0/swap"
	ln -s ../../dm-1 "$IMAGE/dev/disk/by-id/dm-name-vg--0-swap"
	ln -s dm-1 "$IMAGE/dev/hibernation"
	before=$(cat "$IMAGE/etc/fstab")
	for name in "UUID=$AREA_UUID" "UUID=\"$AREA_UUID\"" "/dev/disk/by-uuid/$AREA_UUID" \
		'LABEL=my\040swap' '"LABEL=my\040swap"' '/dev/disk/by-label/my\x20swap' /dev/dm-1 \
		/dev/mapper/vg--0-swap /dev/vg-0/swap /dev/disk/by-id/dm-name-vg--0-swap \
		ID=dm-name-vg--0-swap /dev/hibernation; do
		printf '%s\n%s none swap sw 0 0\n' "$before" "$name" >"$IMAGE/etc/fstab"
		setup_machine --swap-device /dev/dm-1 --size 60M "${only_swap[@]}"
		echo "$name: $(cat "$IMAGE/etc/fstab")"
		[ "$(swap_lines)" -eq 1 ]
		[ "$(live_state swap-at-boot)" = pass ]
	done
	[ "$(live_fact area.path)" = /dev/mapper/vg--0-swap ]
	printf '%s\nUUID=%s none swap sw 0 0\n' "$before" "${AREA_UUID/a/b}" >"$IMAGE/etc/fstab"
	setup_machine --swap-device /dev/dm-1 --size 60M "${only_swap[@]}"
	[ "$(swap_lines)" -eq 2 ]
}

@test "a path with links and slashes is the same file" {
	make_machine debian-12
	setup_image --size 20M "${only_swap[@]}"
	ln -s / "$IMAGE/here"
	for name in //swap /here/swap /./swap; do
		printf '%s none swap sw 0 0\n' "$name" >"$IMAGE/etc/fstab"
		[ "$(state swap-at-boot)" = pass ]
	done
	echo '/swap2 none swap sw 0 0' >"$IMAGE/etc/fstab"
	[ "$(state swap-at-boot)" = warn ]
}

@test "the generator passes over our line where swap is switched off for the boot" {
	make_machine debian-12
	setup_image --size 20M "${only_swap[@]}"
	accepted
	[ "$(started)" -eq 1 ]
	accepted systemd.swap=0
	[ "$(started)" -eq 0 ]
}
