# SPDX-License-Identifier: GPL-3.0-or-later
# Whole machines from the fixture trees, on real file systems: as an image (--root), and as a running
# system, which is a chroot(8) with the shipped program in it and a /sys, /dev, /run of its own.
#
#	load machine
#	setup() { need_machine; }
#	teardown() { drop_machine; }
#
#	make_machine debian-12		# an image: fact, state, setup_image of helpers.bash work on it
#	start_machine			# from here on also: on_machine PROGRAM, live_fact, live_state

load ../lib/helpers

TREES=${srcdir:-$top_builddir}/tests/fixtures/trees

# Loop devices that are not the root's, by the descriptor that holds each.
MACHINE_DEVICES=()

# need_machine: skips where nothing can be mounted. Loop devices of an earlier run may be in use: one
# has to be free.
need_machine() {
	need_root
	command -v losetup >/dev/null || skip "needs losetup"
	losetup --find >/dev/null 2>&1 || skip "needs loop devices"
	mkdir -p "$BATS_TEST_TMPDIR/probe"
	mount -t tmpfs tmpfs "$BATS_TEST_TMPDIR/probe" 2>/dev/null || skip "cannot mount here"
	umount "$BATS_TEST_TMPDIR/probe"
}

# need_program NAME...: skips without it.
need_program() {
	local name
	for name in "$@"; do
		command -v "$name" >/dev/null || skip "needs $name"
	done
}

# make_machine TREE [TYPE [SIZE]]: $IMAGE becomes a file system (ext4, xfs, btrfs) with the files of
# that tree. Its UUID is $ROOT_UUID: always the same with ext4 only, as the kernel mounts no two xfs or
# btrfs with the same one. Small file systems of these types do not exist: 400M holds both.
make_machine() {
	local tree=$1 type=${2:-ext4} size=${3:-}
	[ -n "$size" ] || { [ "$type" = ext4 ] && size=200M || size=400M; }
	need_program "mkfs.$type"
	make_image "$type" "$size" 11111111-2222-4333-8444-555555555555
	ROOT_UUID=$(blkid -p -o value -s UUID "$BATS_TEST_TMPDIR/disk")
	"$TREES/copy" "$tree" "$BATS_TEST_TMPDIR/tree"
	cp -a "$BATS_TEST_TMPDIR/tree/." "$IMAGE"
	rm -r "$BATS_TEST_TMPDIR/tree"
}

# start_machine: $IMAGE runs from now on: on_machine runs programs in it. What a kernel that can
# hibernate says is in its /sys; the root's device is there under its name on the host. Files that a
# test wants to compare are to be listed after this, which puts programs into the image.
# Its disk has to be on one: the kernel swaps pages of a file in memory out to the swap area in that
# very file, and waits for itself for ever.
start_machine() {
	local folder root
	[ "$(stat -f -c %T "$BATS_TEST_TMPDIR")" != tmpfs ] || skip "needs TMPDIR on a disk"
	put_program "$IMAGE" mkswap swapon swapoff
	put_own_program
	for folder in dev proc run sys tmp; do
		mkdir -p "$IMAGE/$folder"
	done
	mount -t proc proc "$IMAGE/proc" || skip "cannot mount /proc here"
	mount -t tmpfs -o mode=755 tmpfs "$IMAGE/dev"
	mount -t tmpfs -o mode=755 tmpfs "$IMAGE/sys"
	mount -t tmpfs -o mode=755 tmpfs "$IMAGE/run"
	cp -a /dev/null /dev/zero /dev/full /dev/random /dev/urandom "$IMAGE/dev/"
	mkdir -p "$IMAGE/dev/mapper" "$IMAGE"/dev/disk/by-{uuid,partuuid,label,id}
	machine_sys
	root=$(findmnt -n -o SOURCE "$IMAGE")
	root=${root%%\[*} # btrfs names its subvolume, too
	add_device "$(basename "$root")" "$root"
	ln -s "../../$(basename "$root")" "$IMAGE/dev/disk/by-uuid/$ROOT_UUID"
}

# The program under test, with the libraries that it is linked with and those that it loads when it
# needs them (their names are in a note of it, core/base/library.h).
put_own_program() {
	local names name path
	mkdir -p "$IMAGE/usr/sbin"
	cp "$EC2HIB" "$IMAGE/usr/sbin/ec2hib"
	put_libraries_of "$IMAGE" "$EC2HIB"
	grep -ao '"soname":\[[^]]*\]' "$EC2HIB" | while read -r names; do
		for name in $(grep -o 'lib[^"]*' <<<"$names"); do
			path=$(/sbin/ldconfig -p | awk -v name="$name" '$1 == name { print $NF; exit }')
			[ -n "$path" ] || continue
			mkdir -p "$IMAGE/$(dirname "$path")"
			cp -L "$path" "$IMAGE/$path"
			put_libraries_of "$IMAGE" "$path"
			break
		done
	done
}

# What /sys of an EC2 instance says whose kernel can hibernate and knows of no swap area yet.
machine_sys() {
	local sys=$IMAGE/sys
	mkdir -p "$sys/power" "$sys/dev/block" "$sys/block" "$sys/class/block" "$sys/class/dmi/id" \
		"$sys/kernel/security" "$sys/devices/virtual/block"
	echo 'freeze mem disk' >"$sys/power/state"
	echo '[platform] shutdown reboot suspend test_resume' >"$sys/power/disk"
	echo 0:0 >"$sys/power/resume"
	echo 0 >"$sys/power/resume_offset"
	echo 3000000000 >"$sys/power/image_size"
	echo 60000 >"$sys/power/pm_freeze_timeout"
	echo 'Amazon EC2' >"$sys/class/dmi/id/sys_vendor"
}

# add_device NAME DEVICE [SLAVE...]: the machine has DEVICE, a block device of the host, under NAME in
# /dev and /sys; it lies on the SLAVEs, which are names that the machine has. $DEVICE_SYS is its folder
# in /sys: dm/uuid and dm/name, partition, device/model and so on are for the test to write there.
add_device() {
	local name=$1 device=$2 number slave
	number=$((0x$(stat -L -c %t "$device"))):$((0x$(stat -L -c %T "$device")))
	DEVICE_SYS=$IMAGE/sys/devices/virtual/block/$name
	mkdir -p "$DEVICE_SYS/slaves" "$DEVICE_SYS/holders"
	echo "$number" >"$DEVICE_SYS/dev"
	blockdev --getsz "$device" >"$DEVICE_SYS/size"
	ln -sfn "../../devices/virtual/block/$name" "$IMAGE/sys/dev/block/$number"
	ln -sfn "../devices/virtual/block/$name" "$IMAGE/sys/block/$name"
	ln -sfn "../../devices/virtual/block/$name" "$IMAGE/sys/class/block/$name"
	rm -f "$IMAGE/dev/$name"
	mknod "$IMAGE/dev/$name" b "${number%:*}" "${number#*:}"
	for slave in "${@:3}"; do
		ln -s "../../$slave" "$DEVICE_SYS/slaves/$slave"
		ln -s "../../$name" "$IMAGE/sys/devices/virtual/block/$slave/holders/$name"
	done
}

# new_device FILE: $DEVICE becomes a loop device on the host with that file. It goes when
# drop_machine lets go of it, or when the test is killed: losetup(8) detaches a device that is in use
# as soon as nobody has it open.
new_device() {
	local held
	DEVICE=$(losetup --find --show "$1") || skip "needs a loop device"
	exec {held}<"$DEVICE"
	losetup --detach "$DEVICE"
	MACHINE_DEVICES+=("$held")
}

# play_device NAME SIZE [SLAVE...]: a file plays a block device of that name (dm-1, nvme1n1, zd0,
# md0). Sets $DEVICE, the loop device on the host, and $DEVICE_SYS. It is empty: mkswap -q "$DEVICE".
play_device() {
	truncate -s "$2" "$BATS_TEST_TMPDIR/device-$1"
	new_device "$BATS_TEST_TMPDIR/device-$1"
	add_device "$1" "$DEVICE" "${@:3}"
}

# mount_device PATH TYPE SIZE NAME: one more file system of the machine, mounted on PATH in it, on a
# device that has NAME in its /sys. After start_machine.
mount_device() {
	need_program "mkfs.$2"
	play_device "$4" "$3"
	"mkfs.$2" "$DEVICE" >/dev/null 2>&1
	mkdir -p "$IMAGE$1"
	mount "$DEVICE" "$IMAGE$1" || skip "cannot mount $2 here"
}

# efi_variable NAME TEXT [GUID]: a firmware variable whose value is text (UTF-16, with its end), the
# attributes in front as efivarfs has them. The GUID is that of systemd's Boot Loader Interface.
efi_variable() {
	local guid=${3:-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f}
	{ printf '%s' "$2" | iconv -f UTF-8 -t UTF-16LE; printf '\0\0'; } |
		efi_variable_bytes "$1" "$guid"
}

# efi_variable_bytes NAME GUID: the same with the value's bytes from standard input: BootCurrent is
# printf '\1\0' | efi_variable_bytes BootCurrent 8be4df61-93ca-11d2-aa0d-00e098032b8c
efi_variable_bytes() {
	local folder=$IMAGE/sys/firmware/efi/efivars
	mkdir -p "$folder"
	{ printf '\006\000\000\000'; cat; } >"$folder/$1-$2"
}

# kernel_line TEXT: the machine was started with that command line.
kernel_line() {
	echo "$1" >"$BATS_TEST_TMPDIR/cmdline"
	mount --bind "$BATS_TEST_TMPDIR/cmdline" "$IMAGE/proc/cmdline"
}

# on_machine PROGRAM [ARGUMENT...]: runs it in the machine.
on_machine() {
	chroot "$IMAGE" "$@"
}

# setup_machine OPTION...: applies a plan to the running machine. Services are the tree's stubs: none.
setup_machine() {
	on_machine /usr/sbin/ec2hib setup --yes --no-service "$@"
}

# teardown_machine OPTION...: the way back. A shorter number leaves the end of a longer one in a file
# of tmpfs, other than in /sys: the kernel forgets its offset as one does that has no such file.
teardown_machine() {
	rm -f "$IMAGE/sys/power/resume_offset"
	on_machine /usr/sbin/ec2hib teardown --yes "$@"
	echo 0 >"$IMAGE/sys/power/resume_offset"
}

# live_fact FILTER: a fact of the running machine, by a jq path below .facts.
live_fact() {
	on_machine /usr/sbin/ec2hib status --json | jq -r ".facts.$1"
}

# live_state CHECK: what a check says about the running machine.
live_state() {
	on_machine /usr/sbin/ec2hib status --json "$1" | jq -r '.checks[0].state'
}

# live_text CHECK: its sentence.
live_text() {
	on_machine /usr/sbin/ec2hib status --json "$1" | jq -r '.checks[0].text'
}

# list_machine: names, types, modes, owners, links and contents of all that is on the machine's own
# file system, but swap files in /, logs, and our state folder.
list_machine() {
	(cd "$IMAGE" && find . -xdev \( -path ./lost+found -o -path './swap*' -o -path ./var/log \
		-o -path ./var/lib/ec2hib \) -prune -o -printf '%p %y %m %u %g %l\n' | sort
		find . -xdev -type f ! -path './swap*' ! -path './var/log/*' \
			! -path './var/lib/ec2hib/*' -exec sha256sum {} + | sort -k 2)
}

# stubs: what the stub programs of the tree were asked to do.
stubs() {
	cat "$IMAGE/var/log/stubs.log" 2>/dev/null
}

# Switches off what the machine has on.
drop_swaps() {
	local area
	while read -r area; do
		swapoff "$area"
	done < <(awk -v below="$IMAGE/" 'index($1, below) == 1 { print $1 }' /proc/swaps)
}

# drop_machine: nothing of the machine stays, in whatever state a test has left it: no swap switched
# on, nothing mounted, no loop device. A test may call it and make the next machine.
drop_machine() {
	local held
	[ -n "${IMAGE:-}" ] && [ -d "$IMAGE" ] || return 0
	drop_swaps
	while mountpoint -q "$IMAGE"; do
		umount --recursive "$IMAGE" || return
	done
	for held in "${MACHINE_DEVICES[@]}"; do
		exec {held}<&-
	done
	MACHINE_DEVICES=()
	rm -f "$BATS_TEST_TMPDIR/disk" "$BATS_TEST_TMPDIR"/device-*
	rmdir "$IMAGE"
}
