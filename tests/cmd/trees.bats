#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# Images of whole distributions, through the shipped binary with --root: what status sees, what
# setup would do and does (with stub programs that record their arguments), and that teardown leaves
# the tree as it was.

load ../lib/helpers

TREES=${srcdir:-$top_builddir}/tests/fixtures/trees

setup() {
	need_root
}

teardown() {
	drop_image
}

# make_tree NAME: $IMAGE becomes an ext4 file system with that distribution and a known UUID.
make_tree() {
	make_image ext4 200M 11111111-2222-4333-8444-555555555555
	"$TREES/copy" "$1" "$BATS_TEST_TMPDIR/tree"
	cp -a "$BATS_TEST_TMPDIR/tree/." "$IMAGE"
	put_program "$IMAGE" mkswap
}

# Everything but the swap file, the log of the stubs, and our own empty state folder.
snapshot() {
	(cd "$IMAGE" && find . -xdev \( -path ./lost+found -o -path './swap*' -o -path ./var/log \
		-o -path ./var/lib/ec2hib \) -prune -o -printf '%p %y %m %u %g %l\n' | sort
		find . -xdev -type f ! -path './swap*' ! -path './var/log/*' -exec sha256sum {} + |
			sort -k 2)
}

stubs() {
	cat "$IMAGE/var/log/stubs.log" 2>/dev/null
}

# whole_story TREE: not ready, plan, apply, again, teardown, again.
whole_story() {
	make_tree "$1"
	[ "$(fact boot.loader)" = "$(sed -n 's/^loader=//p' "$TREES/$1/EXPECTED")" ]
	[ "$(fact 'boot.entries | length')" -ge 2 ]
	[ "$(fact '[boot.entries[] | select(.is_default)] | length' 2>/dev/null || echo 1)" = 1 ]
	before=$(snapshot)

	run "$EC2HIB" --root "$IMAGE" status
	[ "$status" -eq 1 ]
	[[ "$output" == *"fail    swap-file"* ]]

	run "$EC2HIB" --root "$IMAGE" setup --dry-run --size 20M
	[ "$status" -eq 0 ]
	[[ "$output" == *"make the swap file /swap: 20.0 MiB"* ]]
	[[ "$output" == *"boot arguments resume=UUID=11111111-2222-4333-8444-555555555555"* ]]
	[ "$before" = "$(snapshot)" ]
	[ -z "$(stubs)" ]

	setup_image --size 20M
	offset=$(fact area.resume_offset)
	[ "$(fact '[boot.entries[] | select(.rescue | not) | .arguments
		| select(test("resume_offset='"$offset"'( |$)") | not)] | length' 2>/dev/null ||
		"$EC2HIB" --root "$IMAGE" status --json | jq --arg o "resume_offset=$offset" \
			'[.facts.boot.entries[] | select(.rescue | not) | select(.arguments
			| split(" ") | index($o) | not)] | length')" = 0 ]
	for check in swap-file swap-header resume-offset-next-boot resume-device-next-boot \
		resume-value swap-at-boot boot-loader; do
		[ "$(state $check)" = pass ]
	done

	after=$(snapshot)
	run setup_image --size 20M
	[[ "$output" == *"Nothing to do"* ]]
	[ "$after" = "$(snapshot)" ]

	"$EC2HIB" --root "$IMAGE" teardown --yes
	diff <(echo "$before") <(snapshot)
	[ ! -e "$IMAGE/swap" ]
	run "$EC2HIB" --root "$IMAGE" teardown --yes
	[ "$status" -eq 0 ]
	[[ "$output" == *"Nothing to do"* ]]
}

@test "Amazon Linux 1: GRUB legacy" {
	whole_story amazon-linux-1
	# no program has a part in it but mkswap
	run stubs
	[[ "$output" != *grub* ]]
}

@test "Amazon Linux 2: /etc/default/grub and grub2-mkconfig, dracut" {
	whole_story amazon-linux-2
	run stubs
	[[ "$output" == *"grub2-mkconfig"* ]]
	[[ "$output" == *"dracut"* ]]
}

@test "Amazon Linux 2023: entry files without grubby, dracut" {
	whole_story amazon-linux-2023
	run stubs
	[[ "$output" != *"grubby"* ]]
	[[ "$output" == *"dracut"* ]]
}

@test "Ubuntu 22.04 cloud image: grub.d, GRUB_FORCE_PARTUUID" {
	whole_story ubuntu-22.04
	run stubs
	[[ "$output" == *"grub-mkconfig"* ]]
}

@test "Debian 12: grub.d, initramfs-tools" {
	whole_story debian-12
	run stubs
	[[ "$output" == *"grub-mkconfig"* ]]
	[[ "$output" == *"update-initramfs"* ]]
}

@test "RHEL 9: BLS entries without grubby" {
	whole_story rhel-9
	run stubs
	[[ "$output" != *"grubby"* ]]
}

@test "SLES 15: grub2-mkconfig, dracut" {
	whole_story sles-15
	run stubs
	[[ "$output" == *"grub2-mkconfig"* ]]
}

@test "every other tree" {
	for tree in "$TREES"/*/EXPECTED; do
		tree=$(basename "$(dirname "$tree")")
		! grep -q "whole_story $tree\$" "$BATS_TEST_FILENAME" || continue
		whole_story "$tree"
		drop_image
		rm -r "$BATS_TEST_TMPDIR"/*
	done
}

@test "a step that fails says which and why, and the next run completes" {
	make_tree debian-12
	: >"$IMAGE/var/log/fail-update-initramfs"
	run setup_image --size 20M
	[ "$status" -eq 1 ]
	[[ "$output" == *"step "*" of "*"(initramfs)"*"update-initramfs"* ]]
	[ "$(state resume-offset-next-boot)" = pass ]
	rm "$IMAGE/var/log/fail-update-initramfs"
	setup_image --size 20M
	run setup_image --size 20M
	[[ "$output" == *"Nothing to do"* ]]
}

@test "a program of a setup that was killed is ended before the next setup begins" {
	make_tree debian-12
	cat >"$IMAGE/usr/sbin/update-initramfs" <<-'EOF'
		#!/bin/sh
		echo $$ >/var/log/process
		exec /bin/busybox sleep 600
	EOF
	"$EC2HIB" --root "$IMAGE" setup --yes -q --size 20M 3>&- &
	killed=$!
	within 20 test -s "$IMAGE/var/log/process"
	kill -KILL "$killed"
	wait "$killed" || true
	run "$EC2HIB" --root "$IMAGE" setup --yes --size 20M --no-initramfs
	echo "$output"
	[ "$status" -eq 0 ]
	! kill -0 "$(cat "$IMAGE/var/log/process")"
}

@test "an area in place of another one is said" {
	make_tree debian-12
	setup_image --size 20M --swapfile /first
	run setup_image --size 20M --swapfile /second
	[ "$status" -eq 0 ]
	[[ "$output" == *"note: /first, the swap area until now, stays"* ]]
	[ -e "$IMAGE/first" ]
	[ -e "$IMAGE/second" ]
}

@test "--no-boot-config and --no-initramfs leave both alone and say so" {
	make_tree debian-12
	before=$(snapshot | grep -v fstab)
	run setup_image --size 20M --no-boot-config --no-initramfs
	[ "$status" -eq 0 ]
	[[ "$output" == *"boot configuration is left alone as asked; it needs: resume=UUID="* ]]
	[ "$before" = "$(snapshot | grep -v fstab)" ]
}

@test "an area that setup was given is found again without options" {
	make_tree debian-12
	mkdir "$IMAGE/data"
	before=$(snapshot)
	setup_image --size 20M --swapfile /data/hibernation
	[ "$(fact area.path)" = /data/hibernation ]
	[ "$(state swap-file)" = pass ]
	run setup_image --size 20M
	[[ "$output" == *"Nothing to do"* ]]
	"$EC2HIB" --root "$IMAGE" teardown --yes
	[ "$(fact area.path)" = /swap ]
	diff <(echo "$before") <(snapshot)
}

@test "the configuration of the old agents works with --config" {
	make_tree amazon-linux-2
	printf '[core]\ngrub-update = True\ntouch-swap = False\nbtrfs-enabled = False\n%s\n' \
		'[swap]
percentage-of-ram = 100
target-size-mb = 30
mkswap = mkswap {swapfile}' >"$BATS_TEST_TMPDIR/hibinit-config.cfg"
	run "$EC2HIB" --config "$BATS_TEST_TMPDIR/hibinit-config.cfg" --root "$IMAGE" \
		setup --yes --size 30M
	[ "$status" -eq 0 ]
	[[ "$output" != *warning* ]]
	[ "$(stat -c %s "$IMAGE/swap")" = $((30 << 20)) ]
}
