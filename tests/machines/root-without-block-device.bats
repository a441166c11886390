#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# What lies below the swap area: all of it has to be there, as it was, when the next boot looks for
# the image.
bats_require_minimum_version 1.5.0

load machine

setup() {
	need_machine
}

teardown() {
	if [ -n "${OVERLAY:-}" ] && mountpoint -q "$OVERLAY"; then
		umount --recursive "$OVERLAY"
	fi
	drop_machine
}

AREA_UUID=aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee

# refused TEXT OPTION...: setup says TEXT, changes nothing and ends with 1.
refused() {
	local before text=$1
	before=$(list_machine)
	run setup_machine --prewarm no --no-boot-config --no-initramfs "${@:2}"
	[ "$status" -eq 1 ]
	[[ $output == *"$text"* ]]
	[ "$before" = "$(list_machine)" ]
}

# swap_device NAME [SLAVE...]: one with a swap header.
swap_device() {
	play_device "$1" 64M "${@:2}"
	mkswap -q -U "$AREA_UUID" "$DEVICE"
}

# disk NAME MODEL: one of EC2's.
disk() {
	play_device "$1" 4M
	mkdir -p "$DEVICE_SYS/device"
	echo "$2" >"$DEVICE_SYS/device/model"
	echo vol0aaaaaaaaaaaaaaaa >"$DEVICE_SYS/device/serial"
}

mapper() { # UUID NAME, of the last device
	mkdir -p "$DEVICE_SYS/dm"
	echo "$1" >"$DEVICE_SYS/dm/uuid"
	echo "$2" >"$DEVICE_SYS/dm/name"
}

@test "a volume group over EBS and instance store loses the image with one of them" {
	make_machine debian-12
	start_machine
	disk nvme1n1 'Amazon Elastic Block Store'
	disk nvme2n1 'Amazon EC2 NVMe Instance Storage'
	swap_device dm-1 nvme1n1 nvme2n1
	mapper LVM-0123456789abcdef vg-swap
	refused '/dev/dm-1 is on nvme2n1, which is instance store: the image would be lost' \
		--swap-device /dev/dm-1 --size 60M
	[ "$(live_fact 'area.path')" = /swap ]
}

@test "a volume group over two EBS volumes holds the image" {
	make_machine debian-12
	start_machine
	disk nvme1n1 'Amazon Elastic Block Store'
	disk nvme2n1 'Amazon Elastic Block Store'
	swap_device dm-1 nvme1n1 nvme2n1
	mapper LVM-0123456789abcdef vg-swap
	setup_machine --prewarm no --no-boot-config --no-initramfs --swap-device /dev/dm-1 --size 60M
	[ "$(live_state swap-medium)" = pass ]
	[ "$(live_fact 'area.devices | map(select(.leaf).name) | join(" ")')" = 'nvme1n1 nvme2n1' ]
	[ "$(live_fact 'area.devices[0].mapper')" = vg-swap ]
}

@test "a key that is new at every boot does not open the image" {
	make_machine debian-12
	start_machine
	disk nvme1n1 'Amazon Elastic Block Store'
	swap_device dm-1 nvme1n1
	mapper CRYPT-PLAIN-cryptswap cryptswap
	echo 'cryptswap /dev/nvme1n1 /dev/urandom swap,cipher=aes-xts-plain64' >"$IMAGE/etc/crypttab"
	refused '/dev/dm-1 has a key that is new at every boot' \
		--swap-device /dev/dm-1 --size 60M
	echo 'cryptswap /dev/nvme1n1 /etc/swap.key plain' >"$IMAGE/etc/crypttab"
	setup_machine --prewarm no --no-boot-config --no-initramfs --swap-device /dev/dm-1 --size 60M
	[ "$(live_state swap-medium)" = pass ]
	echo '# none' >"$IMAGE/etc/crypttab"
	[ "$(live_state swap-medium)" = unknown ]
}

@test "loop devices, ZFS volumes, memory and the network's disks are refused by name" {
	local name
	make_machine debian-12
	start_machine
	for name in 'loop99 loop device' 'zd0 volume of ZFS' 'zram0 memory' 'ram0 memory' \
		'nbd0 network' 'bcache0 bcache device'; do
		swap_device "${name%% *}"
		refused "/dev/${name%% *} is " --swap-device "/dev/${name%% *}"
		[[ $output == *"${name#* }"* ]]
	done
}

@test "a thin pool below the file system of the swap file is refused" {
	make_machine debian-12
	start_machine
	disk nvme1n1 'Amazon Elastic Block Store'
	play_device dm-2 4M nvme1n1
	mapper LVM-0123456789abcdef-tpool vg-pool-tpool
	mount_device /data ext4 64M dm-3
	mapper LVM-0123456789abcdee vg-data
	ln -s ../../dm-2 "$DEVICE_SYS/slaves/dm-2"
	refused '/data/swap is on dm-2 (vg-pool-tpool), which is a thin pool' --swapfile /data/swap --size 20M
	[ ! -e "$IMAGE/data/swap" ]
}


@test "a swap file needs a file system on a block device, whatever the root is" {
	make_machine debian-12
	OVERLAY=$BATS_TEST_TMPDIR/overlay
	mkdir -p "$OVERLAY" "$BATS_TEST_TMPDIR/upper"
	mount -t tmpfs tmpfs "$BATS_TEST_TMPDIR/upper"
	mkdir "$BATS_TEST_TMPDIR/upper/up" "$BATS_TEST_TMPDIR/upper/work"
	start_machine
	mount -t overlay overlay "$OVERLAY" -o \
		"lowerdir=$IMAGE,upperdir=$BATS_TEST_TMPDIR/upper/up,workdir=$BATS_TEST_TMPDIR/upper/work" ||
		{ umount "$BATS_TEST_TMPDIR/upper"; skip "cannot mount overlay here"; }
	for folder in proc dev sys run; do
		mount --bind "$IMAGE/$folder" "$OVERLAY/$folder"
	done
	mkdir -p "$OVERLAY/data"
	mount --bind "$IMAGE" "$OVERLAY/data"
	below=$IMAGE
	IMAGE=$OVERLAY
	state=$(live_state swap-file)
	text=$(live_text swap-file)
	run setup_machine --size 20M
	first=$status first_output=$output
	run setup_machine --size 20M --swapfile /run/swap
	second=$status second_output=$output
	run setup_machine --size 20M --swapfile /data/swap --no-boot-config --no-initramfs
	third=$status third_output=$output
	IMAGE=$below
	swapoff "$OVERLAY/data/swap" 2>/dev/null || true
	umount --recursive "$OVERLAY"
	umount "$BATS_TEST_TMPDIR/upper"
	echo "$text; $first_output; $second_output; $third_output"
	[ "$state" = fail ]
	[[ $text == "/ is overlay, which cannot hold a swap file"* ]]
	[ "$first" -eq 1 ]
	[[ $first_output == *"/ is overlay, which cannot hold a swap file"*--swapfile* ]]
	[ "$second" -eq 1 ]
	[[ $second_output == *"/run is tmpfs, which cannot hold a swap file"* ]]
	[ "$third" -eq 0 ]
	[ -f "$IMAGE/swap" ]
}
