#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# Another boot loader starts the machine than the one whose files are there.

load machine

GLOBAL=8be4df61-93ca-11d2-aa0d-00e098032b8c

setup() {
	need_machine
}

teardown() {
	drop_machine
}

# boot_option NUMBER DESCRIPTION PATH: a Boot#### variable of a file on a partition.
boot_option() {
	local path length
	path=$(printf '%s' "$3" | iconv -f UTF-8 -t UTF-16LE | od -An -v -tx1 | tr -d ' \n')0000
	length=$((42 + 4 + ${#path} / 2 + 4))
	{
		printf '\1\0\0\0'
		printf "\\x$(printf %02x $((length % 256)))\\x$(printf %02x $((length / 256)))"
		printf '%s' "$2" | iconv -f UTF-8 -t UTF-16LE
		printf '\0\0'
		printf '\4\1\52\0\1\0\0\0'
		head -c 16 /dev/zero
		printf 'PPPPPPPPPPPPPPPP\2\2'
		printf '\4\4'
		printf "\\x$(printf %02x $((4 + ${#path} / 2)))\\0"
		printf '%b' "$(sed 's/../\\x&/g' <<<"$path")"
		printf '\177\377\4\0'
	} | efi_variable_bytes "Boot$1" "$GLOBAL"
}

boot_number() { # NAME BYTES
	printf "$2" | efi_variable_bytes "$1" "$GLOBAL"
}

grub_is_left_alone() {
	local before after
	before=$(sha256sum "$IMAGE/boot/grub/grub.cfg")
	run setup_machine --size 20M
	[ "$status" -eq 1 ]
	[[ "${lines[-1]}$output" == *"by hand: "*"resume_offset=$(live_fact area.resume_offset) "* ]]
	after=$(sha256sum "$IMAGE/boot/grub/grub.cfg")
	[ "$before" = "$after" ]
	[ ! -e "$IMAGE/etc/default/grub.d/zz-ec2hib.cfg" ]
	[ "$(live_state boot-loader)" = fail ]
	[ "$(live_state resume-offset-next-boot)" != pass ]
	[ "$(live_fact boot.loader_known)" = "${1:-contradicted}" ]
}

@test "rEFInd by LoaderInfo, GRUB's files are left over" {
	make_machine debian-12
	start_machine
	efi_variable LoaderInfo 'rEFInd 0.14.2'
	grub_is_left_alone
	[[ "$(live_text boot-loader)" == *"rEFInd 0.14.2"* ]]
}

@test "systemd-boot starts a unified kernel image: that is made anew, GRUB's files are left over" {
	make_machine fedora-42-uki
	mkdir -p "$IMAGE/boot/grub2" "$IMAGE/etc/default"
	printf 'menuentry Linux {\n linux /vmlinuz root=UUID=1\n}\n' >"$IMAGE/boot/grub2/grub.cfg"
	printf 'GRUB_CMDLINE_LINUX=""\n' >"$IMAGE/etc/default/grub"
	printf '#!/bin/sh\n' >"$IMAGE/usr/bin/grub2-mkconfig"
	chmod +x "$IMAGE/usr/bin/grub2-mkconfig"
	# without a word of the firmware neither is taken
	[ "$(fact 'boot.loader.unknown')" = \
		'there is boot configuration of systemd-boot and GRUB, and nothing says which of them boots' ]
	cp -a "$IMAGE/boot/efi" "$BATS_TEST_TMPDIR/efi"
	start_machine
	root=$DEVICE_SYS
	mount_device /boot/efi ext4 32M nvme2n1
	cp -a "$BATS_TEST_TMPDIR/efi/." "$IMAGE/boot/efi/"
	DEVICE_SYS=$root
	efi_variable LoaderInfo 'systemd-boot 257.8'
	efi_variable StubInfo 'systemd-stub 257.8'
	[ "$(live_fact boot.loader)" = uki ]
	before=$(cat "$IMAGE/boot/grub2/grub.cfg" "$IMAGE/etc/default/grub")
	run setup_machine --size 20M
	[ "$status" -eq 0 ]
	[ "$before" = "$(cat "$IMAGE/boot/grub2/grub.cfg" "$IMAGE/etc/default/grub")" ]
	grep -q " resume=UUID=$ROOT_UUID resume_offset=$(live_fact area.resume_offset) " "$IMAGE/etc/kernel/cmdline"
	grep -aq " resume=UUID=$ROOT_UUID resume_offset=$(live_fact area.resume_offset) " "$IMAGE"/boot/efi/EFI/Linux/*6.15*.efi
	for check in boot-loader resume-device-next-boot resume-offset-next-boot initramfs-resume; do
		[ "$(live_state $check)" = pass ]
	done
}

@test "an image that is not made anew has not got the arguments, whatever the settings say" {
	make_machine fedora-42-uki
	run setup_image --size 20M
	[ "$(state resume-offset-next-boot)" = pass ]
	"$EC2HIB" --root "$IMAGE" teardown --yes
	printf '#!/bin/sh\n' >"$IMAGE/usr/bin/kernel-install"
	before=$(cat "$IMAGE/etc/kernel/cmdline")
	run setup_image --size 20M
	[ "$status" -eq 1 ]
	[[ "$output" == *"something overrides the settings"* ]]
	[ "$before" = "$(cat "$IMAGE/etc/kernel/cmdline")" ]
	[ "$(state resume-offset-next-boot)" = fail ]
}

@test "an image that nothing here can make: the words to type" {
	make_machine debian-12
	mkdir -p "$IMAGE/boot/efi/EFI/Linux" "$IMAGE/etc/kernel"
	echo MZ >"$IMAGE/boot/efi/EFI/Linux/debian-6.12.1-amd64.efi"
	printf 'layout=uki\n' >"$IMAGE/etc/kernel/install.conf"
	printf 'root=UUID=%s ro quiet\n' "$ROOT_UUID" >"$IMAGE/etc/kernel/cmdline"
	start_machine
	efi_variable LoaderInfo 'systemd-boot 257.8'
	efi_variable StubInfo 'systemd-stub 257.8'
	grub_is_left_alone known
	[ "$(live_fact boot.loader)" = uki-by-hand ]
	! grep -q resume= "$IMAGE/etc/kernel/cmdline"
}

@test "systemd-boot reads its partitions, not a /boot of the root file system" {
	make_machine debian-13-systemd-boot
	cp -a "$IMAGE/boot/efi" "$BATS_TEST_TMPDIR/efi"
	rm -r "$IMAGE"/boot/efi/*
	mkdir -p "$IMAGE/boot/loader/entries"
	printf 'title Stale\nversion 9\nlinux /vmlinuz-9\noptions root=UUID=1\n' >"$IMAGE/boot/loader/entries/stale.conf"
	start_machine
	root=$DEVICE_SYS
	mount_device /boot/efi ext4 32M nvme2n1
	cp -a "$BATS_TEST_TMPDIR/efi/." "$IMAGE/boot/efi/"
	DEVICE_SYS=$root
	efi_variable LoaderInfo 'systemd-boot 257.8'
	stale=$(cat "$IMAGE/boot/loader/entries/stale.conf")
	[ "$(live_fact 'boot.entries | length')" = 2 ]
	run setup_machine --size 20M
	[ "$status" -eq 0 ]
	[ "$stale" = "$(cat "$IMAGE/boot/loader/entries/stale.conf")" ]
	[ "$(live_state resume-offset-next-boot)" = pass ]
	# one boot of the other entry is asked for
	efi_variable LoaderEntryOneShot "$(basename "$IMAGE"/boot/efi/loader/entries/*6.12.38*)"
	[ "$(live_fact 'boot.entries[] | select(.is_default) | .version')" = 6.12.38+deb13-amd64 ]
}

@test "two systems have a grub.cfg on the EFI partition: the one beside what was started" {
	make_machine amazon-linux-2
	mkdir -p "$IMAGE"/boot/efi/EFI/{centos,redhat}
	cp "$IMAGE/boot/grub2/grub.cfg" "$IMAGE/boot/efi/EFI/centos/"
	mv "$IMAGE/boot/grub2/grub.cfg" "$IMAGE/boot/efi/EFI/redhat/"
	[[ "$(fact boot.loader.unknown)" == "/boot/efi/EFI/centos/grub.cfg and /boot/efi/EFI/redhat/grub.cfg both"* ]]
	before=$(cd "$IMAGE" && find boot etc/default -type f -exec sha256sum {} + | sort)
	run setup_image --size 20M
	[ "$status" -eq 1 ]
	[[ "$output" == *"by hand: "*"resume_offset="* ]]
	[ "$before" = "$(cd "$IMAGE" && find boot etc/default -type f -exec sha256sum {} + | sort)" ]
	[ "$(state resume-offset-next-boot)" = unknown ]
	"$EC2HIB" --root "$IMAGE" teardown --yes
	start_machine
	boot_number BootCurrent '\3\0'
	boot_option 0003 'Red Hat' '\EFI\REDHAT\shimx64.efi'
	[ "$(live_fact boot.loader)" = grub2 ]
	[ "$(live_fact boot.config)" = /boot/efi/EFI/redhat/grub.cfg ]
	# one that only leads to the other in /boot
	mv "$IMAGE/boot/efi/EFI/redhat/grub.cfg" "$IMAGE/boot/grub2/"
	printf 'configfile ($root)/boot/grub2/grub.cfg\n' >"$IMAGE/boot/efi/EFI/redhat/grub.cfg"
	[ "$(live_fact boot.config)" = /boot/grub2/grub.cfg ]
}

@test "a grub.cfg on the EFI partition leads to another file system than that of /boot" {
	make_machine debian-12
	mkdir -p "$IMAGE/boot/efi/EFI/debian"
	start_machine
	efi_variable LoaderInfo 'GRUB 2.06'
	local lead=$IMAGE/boot/efi/EFI/debian/grub.cfg form
	for form in 'search.fs_uuid %s root hd0,gpt1' 'search --no-floppy --fs-uuid --set=dev %s'; do
		# shellcheck disable=SC2059 # the form is a format
		printf "$form\nset prefix=(\$root)/boot/grub\nconfigfile \$prefix/grub.cfg\n" "$ROOT_UUID" >"$lead"
		[ "$(live_fact boot.loader)" = grub-debian ]
		# shellcheck disable=SC2059
		printf "$form\nset prefix=(\$root)/boot/grub\nconfigfile \$prefix/grub.cfg\n" \
			99999999-2b41-4c63-9d0e-6a1b8c7f2e11 >"$lead"
		[[ "$(live_fact boot.loader.unknown)" == "/boot/efi/EFI/debian/grub.cfg leads to the file system 99999999-"* ]]
	done
	grub_is_left_alone
}

@test "a loader that nobody knows, by its name" {
	make_machine debian-12
	start_machine
	efi_variable LoaderInfo 'Ventura 3'
	grub_is_left_alone
}

@test "a kernel that the firmware itself starts, by its path" {
	make_machine debian-12
	start_machine
	boot_option 0002 Linux '\EFI\Arch\vmlinuz-linux.efi'
	boot_number BootCurrent '\2\0'
	grub_is_left_alone known
	[ "$(live_fact boot.loader)" = efi-stub ]
}

@test "GRUB by its path, also through shim: known" {
	make_machine debian-12
	start_machine
	boot_option 0001 debian '\EFI\debian\shimx64.efi'
	boot_number BootCurrent '\1\0'
	boot_number BootOrder '\1\0'
	[ "$(live_fact boot.loader)" = grub-debian ]
	[ "$(live_fact boot.loader_known)" = known ]
	[ "$(live_state firmware-next-boot)" = pass ]
	setup_machine --size 20M
	[ "$(live_state boot-loader)" = pass ]
}

@test "GRUB by LoaderInfo, or nothing said: the only files that are there" {
	make_machine debian-12
	start_machine
	[ "$(live_fact boot.loader_known)" = guessed ]
	[ "$(live_fact boot.firmware)" = bios ]
	efi_variable LoaderInfo 'GRUB 2.12'
	[ "$(live_fact boot.loader_known)" = known ]
}

@test "BootNext names another program: failed; BootOrder: warned" {
	make_machine debian-12
	start_machine
	boot_option 0001 debian '\EFI\debian\shimx64.efi'
	boot_option 0003 fedora '\EFI\fedora\shimx64.efi'
	boot_number BootCurrent '\1\0'
	boot_number BootOrder '\3\0\1\0'
	[ "$(live_state firmware-next-boot)" = warn ]
	boot_number BootNext '\3\0'
	[ "$(live_state firmware-next-boot)" = fail ]
	[[ "$(live_text firmware-next-boot)" == *'Boot0003 "fedora" (/EFI/fedora/shimx64.efi)'* ]]
}

@test "damaged variables are no evidence and no crash" {
	make_machine debian-12
	start_machine
	printf '\1\0\0\0\377\377x' | efi_variable_bytes Boot0001 "$GLOBAL"
	boot_number BootCurrent '\1\0'
	boot_number BootOrder '\1'
	printf 'x' | efi_variable_bytes LoaderInfo 4a67b082-0a4c-41cf-b6c7-440b29bb8c4f
	[ "$(live_fact boot.loader)" = grub-debian ]
}

@test "a BIOS: the boot sector tells which of two loaders it is" {
	make_machine debian-12
	printf 'DEFAULT l\nLABEL l\n LINUX vmlinuz-6.1.0-25-amd64\n INITRD initrd.img-6.1.0-25-amd64\n APPEND root=UUID=1 ro\n' \
		>"$IMAGE/boot/extlinux.conf"
	start_machine
	[ "$(live_fact 'boot.loader.unknown')" = \
		'there is boot configuration of GRUB and extlinux, and nothing says which of them boots' ]
	before=$(cat "$IMAGE/boot/grub/grub.cfg" "$IMAGE/boot/extlinux.conf")
	run setup_machine --size 20M
	[ "$status" -eq 1 ]
	[ "$before" = "$(cat "$IMAGE/boot/grub/grub.cfg" "$IMAGE/boot/extlinux.conf")" ]
	disk=$(findmnt -n -o SOURCE "$IMAGE")
	# ext4 begins with 1024 bytes that are not its own
	printf EXTLINUX | dd of="$disk" bs=1 seek=3 conv=notrunc,fsync status=none
	[ "$(live_fact boot.loader)" = extlinux ]
	[ "$(live_fact boot.started_by)" = 'EXTLINUX (the boot sector)' ]
	printf 'GRUB    ' | dd of="$disk" bs=1 seek=3 conv=notrunc,fsync status=none
	[ "$(live_fact boot.loader)" = grub-debian ]
	[ "$(live_fact boot.loader_known)" = known ]
	run setup_machine --size 20M
	[ "$status" -eq 0 ]
	[ "$(live_state resume-offset-next-boot)" = pass ]
	grep -q 'APPEND root=UUID=1 ro$' "$IMAGE/boot/extlinux.conf"
}

@test "a path that nobody knows is no evidence against the files" {
	make_machine debian-12
	start_machine
	boot_option 0001 'UEFI OS' '\EFI\BOOT\BOOTX64.EFI'
	boot_number BootCurrent '\1\0'
	[ "$(live_fact boot.loader)" = grub-debian ]
	[ "$(live_fact boot.loader_known)" = guessed ]
	# a whole disk, as EC2's firmware names it: what it starts there may well be the next option
	boot_option 0002 debian '\EFI\debian\shimx64.efi'
	{ printf '\1\0\0\0\4\0'; printf 'EBS' | iconv -f UTF-8 -t UTF-16LE; printf '\0\0\177\377\4\0'; } |
		efi_variable_bytes Boot0003 "$GLOBAL"
	boot_number BootCurrent '\3\0'
	boot_number BootOrder '\2\0\3\0'
	[ "$(live_state firmware-next-boot)" = pass ]
}
