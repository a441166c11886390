#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# What switches the swap area on at boot beside fstab, and what keeps fstab from doing so.
bats_require_minimum_version 1.5.0

load machine

setup() {
	need_machine
}

teardown() {
	drop_machine
}

only_swap=(--no-boot-config --no-initramfs --prewarm no)

@test "an enabled unit of systemd switches the area on" {
	make_machine debian-12
	setup_image --size 20M "${only_swap[@]}"
	sed -i /x-ec2hib/d "$IMAGE/etc/fstab"
	units=$IMAGE/etc/systemd/system
	mkdir -p "$units/swap.target.wants"
	printf '[Unit]\nDescription=x\n\n[Swap]\nWhat=/swap\n[Install]\nWantedBy=swap.target\n' >"$units/swap.swap"
	[ "$(state swap-at-boot)" = warn ]
	ln -s ../swap.swap "$units/swap.target.wants/"
	[ "$(state swap-at-boot)" = pass ]
	setup_image --size 20M "${only_swap[@]}"
	! grep -w swap "$IMAGE/etc/fstab"
	rm "$units/swap.swap"
	ln -s /dev/null "$units/swap.swap"
	[ "$(state swap-at-boot)" = warn ]
}

@test "what is masked, or switched off on the command line, is not on at boot" {
	make_machine debian-12
	setup_image --size 20M "${only_swap[@]}"
	units=$IMAGE/etc/systemd/system
	mkdir -p "$units"
	[ "$(state swap-at-boot)" = pass ]
	ln -s /dev/null "$units/swap.target"
	[ "$(state swap-at-boot)" = warn ]
	rm "$units/swap.target"
	: >"$units/swap.swap"
	[ "$(state swap-at-boot)" = warn ]
	rm "$units/swap.swap"
	sed -i 's#\(linux\t/boot/vmlinuz.*\)#\1 systemd.swap=0#' "$IMAGE/boot/grub/grub.cfg"
	[ "$(state swap-at-boot)" = warn ]
	sed -i 's#systemd.swap=0#systemd.mask=swap.target#' "$IMAGE/boot/grub/grub.cfg"
	[ "$(state swap-at-boot)" = warn ]
}
