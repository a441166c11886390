#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# What an entry says as its version is text for people. The release is in the kernel.

load machine

setup() {
	need_machine
}

teardown() {
	drop_machine
}

# entry NAME VERSION KERNEL: the only entry, with that version and kernel (as the loader names it).
entry() {
	rm -rf "$IMAGE"/boot/loader "$IMAGE"/usr/sbin/grub* "$IMAGE"/boot/grub2
	mkdir -p "$IMAGE/boot/loader/entries"
	printf 'title x\nversion %s\nlinux %s\ninitrd %s.img\noptions root=UUID=5e22 ro\n' "$2" "$3" "$3" \
		>"$IMAGE/boot/loader/entries/$1.conf"
}

# kernel PATH RELEASE: a kernel that says it is of that release.
kernel() {
	mkdir -p "$IMAGE$(dirname "$1")"
	"$IMAGE/bin/stub-image" kernel "$IMAGE$1" "$2"
}

# Banner of an arm64 Image, plain.
arm64() { # RELEASE
	head -c 56 /dev/zero
	printf 'ARM\x64'
	head -c 100000 /dev/zero
	printf '\001Linux version %s (gcc) #1 SMP\n' "$1"
	head -c 300000 /dev/zero
}

@test "ostree: the number of a deployment is no release" {
	make_machine rhel-9
	entry ostree-1 1 /ostree/a/vmlinuz-6.12.4-200.fc41.x86_64
	kernel /boot/ostree/a/vmlinuz-6.12.4-200.fc41.x86_64 6.12.4-200.fc41.x86_64
	[ "$(fact 'boot.entries[0].release')" = 6.12.4-200.fc41.x86_64 ]
	[ "$(fact 'boot.entries[0].version')" = 1 ]
}

@test "a kernel that is none: the name counts only where there are modules for it" {
	make_machine rhel-9
	entry ostree-1 1 /ostree/a/vmlinuz-6.12.4-200.fc41.x86_64
	mkdir -p "$IMAGE/boot/ostree/a"
	echo k >"$IMAGE/boot/ostree/a/vmlinuz-6.12.4-200.fc41.x86_64"
	[[ "$(fact 'boot.entries[0].release.unknown')" == *"not a kernel"* ]]
	mkdir -p "$IMAGE"/lib/modules/6.12.4-200.fc41.x86_64 "$IMAGE"/lib/modules/6.12.4
	[ "$(fact 'boot.entries[0].release')" = 6.12.4-200.fc41.x86_64 ]
}

@test "NixOS, Arch, and a folder with the machine id" {
	make_machine rhel-9
	R=6.12.9
	entry nixos-generation-42 "Generation 42 NixOS 24.11, Linux Kernel $R" "/EFI/nixos/abc-linux-$R-bzImage.efi"
	[[ "$(fact 'boot.entries[0].release.unknown')" == *"was not found"* ]]
	kernel "/boot/EFI/nixos/abc-linux-$R-bzImage.efi" "$R"
	[ "$(fact 'boot.entries[0].release')" = "$R" ]
	entry arch 1 /vmlinuz-linux
	kernel /boot/vmlinuz-linux 6.18.3-arch1-1
	[ "$(fact 'boot.entries[0].release')" = 6.18.3-arch1-1 ]
	entry fedora 1 "/ec2f1a0b3c4d5e6f708192a3b4c5d6e7/$R/linux"
	echo k >"$IMAGE/boot/vmlinuz-linux"
	mkdir -p "$IMAGE/boot/ec2f1a0b3c4d5e6f708192a3b4c5d6e7/$R" "$IMAGE/usr/lib/modules/$R"
	echo k >"$IMAGE/boot/ec2f1a0b3c4d5e6f708192a3b4c5d6e7/$R/linux"
	[ "$(fact 'boot.entries[0].release')" = "$R" ]
}

@test "arm64: plain, packed, and as an EFI program that unpacks itself" {
	make_machine rhel-9
	entry a 1 /Image
	arm64 6.1.0-25-arm64 >"$IMAGE/boot/Image"
	[ "$(fact 'boot.entries[0].release')" = 6.1.0-25-arm64 ]
	arm64 6.1.0-26-arm64 | gzip >"$IMAGE/boot/Image"
	[ "$(fact 'boot.entries[0].release')" = 6.1.0-26-arm64 ]
	for tool in gzip zstd xz; do
		need_program $tool
		arm64 "6.12.1-$tool" | $tool -c >"$BATS_TEST_TMPDIR/payload"
		size=$(stat -c %s "$BATS_TEST_TMPDIR/payload")
		{
			printf 'MZ\0\0zimg\100\0\0\0'
			printf "\\x$(printf %02x $((size & 255)))\\x$(printf %02x $((size >> 8 & 255)))\\x$(printf %02x $((size >> 16)))\\0"
			head -c 48 /dev/zero
			cat "$BATS_TEST_TMPDIR/payload"
			echo more
		} >"$IMAGE/boot/Image"
		[ "$(fact 'boot.entries[0].release')" = "6.12.1-$tool" ]
	done
}

@test "the running machine: another release warns, a version does not" {
	make_machine rhel-9
	entry a "$(uname -r)" /vmlinuz-linux
	kernel /boot/vmlinuz-linux 5.0.0-other
	start_machine
	[[ "$(live_state kernel-version-next-boot)" == @(warn|fail) ]]
	kernel /boot/vmlinuz-linux "$(uname -r)"
	[ "$(live_state kernel-version-next-boot)" = pass ]
	entry a 1 /vmlinuz-linux
	[ "$(live_state kernel-version-next-boot)" = pass ]
	echo k >"$IMAGE/boot/vmlinuz-linux"
	[ "$(live_state kernel-version-next-boot)" = unknown ]
}

@test "dracut is told the release, never a version" {
	make_machine rhel-9
	sed -i 's/^version .*/version 1/' "$IMAGE"/boot/loader/entries/*.conf
	setup_image --size 20M
	run stubs
	[[ "$output" == *"dracut -f "*" 5.14.0-427.31.1.el9_4.x86_64"* ]]
}
