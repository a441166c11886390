#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# A file that cannot be looked at is not a file that is not there: setup and teardown name it and
# change nothing.

load machine

setup() {
	need_machine
	need_program strace
	make_machine debian-12
}

teardown() {
	drop_machine
}

# with_error PATH COMMAND...: each look at PATH fails with EIO.
with_error() {
	local path=$1
	shift
	strace -qq -o /dev/null -P "$path" -e trace=openat2 -e inject=openat2:error=EIO \
		"$EC2HIB" --root "$IMAGE" "$@"
}

LOOKED_AT=(/boot/grub/grub.cfg /etc/default/grub /etc/default/grub.d /usr/sbin/grub-mkconfig
	/usr/sbin/mkinitramfs /etc/initramfs-tools/conf.d /etc/fstab)

@test "setup refuses and changes nothing when a file cannot be looked at" {
	before=$(list_machine)
	for path in "${LOOKED_AT[@]}"; do
		run with_error "$path" setup --yes --size 20M --no-service
		[ "$status" -eq 1 ]
		[[ "$output" == *"cannot look at $IMAGE$path: Input/output error"* ]]
		diff <(echo "$before") <(list_machine)
		[ ! -e "$IMAGE/swap" ]
	done
}

@test "status says which file it could not look at" {
	run with_error /boot/grub/grub.cfg status
	[[ "$output" == *"warning: cannot look at $IMAGE/boot/grub/grub.cfg: Input/output error: "* ]]
	[ "$status" -ne 0 ]
	run "$EC2HIB" --root "$IMAGE" status
	[[ "$output" != *warning* ]]
}

@test "a dry run does not show a plan that rests on a guess" {
	run with_error /boot/grub/grub.cfg setup --dry-run --size 20M
	[ "$status" -eq 1 ]
	[[ "$output" == *"cannot look at $IMAGE/boot/grub/grub.cfg: Input/output error"* ]]
	run with_error /boot/grub/grub.cfg setup --dry-run --json --size 20M
	[ "$status" -eq 1 ]
	[[ "$output" == *'"error": "cannot look at '* ]]
}

@test "teardown refuses and changes nothing when a file cannot be looked at" {
	"$EC2HIB" --root "$IMAGE" setup --yes --size 20M --no-service
	before=$(list_machine)
	for path in "${LOOKED_AT[@]}" /etc/default/grub.d/zz-ec2hib.cfg; do
		run with_error "$path" teardown --yes
		echo "$path: $output"
		[ "$status" -eq 1 ]
		[[ "$output" == *"cannot look at $IMAGE$path: Input/output error"* ]]
		diff <(echo "$before") <(list_machine)
		[ -e "$IMAGE/swap" ]
	done
	"$EC2HIB" --root "$IMAGE" teardown --yes
	[ ! -e "$IMAGE/swap" ]
}
