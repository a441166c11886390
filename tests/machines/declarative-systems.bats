#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# Systems that make their boot configuration themselves: recognised, read, and told how by their own
# means; nothing of theirs is changed.

load machine

setup() {
	need_machine
}

teardown() {
	drop_machine
}

theirs() {
	(cd "$IMAGE" && find boot etc nix ostree usr -type f -exec sha256sum {} + 2>/dev/null | sort -k 2)
}

nixos() {
	make_machine rhel-9
	rm -rf "$IMAGE"/usr/sbin/grub* "$IMAGE/etc/default/grub" "$IMAGE/etc/kernel" \
		"$IMAGE/usr/bin/dracut" "$IMAGE"/boot/*
	mkdir -p "$IMAGE/boot/loader/entries" "$IMAGE/nix/store/abc-etc/etc/tmpfiles.d"
	printf 'title NixOS\nversion Generation 42\nlinux /EFI/nixos/k.efi\ninitrd /EFI/nixos/i.efi\noptions init=/nix/store/xyz/init root=fstab\n' \
		>"$IMAGE/boot/loader/entries/nixos-generation-42.conf"
	printf 'default nixos-generation-42.conf\n' >"$IMAGE/boot/loader/loader.conf"
	mv "$IMAGE/etc/fstab" "$IMAGE/nix/store/abc-etc/etc/fstab"
	ln -s /nix/store/abc-etc/etc "$IMAGE/etc/static"
	ln -s /etc/static/fstab "$IMAGE/etc/fstab"
	ln -s /etc/static/tmpfiles.d "$IMAGE/etc/tmpfiles.d"
}

@test "NixOS: fstab in the store and the entries stay, the words are of its configuration" {
	nixos
	before=$(theirs)
	run setup_image --size 20M
	[ "$status" -eq 1 ]
	[[ "$output" == *'swapDevices = [ { device = "/swap"; } ]'* ]]
	[[ "$output" == *"boot.kernelParams = [ \"resume=UUID=$ROOT_UUID\" \"resume_offset=$(fact area.resume_offset)\""* ]]
	[[ "$output" == *"boot.resumeDevice = \"/dev/disk/by-uuid/$ROOT_UUID\""* ]]
	[ "$before" = "$(theirs)" ]
	[ "$(fact boot.loader)" = nixos ]
	[ "$(state boot-loader)" = fail ]
	[ "$(state resume-offset-next-boot)" = fail ]
}

@test "NixOS: once its own configuration has them, all is well" {
	nixos
	run setup_image --size 20M
	sed -i "s|root=fstab|& resume=UUID=$ROOT_UUID resume_offset=$(fact area.resume_offset) no_console_suspend=1|" \
		"$IMAGE/boot/loader/entries/nixos-generation-42.conf"
	printf '/swap none swap defaults 0 0\n' >>"$IMAGE/nix/store/abc-etc/etc/fstab"
	[ "$(state boot-loader)" = pass ]
	[ "$(state resume-offset-next-boot)" = pass ]
	run setup_image --size 20M
	[ "$status" -eq 0 ]
	[[ "$output" == *"Nothing to do"* ]]
}

@test "nothing is ever written into a store, whoever asks" {
	nixos
	rm "$IMAGE/etc/static"
	# not recognised any more but by the link of fstab: that goes, too
	rm "$IMAGE/etc/fstab"
	mkdir "$IMAGE/etc/static"
	ln -s /nix/store/abc-etc/etc/fstab "$IMAGE/etc/static/fstab"
	ln -s static/fstab "$IMAGE/etc/fstab"
	before=$(cat "$IMAGE/nix/store/abc-etc/etc/fstab")
	run setup_image --size 20M
	[ "$before" = "$(cat "$IMAGE/nix/store/abc-etc/etc/fstab")" ]
}

ostree() {
	make_machine rhel-9
	rm -rf "$IMAGE"/usr/sbin/grub* "$IMAGE/etc/kernel" "$IMAGE/boot/loader" \
		"$IMAGE"/boot/{vmlinuz,initramfs}*
	mkdir -p "$IMAGE/boot/loader.1/entries" "$IMAGE/boot/ostree/aa11" "$IMAGE/ostree/deploy" "$IMAGE/var/swap"
	ln -s loader.1 "$IMAGE/boot/loader"
	echo k >"$IMAGE/boot/ostree/aa11/vmlinuz-6.12.4"
	echo before >"$IMAGE/boot/ostree/aa11/initramfs-6.12.4.img"
	printf 'title FCOS\nversion 1\noptions root=UUID=5e22 ostree=/ostree/boot.1/x/aa11/0\nlinux /ostree/aa11/vmlinuz-6.12.4\ninitrd /ostree/aa11/initramfs-6.12.4.img\n' \
		>"$IMAGE/boot/loader.1/entries/ostree-1.conf"
}

put_stub() {
	printf '#!/bin/sh\necho %s >>/var/log/stubs.log\n' "$1" >"$IMAGE/usr/bin/$1"
	chmod +x "$IMAGE/usr/bin/$1"
}

@test "rpm-ostree: kargs and initramfs of the deployment are its own" {
	ostree
	put_stub rpm-ostree
	entries=$(cat "$IMAGE"/boot/loader/entries/*)
	run setup_image --swapfile /var/swap/file --size 20M
	[ "$status" -eq 1 ]
	[[ "$output" == *"rpm-ostree kargs --append-if-missing=resume=UUID=$ROOT_UUID --append-if-missing=resume_offset=$(fact area.resume_offset)"* ]]
	[[ "$output" == *"rpm-ostree initramfs --enable"* ]]
	[ "$(cat "$IMAGE/boot/ostree/aa11/initramfs-6.12.4.img")" = before ]
	[ "$entries" = "$(cat "$IMAGE"/boot/loader/entries/*)" ]
	[ -z "$(stubs)" ]
	[ ! -e "$IMAGE/etc/dracut.conf.d/ec2hib.conf" ]
	[ "$(state resume-offset-next-boot)" = fail ]
}

@test "bootc and plain ostree: by name" {
	ostree
	[ "$(fact boot.loader)" = ostree ]
	put_stub bootc
	[ "$(fact boot.loader)" = bootc ]
}

@test "a transactional system: its own tool makes grub.cfg" {
	make_machine sles-15
	sed -i 's|\( / xfs \)defaults|\1ro|' "$IMAGE/etc/fstab"
	put_stub transactional-update
	before=$(theirs)
	run setup_image --size 20M --no-service
	[ "$status" -eq 1 ]
	[[ "$output" == *"transactional-update grub.cfg"* ]]
	[ "$(fact boot.loader)" = transactional ]
	[ "$(sha256sum <"$IMAGE/boot/grub2/grub.cfg")" = "$(grep ' boot/grub2/grub.cfg' <<<"$before" | sed 's/ .*/  -/')" ]
	[ ! -e "$IMAGE/var/log/stubs.log" ]
}

@test "Limine: read, judged, and left alone" {
	make_machine debian-12
	rm -rf "$IMAGE/boot/grub"
	printf 'timeout: 5\ndefault_entry: 2\n\n/Other\n    protocol: efi\n    path: boot():/x.efi\n/+Linux\n    protocol: linux\n    kernel_path: boot():/vmlinuz-6.1.0-25-amd64\n    cmdline: root=UUID=1 rw\n    module_path: boot():/initrd.img-6.1.0-25-amd64\n' \
		>"$IMAGE/boot/limine.conf"
	before=$(cat "$IMAGE/boot/limine.conf")
	run setup_image --size 20M
	[ "$status" -eq 1 ]
	[[ "$output" == *"resume_offset=$(fact area.resume_offset) "* ]]
	[ "$before" = "$(cat "$IMAGE/boot/limine.conf")" ]
	[ "$(fact boot.loader)" = limine ]
	[ "$(fact 'boot.entries[] | select(.is_default) | .arguments')" = 'root=UUID=1 rw' ]
	[ "$(state resume-offset-next-boot)" = fail ]
	sed -i "s|root=UUID=1 rw|& resume=UUID=$ROOT_UUID resume_offset=$(fact area.resume_offset) no_console_suspend=1|" "$IMAGE/boot/limine.conf"
	[ "$(state resume-offset-next-boot)" = pass ]
	[ "$(state boot-loader)" = pass ]
}

@test "rEFInd: read, judged, and left alone; GRUB's files beside it are not its" {
	make_machine debian-12
	mkdir -p "$IMAGE/boot/efi/EFI/refind"
	printf 'timeout 5\n' >"$IMAGE/boot/efi/EFI/refind/refind.conf"
	printf '"Boot with standard options"  "root=UUID=1 ro quiet"\n"Single"  "root=UUID=1 single"\n' \
		>"$IMAGE/boot/refind_linux.conf"
	[ "$(fact 'boot.loader.unknown')" != null ]
	start_machine
	efi_variable LoaderInfo 'rEFInd 0.14.2'
	run setup_machine --size 20M
	[ "$status" -eq 1 ]
	[[ "${lines[-1]}" == *"refind_linux.conf: resume=UUID=$ROOT_UUID resume_offset=$(live_fact area.resume_offset) "* ]]
	[ "$(live_fact boot.loader)" = refind ]
	[ "$(live_state resume-offset-next-boot)" = fail ]
	[ ! -e "$IMAGE/etc/default/grub.d/zz-ec2hib.cfg" ]
}
