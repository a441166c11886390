#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# A file that setup or teardown replaces keeps all that it has beside its text.

load machine

setup() {
	need_machine
	need_program setfacl getfacl python3
}

teardown() {
	drop_machine
}

# Whatever setup may write to, and what it makes itself; update-initramfs writes its image by itself.
FILES=(/etc/fstab /etc/default/grub /etc/default/grub.d/zz-ec2hib.cfg /boot/grub/grub.cfg
	/boot/grub2/grub.cfg /boot/grub/menu.lst /boot/grub/grub.conf /boot/grub2/grubenv
	/etc/kernel/cmdline /boot/efi/EFI/amzn/grub.cfg
	/etc/dracut.conf.d/ec2hib.conf /etc/initramfs-tools/conf.d/zzz-ec2hib
	/etc/tmpfiles.d/ec2hib.conf /etc/systemd/logind.conf.d/ec2hib.conf)

files() {
	local file
	for file in "${FILES[@]}" $(cd "$IMAGE" && ls -d boot/loader/entries/*.conf boot/initramfs* 2>/dev/null | sed 's|^|/|'); do
		[ ! -f "$IMAGE$file" ] || [ -L "$IMAGE$file" ] || echo "$file"
	done
}

# attributes: of each of them, with what no getfacl shows.
attributes() {
	local file
	for file in $(files); do
		getfacl -n -p "$IMAGE$file"
		python3 -c 'import os, sys; print({n: os.getxattr(sys.argv[1], n) for n in os.listxattr(sys.argv[1])})' \
			"$IMAGE$file"
	done
}

# mark: a list whose mask lets a named user write, while the group of the file may only read.
mark() {
	local file
	for file in $(files); do
		chown 7:8 "$IMAGE$file"
		chmod 640 "$IMAGE$file"
		setfacl -m u:1000:rw,g::r "$IMAGE$file"
		python3 -c 'import os, sys
os.setxattr(sys.argv[1], "user.note", b"precious")
os.setxattr(sys.argv[1], "trusted.note", b"\0\1")' "$IMAGE$file"
		# another folder of its may give a list to what is made in it
		setfacl -d -m u:1001:rwx "$(dirname "$IMAGE$file")"
	done
}

kept_on() {
	local inodes
	make_machine "$1"
	mark
	attributes >"$BATS_TEST_TMPDIR/before"
	grep -q 'group::r--' "$BATS_TEST_TMPDIR/before"
	grep -q 'mask::rw-' "$BATS_TEST_TMPDIR/before"
	(cd "$IMAGE" && files | sed 's|^|.|' | xargs stat -c '%n %i') >"$BATS_TEST_TMPDIR/inodes"
	setup_image --size 20M
	# those of ours that are there now as well: others than root must not write them
	mark
	attributes >"$BATS_TEST_TMPDIR/all"
	grep -qF -f <(grep '^# file' "$BATS_TEST_TMPDIR/before") "$BATS_TEST_TMPDIR/all"
	setup_image --size 130M # elsewhere: all is written again
	diff "$BATS_TEST_TMPDIR/all" <(attributes)
	# each was replaced by another file, or this test shows nothing
	(cd "$IMAGE" && cut -d' ' -f1 "$BATS_TEST_TMPDIR/inodes" | xargs stat -c '%n %i' |
		diff - "$BATS_TEST_TMPDIR/inodes" >"$BATS_TEST_TMPDIR/replaced") && return 1
	grep -q fstab "$BATS_TEST_TMPDIR/replaced"
	"$EC2HIB" --root "$IMAGE" teardown --yes
	diff "$BATS_TEST_TMPDIR/before" <(attributes)
}

@test "files of Debian keep their access control lists and attributes" {
	kept_on debian-12
}

@test "files of RHEL 9 keep their access control lists and attributes" {
	kept_on rhel-9
}

@test "files of Amazon Linux 2 keep their access control lists and attributes" {
	kept_on amazon-linux-2
}

@test "files of Amazon Linux 1 keep their access control lists and attributes" {
	kept_on amazon-linux-1
}

@test "a list that cannot be kept leaves the file as it was" {
	need_program strace
	make_machine debian-12
	mark
	before=$(cat "$IMAGE/etc/fstab"; attributes)
	run strace -qq -o /dev/null -e trace=fsetxattr -e inject=fsetxattr:error=EPERM \
		"$EC2HIB" --root "$IMAGE" setup --yes --size 20M --no-boot-config --no-initramfs
	[ "$status" -eq 1 ]
	[[ "$output" == *"cannot keep the attribute system.posix_acl_access of $IMAGE/etc/fstab"* ]]
	diff <(echo "$before") <(cat "$IMAGE/etc/fstab"; attributes)
	[ ! -e "$IMAGE/etc/.fstab.ec2hib-new" ]
}

@test "another hard link of a file keeps the old text, a symbolic link stays one" {
	make_machine debian-12
	ln "$IMAGE/etc/fstab" "$IMAGE/etc/fstab.other"
	mv "$IMAGE/boot/grub/grub.cfg" "$IMAGE/boot/real.cfg"
	ln -s ../real.cfg "$IMAGE/boot/grub/grub.cfg"
	before=$(cat "$IMAGE/etc/fstab")
	setup_image --size 20M
	grep -q swap "$IMAGE/etc/fstab"
	[ "$before" = "$(cat "$IMAGE/etc/fstab.other")" ]
	[ "$(readlink "$IMAGE/boot/grub/grub.cfg")" = ../real.cfg ]
	grep -q resume= "$IMAGE/boot/real.cfg"
}
