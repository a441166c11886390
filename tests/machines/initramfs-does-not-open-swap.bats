#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# The swap area lies on a logical volume or an encrypted device, and dracut opens only those that are
# named, once one is.

load machine

setup() {
	need_machine
}

teardown() {
	drop_machine
}

SWAP_UUID=aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee

# machine_with ROOT: a RHEL 9 whose root= and rd. arguments are ROOT.
machine_with() {
	make_machine rhel-9
	sed -i "s#root=UUID=[^ ]*#$1#" "$IMAGE"/boot/loader/entries/*.conf \
		"$IMAGE/etc/kernel/cmdline" "$IMAGE/etc/default/grub"
	start_machine
}

# mapped NAME UUID: a swap device /dev/mapper/NAME with that identity at the device mapper.
mapped() {
	play_device dm-1 64M
	mkswap -q -U "$SWAP_UUID" "$DEVICE"
	ln -s ../dm-1 "$IMAGE/dev/mapper/$1"
	mkdir "$DEVICE_SYS/dm"
	echo "$1" >"$DEVICE_SYS/dm/name"
	echo "$2" >"$DEVICE_SYS/dm/uuid"
}

options() {
	grep -h '^options' "$IMAGE"/boot/loader/entries/*427*
}

# opens_after_setup DEVICE WANTED OTHER: setup adds WANTED and OTHER stays; a second one has nothing to do,
# teardown takes back only that. Without the argument the check fails and setup mends it.
opens_after_setup() {
	local before
	before=$(list_machine)
	setup_machine --swap-device "$1" --size 60M
	[[ " $(options) " == *" $2 "* ]]
	[[ " $(options) " == *" $3 "* ]]
	[ "$(live_state initramfs-opens)" = pass ]
	run setup_machine --swap-device "$1" --size 60M
	[[ "$output" == *"Nothing to do"* ]]
	teardown_machine
	diff <(echo "$before") <(list_machine)

	setup_machine --swap-device "$1" --size 60M
	sed -i "s# $2##" "$IMAGE"/boot/loader/entries/*427*
	[ "$(live_state initramfs-opens)" = fail ]
	setup_machine --swap-device "$1" --size 60M
	[ "$(live_state initramfs-opens)" = pass ]
}

@test "a swap LV beside the root LV: rd.lvm.lv= is added, and taken back" {
	machine_with 'root=/dev/mapper/rhel-root ro rd.lvm.lv=rhel/root'
	mapped rhel-swap LVM-aaaa
	opens_after_setup /dev/mapper/rhel-swap rd.lvm.lv=rhel/swap rd.lvm.lv=rhel/root
}

@test "names with dashes" {
	machine_with 'root=/dev/mapper/my--vg-root ro rd.lvm.lv=my-vg/root'
	mapped my--vg-swap--1 LVM-aaaa
	opens_after_setup /dev/mapper/my--vg-swap--1 rd.lvm.lv=my-vg/swap-1 rd.lvm.lv=my-vg/root
}

@test "an encrypted swap: rd.luks.uuid= is added, and taken back" {
	machine_with 'root=/dev/mapper/luks-root ro rd.luks.uuid=luks-11111111-2222-4333-8444-000000000000'
	mapped cryptswap CRYPT-LUKS2-0123456789abcdef0123456789abcdef-cryptswap
	opens_after_setup /dev/mapper/cryptswap \
		rd.luks.uuid=luks-01234567-89ab-cdef-0123-456789abcdef \
		rd.luks.uuid=luks-11111111-2222-4333-8444-000000000000
}

@test "a whole volume group is named: nothing is added" {
	machine_with 'root=/dev/mapper/rhel-root ro rd.lvm.vg=rhel'
	mapped rhel-swap LVM-aaaa
	setup_machine --swap-device /dev/mapper/rhel-swap --size 60M
	[[ "$(options)" != *rd.lvm.lv* ]]
	[ "$(live_state initramfs-opens)" = pass ]
}

@test "rd.auto=1 opens all; another argument would keep the rest shut" {
	machine_with 'root=/dev/mapper/rhel-root ro rd.auto=1'
	mapped rhel-swap LVM-aaaa
	setup_machine --swap-device /dev/mapper/rhel-swap --size 60M
	[[ "$(options)" != *rd.lvm.lv* ]]
	[ "$(live_state initramfs-opens)" = pass ]
}

@test "none is named, and rd.lvm=0: nothing is added, status says so" {
	machine_with 'root=/dev/nvme0n1p1 ro'
	mapped rhel-swap LVM-aaaa
	setup_machine --swap-device /dev/mapper/rhel-swap --size 60M
	[[ "$(options)" != *rd.lvm* ]]
	[ "$(live_state initramfs-opens)" = warn ]
	sed -i 's/^options .*/& rd.lvm=0/' "$IMAGE"/boot/loader/entries/*427*
	[ "$(live_state initramfs-opens)" = fail ]
}

@test "an initramfs without LVM does not open the volume" {
	machine_with 'root=/dev/mapper/rhel-root ro rd.lvm.vg=rhel'
	mapped rhel-swap LVM-aaaa
	setup_machine --swap-device /dev/mapper/rhel-swap --size 60M
	[ "$(live_state initramfs-devices)" = pass ]
	"$IMAGE/bin/stub-image" cpio usr/lib/dracut/modules.txt resume >"$(ls "$IMAGE"/boot/initramfs-5*427*)"
	[ "$(live_state initramfs-devices)" = fail ]
	[[ "$(live_text initramfs-devices)" == *"lacks LVM"* ]]
}
