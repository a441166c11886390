#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# /etc/default/grub has other readers than a shell: what setup leaves there, the lenses of Augeas
# (Puppet, YaST) parse as they did before.

load machine

DEFAULTS=/etc/default/grub

setup() {
	need_machine
	need_program augtool
}

teardown() {
	drop_machine
}

# readers: the lenses that parse the file, one a line.
readers() {
	local lens
	for lens in Shellvars_list Shellvars Sysconfig; do
		printf 'load\nprint /augeas/files%s/error\n' "$DEFAULTS" | augtool --noautoload \
			--root "$IMAGE" --transform "$lens.lns incl $DEFAULTS" >"$BATS_TEST_TMPDIR/lens" 2>&1
		[ -s "$BATS_TEST_TMPDIR/lens" ] || echo "$lens"
	done
}

ALL_READERS=$'Shellvars_list\nShellvars\nSysconfig'

# there_and_back: the readers stay, and the file comes back byte by byte.
there_and_back() {
	local before offset
	before=$(readers)
	cp "$IMAGE$DEFAULTS" "$BATS_TEST_TMPDIR/before"
	setup_image --size 20M
	[ "$(readers)" = "$before" ]
	! grep -qE '\$\(|`|\(\)|ec2hib' "$IMAGE$DEFAULTS"
	offset=$(fact area.resume_offset)
	[ "$(. "$IMAGE$DEFAULTS" && grep -o 'resume[^ ]*' <<<"$GRUB_CMDLINE_LINUX $GRUB_CMDLINE_LINUX_DEFAULT" |
		tr '\n' ' ')" = "resume=UUID=$ROOT_UUID resume_offset=$offset " ]
	[ "$(state boot-settings)" != warn ]
	[ "$(state resume-offset-next-boot)" = pass ]
	run setup_image --size 20M
	[[ "$output" == *"Nothing to do"* ]]
	"$EC2HIB" --root "$IMAGE" teardown --yes
	cmp "$IMAGE$DEFAULTS" "$BATS_TEST_TMPDIR/before"
}

@test "the lenses notice what is not plain" {
	make_machine amazon-linux-2
	[ "$(readers)" = "$ALL_READERS" ]
	echo 'f() { :; }' >>"$IMAGE$DEFAULTS"
	[ -z "$(readers)" ]
}

@test "every distribution's settings stay readable" {
	for tree in "$TREES"/*/etc/default/grub; do
		tree=${tree#"$TREES"/}
		tree=${tree%%/*}
		make_machine "$tree"
		[ "$(readers)" = "$ALL_READERS" ]
		case $tree in
		debian-* | ubuntu-*) # a drop-in of its own
			cp "$IMAGE$DEFAULTS" "$BATS_TEST_TMPDIR/before"
			setup_image --size 20M
			cmp "$IMAGE$DEFAULTS" "$BATS_TEST_TMPDIR/before"
			;;
		*) there_and_back ;;
		esac
		drop_machine
	done
}

@test "settings in every manner that these lenses read" {
	local line
	while read -r line; do
		make_machine amazon-linux-2
		sed -i '/GRUB_CMDLINE_LINUX_DEFAULT/d' "$IMAGE$DEFAULTS"
		printf '\n%b\n' "$line" >>"$IMAGE$DEFAULTS"
		there_and_back
		drop_machine
	done <<-'EOF'
		GRUB_CMDLINE_LINUX=quiet
		GRUB_CMDLINE_LINUX=
		GRUB_CMDLINE_LINUX='a b'
		export GRUB_CMDLINE_LINUX="a"
		#GRUB_CMDLINE_LINUX="a"
		GRUB_CMDLINE_LINUX="a resume=/dev/sda2 b"\nGRUB_CMDLINE_LINUX_DEFAULT="resume_offset=1 no-console-suspend"
		GRUB_CMDLINE_LINUX="a"\nGRUB_CMDLINE_LINUX_DEFAULT="$GRUB_CMDLINE_LINUX b"
		GRUB_CMDLINE_LINUX="a dyn=\\"b c\\""
	EOF
}

@test "a block of shell code of version 0.1.0 goes, both ways" {
	make_machine sles-15
	cp "$IMAGE$DEFAULTS" "$BATS_TEST_TMPDIR/before"
	old_block() {
		cat <<-'EOF'
			# begin ec2hib
			ec2hib_clean() {
				printf '%s\n' " $1 "
			}
				GRUB_CMDLINE_LINUX="${GRUB_CMDLINE_LINUX:+$GRUB_CMDLINE_LINUX }resume=UUID=1 resume_offset=1 no_console_suspend=1"
			unset -f ec2hib_clean
			# end ec2hib
		EOF
	}
	old_block >>"$IMAGE$DEFAULTS"
	chroot "$IMAGE" /usr/sbin/grub2-mkconfig -o /boot/grub2/grub.cfg
	[ "$(fact boot.our_arguments)" = true ]
	setup_image --size 20M
	[ "$(readers)" = "$ALL_READERS" ]
	[ "$(state resume-offset-next-boot)" = pass ]
	"$EC2HIB" --root "$IMAGE" teardown --yes
	cmp "$IMAGE$DEFAULTS" "$BATS_TEST_TMPDIR/before"

	old_block >>"$IMAGE$DEFAULTS"
	chroot "$IMAGE" /usr/sbin/grub2-mkconfig -o /boot/grub2/grub.cfg
	"$EC2HIB" --root "$IMAGE" teardown --yes
	cmp "$IMAGE$DEFAULTS" "$BATS_TEST_TMPDIR/before"
	! grep -q resume_offset "$IMAGE/boot/grub2/grub.cfg"
}

@test "a command line that code decides is said with the words to type" {
	make_machine amazon-linux-2
	printf '\n%s\n' 'GRUB_CMDLINE_LINUX="$(echo resume=/dev/sda9)"' >>"$IMAGE$DEFAULTS"
	cp "$IMAGE$DEFAULTS" "$BATS_TEST_TMPDIR/before"
	run setup_image --size 20M
	echo "$output"
	[ "$status" -eq 1 ]
	[[ "$output" == *"GRUB_CMDLINE_LINUX"*"resume=UUID=$ROOT_UUID resume_offset="* ]]
	cmp "$IMAGE$DEFAULTS" "$BATS_TEST_TMPDIR/before"
}
