#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# What a killed run left is swept by the next, and nothing that only looks like it.

load machine

setup() {
	need_machine
}

teardown() {
	drop_machine
}

# leave FILE...: as a kill just before the rename leaves it.
leave() {
	local file
	for file in "$@"; do
		mkdir -p "$(dirname "$IMAGE$file")"
		echo half >"$IMAGE$file"
		chmod 600 "$IMAGE$file"
	done
}

# swept_on TREE FILE...
swept_on() {
	local file command
	make_machine "$1"
	shift
	setup_image --size 20M
	before=$(list_machine)
	for command in 'setup --yes --size 20M' 'teardown --yes'; do
		leave "$@" /etc/.fstab.ec2hib-new /var/lib/ec2hib/.area.ec2hib-new
		# shellcheck disable=SC2086 # options
		"$EC2HIB" --root "$IMAGE" $command
		for file in "$@" /etc/.fstab.ec2hib-new /var/lib/ec2hib/.area.ec2hib-new; do
			[ ! -e "$IMAGE$file" ]
		done
		[ "$command" = 'teardown --yes' ] || diff <(echo "$before") <(list_machine)
	done
}

@test "leftovers on Debian are swept by setup and by teardown" {
	swept_on debian-12 /boot/grub/grub.cfg.ec2hib-new /boot/grub/grub.cfg.ec2hib-new.new \
		/boot/grub/.grub.cfg.ec2hib-new /etc/default/grub.d/.zz-ec2hib.cfg.ec2hib-new \
		/etc/initramfs-tools/conf.d/.zzz-ec2hib.ec2hib-new \
		/etc/.tmpfiles.d.ec2hib-new/ec2hib.conf
}

@test "leftovers on RHEL are swept by setup and by teardown" {
	local tree=$BATS_TEST_TMPDIR/look entry
	"$TREES/copy" rhel-9 "$tree"
	entry=$(ls "$tree/boot/loader/entries" | tail -n 1)
	swept_on rhel-9 "/boot/loader/entries/.$entry.ec2hib-new" \
		/etc/dracut.conf.d/.ec2hib.conf.ec2hib-new /etc/kernel/.cmdline.ec2hib-new \
		/etc/default/.grub.ec2hib-new
}

@test "what only looks like a leftover stays" {
	local before
	make_machine debian-12
	setup_image --size 20M
	leave /etc/.hosts.ec2hib-new /etc/fstab.ec2hib-new /boot/.grub.cfg.ec2hib-new \
		/etc/.fstab.ec2hib-new.old /root/.fstab.ec2hib-new
	leave /etc/default/.grub.ec2hib-new
	chown 1000 "$IMAGE/etc/default/.grub.ec2hib-new"
	ln -s /etc/passwd "$IMAGE/etc/.fstab.ec2hib-new"
	mkdir "$IMAGE/boot/grub/grub.cfg.ec2hib-new"
	before=$(list_machine)
	setup_image --size 20M
	diff <(echo "$before") <(list_machine)
}

@test "a folder of ours has its mode whatever the umask" {
	local mask
	for mask in 077 000 027; do
		make_machine debian-12
		(umask $mask && setup_image --size 20M --swapfile /swap2)
		[ "$(stat -c %a "$IMAGE/var/lib/ec2hib")" = 755 ]
		[ "$(stat -c %a "$IMAGE/etc/initramfs-tools/conf.d/zzz-ec2hib")" = 644 ]
		[ "$(stat -c %a "$IMAGE/swap2")" = 600 ]
		drop_machine
	done
}
