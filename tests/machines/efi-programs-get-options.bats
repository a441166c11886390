#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# Entries that start no Linux, or another one, are not changed: their options go to a program that
# takes them for its own, or to a system that would look for our image.

load machine

ENTRIES=/boot/loader/entries
LINUX='linux /vmlinuz-5.14.0-427.31.1.el9_4.x86_64
initrd /initramfs-5.14.0-427.31.1.el9_4.x86_64.img'

setup() {
	need_machine
}

teardown() {
	drop_machine
}

# entry NAME LINE...
entry() {
	local name=$1
	shift
	printf '%s\n' "$@" >"$IMAGE$ENTRIES/$name.conf"
}

# make_boot_folder: a machine with one entry of its own, ours.conf, with the root.
make_boot_folder() {
	make_machine rhel-9
	rm -r "$IMAGE"/usr/sbin/grub* "$IMAGE/boot/grub2" "$IMAGE$ENTRIES"/*
	printf 'default ours*\n' >"$IMAGE/boot/loader/loader.conf"
	entry ours 'title Linux' 'version 5.14.0-427.31.1.el9_4.x86_64' "$LINUX" \
		'machine-id 0123456789abcdef0123456789abcdef' "options root=UUID=$ROOT_UUID ro rootflags=subvol=@"
}

sums() {
	(cd "$IMAGE$ENTRIES" && sha256sum "$@")
}

@test "programs, firmware and other systems keep their entries" {
	make_boot_folder
	entry memtest 'title Memtest86+' 'efi /EFI/memtest86plus/memtest.efi'
	entry shell 'title EFI Shell' 'efi /shellx64.efi'
	entry tool 'title Firmware tool' 'efi /EFI/fw/tool.efi' 'options -q'
	entry image 'title Unified' 'uki /EFI/Linux/a.efi' "options root=UUID=$ROOT_UUID"
	entry tree 'title Device tree' 'devicetree /a.dtb'
	entry other 'title Other' 'linux /other/vmlinuz' 'options root=UUID=aaaa ro resume=UUID=bbbb'
	entry rootless 'title Tool' 'linux /memtest.bin' 'options console=ttyS0'
	entry neighbour 'title Neighbour' "$LINUX" 'machine-id ffffffffffffffffffffffffffffffff' \
		"options root=UUID=$ROOT_UUID rootflags=subvol=@other"
	others=(memtest.conf shell.conf tool.conf image.conf tree.conf other.conf rootless.conf
		neighbour.conf)
	before=$(sums "${others[@]}")
	setup_image --size 20M
	[ "$(sums "${others[@]}")" = "$before" ]
	grep -q "^options root=UUID=$ROOT_UUID ro rootflags=subvol=@ resume=UUID=$ROOT_UUID " "$IMAGE$ENTRIES/ours.conf"
	[ "$(state resume-offset-next-boot)" = pass ]
	[ "$(state other-entries)" != warn ]
	run setup_image --size 20M
	[[ "$output" == *"Nothing to do"* ]]
	"$EC2HIB" --root "$IMAGE" teardown --yes
	[ "$(sums "${others[@]}")" = "$before" ]
	! grep -q resume_offset "$IMAGE$ENTRIES/ours.conf"
}

@test "whatever else starts this system is changed" {
	make_boot_folder
	printf 'LABEL=root / xfs defaults 0 0\n' >"$IMAGE/etc/fstab"
	entry rescue 'title Rescue' 'linux /vmlinuz-0-rescue-3a7c9e1f5b2d4c6e8f0a1b2c3d4e5f60' \
		"options root=UUID=$ROOT_UUID ro"
	entry old 'title Old' 'linux /vmlinuz-5.14.0-362.8.1.el9_3.x86_64' 'options root=UUID='"${ROOT_UUID^^}"' ro' \
		'options quiet'
	entry label 'title By label' "$LINUX" 'options root=LABEL=root'
	entry link 'title By link' "$LINUX" 'options root=/dev/disk/by-uuid/'$ROOT_UUID
	entry snapshot 'title Snapshot' "$LINUX" 'machine-id 0123456789abcdef0123456789abcdef' \
		"options root=UUID=$ROOT_UUID rootflags=subvol=@/.snapshots/1/snapshot"
	entry image 'title Written when the image was built' "$LINUX" \
		'machine-id ffffffffffffffffffffffffffffffff' "options root=UUID=$ROOT_UUID rootflags=subvol=@"
	entry found 'title Finds its root itself' "$LINUX" 'machine-id 0123456789abcdef0123456789abcdef'
	before=$(cd "$IMAGE$ENTRIES" && sha256sum -- *.conf)
	setup_image --size 20M
	[ "$(grep -c resume= "$IMAGE$ENTRIES/old.conf")" = 1 ]
	grep -q '^options quiet resume=' "$IMAGE$ENTRIES/old.conf"
	for name in ours rescue label link snapshot image found; do
		[ "$(grep -c "^options .*resume=UUID=$ROOT_UUID resume_offset=" "$IMAGE$ENTRIES/$name.conf")" = 1 ]
	done
	"$EC2HIB" --root "$IMAGE" teardown --yes
	(cd "$IMAGE$ENTRIES" && sha256sum -c <<<"$before")
}

@test "a default entry that starts another system is not ours either" {
	make_boot_folder
	entry other 'title Other' "$LINUX" 'options root=UUID=aaaa ro'
	printf 'default other*\n' >"$IMAGE/boot/loader/loader.conf"
	before=$(sums other.conf)
	setup_image --size 20M || true
	[ "$(sums other.conf)" = "$before" ]
	grep -q 'resume_offset=' "$IMAGE$ENTRIES/ours.conf"
}

@test "GRUB legacy: another system's kernel and a memory test stay" {
	make_machine amazon-linux-1
	cat >>"$IMAGE/boot/grub/grub.conf" <<-'EOF'
		title Other
		root (hd0,1)
		kernel /vmlinuz root=UUID=aaaa resume=UUID=bbbb
		title Memory test
		kernel /memtest86+.bin
	EOF
	tail -n 5 "$IMAGE/boot/grub/grub.conf" >"$BATS_TEST_TMPDIR/others"
	setup_image --size 20M
	tail -n 5 "$IMAGE/boot/grub/grub.conf" | cmp - "$BATS_TEST_TMPDIR/others"
	grep -q 'kernel /boot/vmlinuz.*resume_offset=' "$IMAGE/boot/grub/grub.conf"
}
