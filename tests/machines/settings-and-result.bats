#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# The settings and what is made from them are two things: each may be lost, stale or damaged alone, and
# setup and teardown end well from there.

load machine

setup() {
	need_machine
}

teardown() {
	drop_machine
}

# Where the tree has its settings, and what makes grub.cfg from them.
settings_of() {
	case $1 in
	amazon-linux-2 | sles-15) echo /etc/default/grub ;;
	*) echo /etc/default/grub.d/zz-ec2hib.cfg ;;
	esac
}

config_of() {
	case $1 in
	amazon-linux-2 | sles-15) echo /boot/grub2/grub.cfg ;;
	*) echo /boot/grub/grub.cfg ;;
	esac
}

# content: all files, but for those that a swap file and the stubs' log are.
content() {
	(cd "$IMAGE" && find etc boot -type f -exec sha256sum {} + | sort -k 2)
}

# put PATH FROM: the file is what it was; none there: it goes.
put() {
	if [ -e "$2" ]; then cp "$2" "$IMAGE$1"; else rm -f "$IMAGE$1"; fi
}

# combine TREE WHAT: each of settings and result as before setup, as after one, or after one that wanted
# another swap file, in every combination.
@test "setup and teardown end well from every combination" {
	local tree settings config before good one two side saved=$BATS_TEST_TMPDIR/saved
	for tree in amazon-linux-2 debian-12; do
		make_machine "$tree"
		settings=$(settings_of "$tree") config=$(config_of "$tree")
		mkdir -p "$saved"
		before=$(content)
		keep() { # NAME
			rm -f "$saved/$1".*
			[ ! -e "$IMAGE$settings" ] || cp "$IMAGE$settings" "$saved/$1.settings"
			cp "$IMAGE$config" "$saved/$1.config"
		}
		keep bare
		setup_image --size 20M
		good=$(content)
		keep ours
		for side in settings config; do
			[ ! -e "$saved/ours.$side" ] ||
				sed 's/resume_offset=[0-9]*/resume_offset=7/' "$saved/ours.$side" >"$saved/other.$side"
		done
		for one in bare ours other; do
			for two in bare ours other; do
				put "$settings" "$saved/$one.settings"
				put "$config" "$saved/$two.config"
				if [ "$two" = ours ] && [ "$one" != ours ]; then
					[ "$(state boot-settings)" = warn ]
				fi
				setup_image --size 20M
				[ "$(state boot-settings)" = pass ]
				[ "$(state resume-offset-next-boot)" = pass ]
				cmp "$IMAGE$config" "$saved/ours.config"
				run setup_image --size 20M
				[[ "$output" == *"Nothing to do"* ]]
				put "$settings" "$saved/ours.settings"
				[ "$(content | grep -v edits.json)" = "$good" ]
			done
		done
		# and the way back; the swap file goes with it
		for one in bare ours other; do
			for two in bare ours; do
				keep ours
				[ "$one" != other ] || sed 's/resume_offset=[0-9]*/resume_offset=7/' \
					"$saved/ours.settings" >"$saved/other.settings"
				put "$settings" "$saved/$one.settings"
				put "$config" "$saved/$two.config"
				run "$EC2HIB" --root "$IMAGE" teardown --yes
				if [ "$status" -ne 0 ]; then
					# a hand was at it: told, and not again once it is mended
					[ "$one" = other ]
					[[ "$output" == *"/etc/default/grub: line "*"is left as it is"* ]]
					put "$settings" "$saved/bare.settings"
					"$EC2HIB" --root "$IMAGE" teardown --yes
				fi
				cmp "$IMAGE$config" "$saved/bare.config"
				[ "$(content)" = "$before" ]
				setup_image --size 20M
			done
		done
		drop_machine
		rm -r "$saved"
	done
}

@test "Ubuntu without initramfs: three runs after a kill have one answer" {
	make_machine ubuntu-22.04
	cat >"$IMAGE/usr/sbin/grub-mkconfig.slow" <<-'EOF'
		#!/bin/sh
		touch /var/log/started
		while :; do /bin/busybox sleep 0.1; done
	EOF
	chmod 755 "$IMAGE/usr/sbin/grub-mkconfig.slow"
	mv "$IMAGE/usr/sbin/grub-mkconfig" "$IMAGE/usr/sbin/grub-mkconfig.good"
	# Debian's own reads the drop-ins, which is how it is told
	{ cat "$IMAGE/usr/sbin/grub-mkconfig.slow" && echo '# /etc/default/grub.d'; } >"$IMAGE/usr/sbin/grub-mkconfig"
	chmod 755 "$IMAGE/usr/sbin/grub-mkconfig"
	"$EC2HIB" --root "$IMAGE" setup --yes -q --size 20M 3>&- &
	killed=$!
	for _ in $(seq 600); do
		[ ! -e "$IMAGE/var/log/started" ] || break
		sleep 0.1
	done
	[ -e "$IMAGE/var/log/started" ]
	for child in $(pgrep -P "$killed"); do
		kill -KILL "$child"
	done
	kill -KILL "$killed"
	wait "$killed" || true
	mv "$IMAGE/usr/sbin/grub-mkconfig.good" "$IMAGE/usr/sbin/grub-mkconfig"
	setup_image --size 20M
	first=$(fact area.resume_argument)
	[ "$first" = "UUID=$ROOT_UUID" ]
	config=$(cat "$IMAGE/boot/grub/grub.cfg")
	for _ in 1 2 3; do
		run setup_image --size 20M
		[[ "$output" == *"Nothing to do"* ]]
		[ "$(fact area.resume_argument)" = "$first" ]
		[ "$(cat "$IMAGE/boot/grub/grub.cfg")" = "$config" ]
	done
}

@test "a line that others changed is named, and teardown ends with 1" {
	make_machine sles-15
	setup_image --size 20M
	sed -i 's/^GRUB_CMDLINE_LINUX_DEFAULT=.*/GRUB_CMDLINE_LINUX_DEFAULT="mine"/' "$IMAGE/etc/default/grub"
	run "$EC2HIB" --root "$IMAGE" teardown --yes
	[ "$status" -eq 1 ]
	[[ "$output" == *"/etc/default/grub: line 4 was changed after ec2hib"*"resume=/dev/nvme0n1p9"* ]]
	[ ! -e "$IMAGE/swap" ]
	grep -q '^GRUB_CMDLINE_LINUX_DEFAULT="mine"' "$IMAGE/etc/default/grub"
	! grep -q resume_offset "$IMAGE/etc/default/grub" "$IMAGE/boot/grub2/grub.cfg"
	# what was there is not forgotten until somebody has put it back
	run "$EC2HIB" --root "$IMAGE" teardown --yes
	[ "$status" -eq 1 ]
	sed -i 's/"mine"/"mine resume=\/dev\/nvme0n1p9"/' "$IMAGE/etc/default/grub"
	"$EC2HIB" --root "$IMAGE" teardown --yes || true
	run "$EC2HIB" --root "$IMAGE" teardown --yes
	[ "$status" -eq 0 ]
	[[ "$output" == *"Nothing to do"* ]]
}

@test "a kernel that comes later gets the arguments, and a copied entry loses them" {
	make_machine amazon-linux-2023
	printf '#!/bin/sh\n' >"$IMAGE/usr/bin/kernel-install"
	chmod 755 "$IMAGE/usr/bin/kernel-install"
	mkdir -p "$IMAGE/etc/kernel"
	before=$(content)
	setup_image --size 20M
	offset=$(fact area.resume_offset)
	[ "$(cat "$IMAGE/etc/kernel/cmdline")" = "$(sed -n 's/^options //p' \
		"$IMAGE"/boot/loader/entries/*6.1.102*.conf)" ]
	grep -q " resume=UUID=$ROOT_UUID resume_offset=$offset " "$IMAGE/etc/kernel/cmdline"
	[ "$(state boot-settings)" = pass ]
	for entry in "$IMAGE"/boot/loader/entries/*6.1.102*.conf; do
		sed 's/^title.*/title Mine/' "$entry" >"$IMAGE/boot/loader/entries/mine.conf"
	done
	"$EC2HIB" --root "$IMAGE" teardown --yes
	! grep -q resume "$IMAGE/boot/loader/entries/mine.conf"
	grep -q '^options root=' "$IMAGE/boot/loader/entries/mine.conf"
	rm "$IMAGE/boot/loader/entries/mine.conf"
	[ "$(content)" = "$before" ]
}

@test "/etc/kernel/cmdline of several lines stays, and stays the younger file" {
	make_machine rhel-9
	printf '# ours\nroot=UUID=5e22a2af-f001-4091-b8a2-2c1d5c1e1a11\nquiet console=ttyS0\n' \
		>"$IMAGE/etc/kernel/cmdline"
	touch -d '2024-01-01 UTC' "$IMAGE/etc/default/grub"
	before=$(content)
	setup_image --size 20M
	[ "$(head -n 2 "$IMAGE/etc/kernel/cmdline")" = $'# ours\nroot=UUID=5e22a2af-f001-4091-b8a2-2c1d5c1e1a11' ]
	[[ "$(tail -n 1 "$IMAGE/etc/kernel/cmdline")" == "quiet console=ttyS0 resume=UUID=$ROOT_UUID resume_offset="* ]]
	[ ! "$IMAGE/etc/kernel/cmdline" -ot "$IMAGE/etc/default/grub" ]
	"$EC2HIB" --root "$IMAGE" teardown --yes
	[ ! "$IMAGE/etc/kernel/cmdline" -ot "$IMAGE/etc/default/grub" ]
	[ "$(content)" = "$before" ]
}

@test "entries of the administrator's own lose copies of our arguments" {
	make_machine debian-12
	mkdir -p "$IMAGE/etc/grub.d"
	setup_image --size 20M
	offset=$(fact area.resume_offset)
	printf '#!/bin/sh\nexec tail -n +3 $0\nmenuentry "Mine" {\n\tlinux /boot/vmlinuz-6.1.0-25-amd64 root=/dev/sda1 %s quiet\n\tlinux /x resume=UUID=other\n}\n' \
		"resume=UUID=$ROOT_UUID resume_offset=$offset no-console-suspend" >"$IMAGE/etc/grub.d/40_custom"
	chmod 755 "$IMAGE/etc/grub.d/40_custom"
	"$EC2HIB" --root "$IMAGE" teardown --yes
	grep -q '^	linux /boot/vmlinuz-6.1.0-25-amd64 root=/dev/sda1 quiet$' "$IMAGE/etc/grub.d/40_custom"
	grep -q '^	linux /x resume=UUID=other$' "$IMAGE/etc/grub.d/40_custom"
	[ -x "$IMAGE/etc/grub.d/40_custom" ]
}

@test "a generator that touches more than it was asked for is stopped and undone" {
	local tree
	for tree in amazon-linux-2 debian-12; do
		make_machine "$tree"
		before=$(content)
		for program in "$IMAGE"/usr/sbin/grub*-mkconfig; do
			sed -i '2i echo GRUB_CMDLINE_LINUX=broken >>/etc/default/grub\nfor f in /boot/grub*/grubenv; do echo x >$f; done' \
				"$program"
		done
		run setup_image --size 20M
		[ "$status" -eq 1 ]
		[[ "$output" == *"mkconfig: changed what it was not asked to change: "*"/etc/default/grub"* ]]
		[ "$(content | grep -v fstab | grep -v initramfs | grep -v dracut | grep -v initrd)" = \
			"$(echo "$before" | grep -v fstab | grep -v initramfs | grep -v dracut | grep -v initrd)" ]
		drop_machine
	done
}

@test "the same for what makes the initramfs" {
	make_machine debian-12
	before=$(cat "$IMAGE/etc/default/grub")
	sed -i '2i echo GRUB_CMDLINE_LINUX=broken >>/etc/default/grub' "$IMAGE/usr/sbin/update-initramfs"
	run setup_image --size 20M
	[ "$status" -eq 1 ]
	[[ "$output" == *"update-initramfs: changed what it was not asked to change: /etc/default/grub"* ]]
	[ "$(cat "$IMAGE/etc/default/grub")" = "$before" ]
}
