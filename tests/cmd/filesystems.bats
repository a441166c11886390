#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# The swap file on real file systems: what setup makes, what status sees, and what is left when
# something goes wrong.

load ../lib/helpers

setup() {
	need_root
}

teardown() {
	drop_image
}

# The first page of the swap file on its device, as another program sees it.
offset_by_others() {
	case $1 in
	btrfs) btrfs inspect-internal map-swapfile -r "$2" ;;
	*) filefrag -v -b4096 "$2" | awk '$1 == "0:" { sub(/\.\..*/, "", $4); print $4 }' ;;
	esac
}

setup_makes_a_swap_file_on() {
	make_image "$1" "$2"
	setup_image --size 40M
	file=$IMAGE$(fact area.path)
	[ "$(stat -c '%a %U %G %s' "$file")" = "600 root root 41943040" ]
	[ "$(fact area.holes)" = 0 ]
	[ "$(fact area.copy_on_write)" = false ]
	[ "$(fact area.signature)" = swap ]
	[ "$(fact area.header_size)" = 41943040 ]
	[ "$(fact area.resume_offset)" = "$(offset_by_others "$1" "$file")" ]
	[ "$(blkid -p -o value -s LABEL "$file")" = ec2hib ]
	[ "$(fact area.header_uuid)" = "$(blkid -p -o value -s UUID "$file")" ]
	# the kernel itself takes it
	swapon "$file"
	swapoff "$file"
}

@test "setup makes a swap file on ext4 that the kernel takes" {
	setup_makes_a_swap_file_on ext4 200M
}

@test "setup makes a swap file on xfs that the kernel takes" {
	setup_makes_a_swap_file_on xfs 400M
}

@test "setup makes a swap file on btrfs that the kernel takes" {
	setup_makes_a_swap_file_on btrfs 400M
}

@test "a swap file in a subvolume of btrfs that is not mounted is found" {
	make_image btrfs 400M
	btrfs subvolume create "$IMAGE/@swap" >/dev/null
	setup_image --size 40M --swapfile /@swap/file
	[ "$(fact area.filesystem)" = btrfs ]
	[ "$(fact area.mount_point)" = "$IMAGE" ]
	[ "$(fact 'area.devices[0].kind')" = loop ]
	[ "$(fact area.resume_offset)" = \
		"$(btrfs inspect-internal map-swapfile -r "$IMAGE/@swap/file")" ]
}

# What the snapshots of a distribution are about: the subvolume of /.
@test "on btrfs snapshots of the root work while the swap file is on" {
	make_image btrfs 400M
	before=$(list_image)
	setup_image --size 40M
	file=$IMAGE$(fact area.path)
	[ "$file" = "$IMAGE/swap/swapfile" ]
	[ "$(stat -c '%i %a %U' "$IMAGE/swap")" = "256 755 root" ]
	[ "$(state swap-snapshots)" = pass ]
	swapon "$file"
	btrfs subvolume snapshot -r "$IMAGE" "$IMAGE/snapshot"
	swapoff "$file"
	swapon "$file" # it shares nothing with the snapshot
	swapoff "$file"
	btrfs subvolume delete "$IMAGE/snapshot" >/dev/null
	"$EC2HIB" --root "$IMAGE" teardown --yes
	[ ! -e "$IMAGE/swap" ]
	[ "$before" = "$(list_image)" ]
}

@test "a swap file among what is snapshotted is a warning" {
	make_image btrfs 400M
	setup_image --size 40M --swapfile /swapfile >"$BATS_TEST_TMPDIR/out" 2>&1
	grep -q "no snapshot of / can be taken.*--swapfile /swap-ec2hib/swapfile" "$BATS_TEST_TMPDIR/out"
	[ "$(state swap-snapshots)" = warn ]
	mkdir -p "$IMAGE/etc/snapper/configs"
	printf '# subvolume to snapshot\nSUBVOLUME="/"\n' >"$IMAGE/etc/snapper/configs/root"
	[ "$(fact area.snapshots)" = snapper ]
	setup_image --size 40M --swapfile /swap-ec2hib/swapfile
	[ "$(state swap-snapshots)" = pass ]
	# a subvolume of the administrator's with more in it, which nobody snapshots
	btrfs subvolume create "$IMAGE/data" >/dev/null
	echo precious >"$IMAGE/data/mine"
	setup_image --size 40M --swapfile /data/file
	[ "$(state swap-snapshots)" = pass ]
	[ "$(fact area.subvolume_shared)" = true ]
	"$EC2HIB" --root "$IMAGE" teardown --yes
	[ "$(cat "$IMAGE/data/mine")" = precious ]
}

@test "teardown leaves a subvolume that is not ours, or is not empty" {
	make_image btrfs 400M
	btrfs subvolume create "$IMAGE/swap" >/dev/null
	setup_image --size 40M
	[ "$(fact area.folder_ours)" = false ]
	"$EC2HIB" --root "$IMAGE" teardown --yes
	rmdir "$IMAGE/swap"
	setup_image --size 40M
	echo precious >"$IMAGE/swap/mine"
	"$EC2HIB" --root "$IMAGE" teardown --yes
	[ "$(ls "$IMAGE/swap")" = mine ]
}

@test "killed while the subvolume is made, and run again or torn down" {
	make_image btrfs 400M
	before=$(list_image)
	for call in ioctl fsetxattr fchmod renameat2; do
		number=1
		# the ioctl that makes it is not the first one
		[ "$call" = ioctl ] && number=$(strace -qq -e trace=ioctl "$EC2HIB" --root "$IMAGE" \
			setup --yes -q --size 20M 2>&1 >/dev/null | grep -n SUBVOL_CREATE | cut -d: -f1)
		"$EC2HIB" --root "$IMAGE" teardown --yes -q
		for next in setup teardown; do
			run strace -qq -o /dev/null -e trace=$call \
				-e inject=$call:signal=SIGKILL:when=$number \
				"$EC2HIB" --root "$IMAGE" setup --yes -q --size 20M
			[ "$status" -ne 0 ]
			if [ "$next" = setup ]; then
				setup_image -q --size 20M
				[ "$(stat -c '%a %s' "$IMAGE/swap/swapfile")" = "600 20971520" ]
				[ "$(fact area.folder_ours)" = true ]
			fi
			"$EC2HIB" --root "$IMAGE" teardown --yes -q
			[ "$before" = "$(list_image)" ]
			[ -z "$(ls -A "$IMAGE" | grep swap)" ]
		done
	done
}

# ---- What is there already ----------------------------------------------------------------------

make_swap_file() { # PATH SIZE
	fallocate -l "$2" "$IMAGE$1"
	chmod 600 "$IMAGE$1"
	mkswap "$IMAGE$1" >/dev/null
}

@test "a swap file of the administrator's that will do is used, and never removed" {
	make_image ext4 600M
	mkdir "$IMAGE/swap"
	for path in /swapfile /swap.img /swap/swap /var-swap; do
		rm -rf "$IMAGE/etc/fstab" "$IMAGE/var"
		make_swap_file "$path" 40M
		printf '%s none swap sw 0 0\n' "$path" >"$IMAGE/etc/fstab"
		sum=$(sha256sum <"$IMAGE$path")
		[ "$(fact area.path)" = "$path" ]
		[ "$(fact area.chosen)" = fstab ]
		run setup_image --size 40M
		[ "$status" -eq 0 ]
		[[ "$output" == *"$path is used, a swap file that is there already"* ]]
		[ "$(cat "$IMAGE/etc/fstab")" = "$path none swap sw 0 0" ]
		[ "$(fact area.chosen)" = remembered ]
		# one that will not do is not replaced either
		run setup_image --size 100M
		[ "$status" -eq 1 ]
		[[ "$output" == *"ec2hib did not make it"*"ec2hib setup --swapfile /swap-ec2hib"* ]]
		"$EC2HIB" --root "$IMAGE" teardown --yes
		[ "$sum" = "$(sha256sum <"$IMAGE$path")" ]
		rm "$IMAGE$path"
	done
}

@test "a swap file of the administrator's that will not do is left alone" {
	make_image ext4 600M
	printf '/swapfile none swap sw 0 0\n' >"$IMAGE/etc/fstab"
	truncate -s 40M "$IMAGE/swapfile" # holes
	chmod 600 "$IMAGE/swapfile"
	mkswap "$IMAGE/swapfile" >/dev/null
	inode=$(stat -c %i "$IMAGE/swapfile")
	[ "$(fact area.path)" = /swap ]
	setup_image --size 40M
	[ "$(stat -c %s "$IMAGE/swap")" = $((40 << 20)) ]
	[ "$inode" = "$(stat -c %i "$IMAGE/swapfile")" ]
	[ "$(fact area.chosen)" = ours ]
}

@test "what the administrator names comes before what is there" {
	make_image ext4 600M
	make_swap_file /swapfile 40M
	printf '/swapfile none swap sw 0 0\n' >"$IMAGE/etc/fstab"
	printf '[swap]\nswapfile = /mine\n' >"$IMAGE/etc/ec2hib.conf"
	[ "$(fact area.path)" = /mine ]
	[ "$(fact area.chosen)" = configured ]
}

@test "a folder /swap and what is in it stay" {
	make_image ext4 600M
	mkdir "$IMAGE/swap"
	echo precious >"$IMAGE/swap/mine"
	run "$EC2HIB" --root "$IMAGE" status swap-file
	[[ "$output" != *remove* ]]
	setup_image --size 40M
	[ "$(fact area.path)" = /swap/swapfile ]
	"$EC2HIB" --root "$IMAGE" teardown --yes
	[ "$(ls "$IMAGE/swap")" = mine ]
	# named as the file itself it is refused, and another name is offered
	run setup_image --size 40M --swapfile /swap
	[ "$status" -eq 1 ]
	[[ "$output" == *"run: ec2hib setup --swapfile /swap-ec2hib"* ]]
}

@test "btrfs on two devices is refused, and nothing is left behind" {
	make_image btrfs 400M
	truncate -s 400M "$BATS_TEST_TMPDIR/second"
	second=$(losetup --find --show "$BATS_TEST_TMPDIR/second")
	btrfs device add -f "$second" "$IMAGE" >/dev/null
	run setup_image --size 40M
	left=$(ls "$IMAGE"/swap* 2>/dev/null || true)
	drop_image
	losetup --detach "$second"
	[ "$status" -eq 1 ]
	echo "$output"
	[[ "$output" == *"cannot create /swap/swapfile: "*"btrfs has 2 devices"* ]]
	[ -z "$left" ]
}

@test "blocks smaller than a page: the file begins at a page all the same" {
	IMAGE=$BATS_TEST_TMPDIR/image
	truncate -s 100M "$BATS_TEST_TMPDIR/disk"
	mkfs.ext4 -q -F -b 1024 "$BATS_TEST_TMPDIR/disk"
	mkdir "$IMAGE"
	mount -o loop "$BATS_TEST_TMPDIR/disk" "$IMAGE"
	chmod 755 "$IMAGE"
	mkdir "$IMAGE/etc"
	put_program "$IMAGE" mkswap
	for odd in 1 2 3; do # whatever was free before, one of these is odd
		head -c 1K /dev/urandom >"$IMAGE/etc/$odd"
		sync
		setup_image --size 8M
		offset=$(fact area.resume_offset)
		[ "$(dd if="$BATS_TEST_TMPDIR/disk" bs=4096 skip="$offset" count=1 status=none |
			tail -c 10)" = SWAPSPACE2 ]
		[ "$(stat -c %s "$IMAGE/swap")" = $((8 << 20)) ]
		[ "$(fact area.holes)" = 0 ]
		swapon "$IMAGE/swap"
		swapoff "$IMAGE/swap"
		mv "$IMAGE/swap" "$IMAGE/etc/swap.$odd"
	done
}

@test "setup run again changes nothing" {
	make_image ext4 200M
	setup_image --size 40M
	before=$(list_image; stat -c '%i %y' "$IMAGE/swap")
	run setup_image --size 40M
	[ "$status" -eq 0 ]
	[[ "$output" == *"Nothing to do"* ]]
	[ "$before" = "$(list_image; stat -c '%i %y' "$IMAGE/swap")" ]
}

@test "extents of a fragmented file are counted as filefrag counts them" {
	make_image ext4 64M
	# fill the file system with small files and take every second one away
	mkdir "$IMAGE/fill"
	for i in $(seq 1 9999); do
		head -c 16384 /dev/zero >"$IMAGE/fill/$i" 2>/dev/null || break
	done
	for i in $(seq 1 2 "$i"); do rm "$IMAGE/fill/$i"; done
	sync
	fallocate -l 12M "$IMAGE/swap"
	chmod 600 "$IMAGE/swap"
	mkswap "$IMAGE/swap" >/dev/null
	sync
	[ "$(state swap-fragments)" = warn ]
	# filefrag keeps neighbours apart where one is written and the other is not
	filefrag -v -b4096 "$IMAGE/swap" | grep -E '^ *[0-9]+:' | tr -c '0-9\n' ' ' |
		awk '{ if ($4 != next_block) count++; next_block = $5 + 1 } END { print count }' \
			>"$BATS_TEST_TMPDIR/count"
	[ "$(fact 'area.extents | length')" = "$(cat "$BATS_TEST_TMPDIR/count")" ]
}

@test "a full disk is an error with numbers and leaves nothing behind" {
	make_image ext4 64M
	before=$(list_image)
	run setup_image --size 1G
	[ "$status" -eq 1 ]
	[[ "$output" == *"cannot create /swap: needs 1.0 GiB"*"free on"*"(ext4)"* ]]
	[ "$before" = "$(list_image)" ]
	[ ! -e "$IMAGE/swap" ]
}

# What root alone may allocate on ext4, a fifth here, is for the day when the disk is full.
make_image_with_reserve() {
	make_image ext4 200M
	umount "$IMAGE"
	tune2fs -m 20 "$BATS_TEST_TMPDIR/disk" >/dev/null
	mount -o loop "$BATS_TEST_TMPDIR/disk" "$IMAGE"
}

@test "setup leaves what the file system reserves for root alone" {
	make_image_with_reserve
	before=$(list_image)
	available=$(stat -f -c '%a * %S' "$IMAGE")
	[ "$(fact area.filesystem_free)" = $((available)) ]
	run setup_image --size 160M
	[ "$status" -eq 1 ]
	[[ "$output" == *"cannot create /swap: needs 160.0 MiB, "*"free on"*"reserved for root"* ]]
	[ "$before" = "$(list_image)" ]
	# the same where a smaller file is to make way
	setup_image --size 60M
	run setup_image --size 160M
	[ "$status" -eq 1 ]
	[ "$(stat -c %s "$IMAGE/swap")" = $((60 << 20)) ]
	setup_image --size 110M
	[ "$(stat -f -c %a "$IMAGE")" -gt 0 ]
}

@test "a file that has eaten into the reserve is no room for another" {
	make_image_with_reserve
	fallocate -l 170M "$IMAGE/swap"
	chmod 600 "$IMAGE/swap"
	mkswap "$IMAGE/swap" >/dev/null
	[ "$(fact area.filesystem_free)" = 0 ]
	run setup_image --size 60M
	[ "$status" -eq 1 ]
	[[ "$output" == *"needs 60.0 MiB, 0 bytes free"* ]]
	[ "$(stat -c %s "$IMAGE/swap")" = $((170 << 20)) ]
}

@test "a file that is written block by block stops before the reserve" {
	make_image_with_reserve
	printf '[core]\ntouch-swap = yes\n' >"$IMAGE/etc/ec2hib.conf"
	# somebody else takes the rest while it is written
	strace -qq -o /dev/null -e trace=pwrite64 -e inject=pwrite64:delay_enter=200ms:when=2 \
		"$EC2HIB" --root "$IMAGE" setup --yes --size 100M >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
	writer=$!
	within 20 test -s "$IMAGE/swap.ec2hib-new"
	fallocate -l 100M "$IMAGE/other"
	status=0
	wait "$writer" || status=$?
	[ "$status" -eq 1 ]
	grep -q "beside what is reserved for root" "$BATS_TEST_TMPDIR/out"
	[ -z "$(ls "$IMAGE"/swap* 2>/dev/null)" ]
}

@test "a disk that fills up on the way leaves nothing behind" {
	make_image ext4 80M
	cat >"$IMAGE/etc/ec2hib.conf" <<-'EOF'
		[core]
		touch-swap = yes
	EOF
	cp "$IMAGE/etc/ec2hib.conf" "$BATS_TEST_TMPDIR/conf"
	before=$(list_image)
	# the eighth write of 4 MiB finds no room
	run strace -qq -o /dev/null -e trace=pwrite64 -e inject=pwrite64:error=ENOSPC:when=8+ \
		"$EC2HIB" --root "$IMAGE" setup --yes --size 40M
	[ "$status" -eq 1 ]
	[[ "$output" == *"cannot create /swap"*"after 28 MiB: No space left on device"* ]]
	[ "$before" = "$(list_image)" ]
	[ -z "$(ls "$IMAGE"/swap* 2>/dev/null)" ]
}

@test "Ctrl-C while the file is written leaves nothing behind" {
	make_image ext4 200M
	printf '[core]\ntouch-swap = yes\n' >"$IMAGE/etc/ec2hib.conf"
	before=$(list_image)
	run strace -qq -o /dev/null -e trace=pwrite64 -e inject=pwrite64:signal=SIGINT:when=3 \
		"$EC2HIB" --root "$IMAGE" setup --yes --size 40M
	[ "$status" -eq 1 ]
	[[ "$output" == *"step 1 of "*"cannot create /swap: stopped while writing"* ]]
	[ "$before" = "$(list_image)" ]
	[ -z "$(ls "$IMAGE"/swap* 2>/dev/null)" ]
}

@test "two at once: the second one says so and changes nothing" {
	local lock
	make_image ext4 200M
	# shellcheck disable=SC2046 # two numbers
	lock=/run/ec2hib/$(printf 'image-%x-%x-lock' $(stat -c '%d %i' "$IMAGE"))
	mkdir -p /run/ec2hib
	exec 9<>"$lock"
	flock 9
	run setup_image --size 20M
	exec 9<&-
	rm "$lock"
	[ "$status" -eq 1 ]
	[[ "$output" == *"another ec2hib is changing this machine"* ]]
	[ ! -e "$IMAGE/swap" ]
}

@test "who can open an image cannot keep setup from it" {
	make_image ext4 200M
	exec 9<"$IMAGE"
	flock 9
	setup_image --size 20M
	exec 9<&-
}

@test "symbolic links of an image do not lead out of it" {
	make_image ext4 200M
	echo "precious" >"$BATS_TEST_TMPDIR/fstab"
	ln -s "$BATS_TEST_TMPDIR/fstab" "$IMAGE/etc/fstab"
	ln -s "$BATS_TEST_TMPDIR" "$IMAGE/var"
	before=$(ls "$BATS_TEST_TMPDIR")
	run setup_image --size 20M
	[ "$(cat "$BATS_TEST_TMPDIR/fstab")" = precious ]
	[ "$before" = "$(ls "$BATS_TEST_TMPDIR")" ]
}

@test "a swap file with holes is seen and replaced" {
	make_image ext4 200M
	truncate -s 40M "$IMAGE/swap"
	chmod 600 "$IMAGE/swap"
	mkswap "$IMAGE/swap" >/dev/null
	[ "$(state swap-holes)" = fail ]
	setup_image --size 40M
	[ "$(state swap-holes)" = pass ]
}

@test "a copy-on-write file on btrfs is seen and replaced" {
	make_image btrfs 400M
	head -c 40M /dev/urandom >"$IMAGE/swap"
	chmod 600 "$IMAGE/swap"
	mkswap "$IMAGE/swap" >/dev/null
	sync
	[ "$(state swap-copy-on-write)" = fail ]
	setup_image --size 40M
	[ "$(state swap-copy-on-write)" = pass ]
}

@test "a file that is too small or too large is replaced, one that fits is kept" {
	make_image ext4 600M
	setup_image --size 40M
	inode=$(stat -c %i "$IMAGE/swap")
	setup_image --size 100M
	[ "$(stat -c %s "$IMAGE/swap")" = $((100 << 20)) ]
	setup_image --size 90M # within 100 MiB: kept
	[ "$(stat -c %s "$IMAGE/swap")" = $((100 << 20)) ]
	setup_image --size 250M
	setup_image --size 40M # more than 100 MiB beyond
	[ "$(stat -c %s "$IMAGE/swap")" = $((40 << 20)) ]
	[ -n "$inode" ]
}

@test "a swap file that grew after mkswap is replaced" {
	make_image ext4 200M
	fallocate -l 10M "$IMAGE/swap"
	chmod 600 "$IMAGE/swap"
	mkswap "$IMAGE/swap" >/dev/null
	fallocate -l 40M "$IMAGE/swap"
	[ "$(state swap-header)" = warn ]
	setup_image --size 40M
	[ "$(fact area.header_size)" = $((40 << 20)) ]
	[ "$(state swap-header)" = pass ]
}

@test "a symbolic link in the place of the swap file is refused" {
	make_image ext4 200M
	echo precious >"$IMAGE/etc/precious"
	ln -s etc/precious "$IMAGE/swap"
	run setup_image --size 40M
	[ "$status" -eq 1 ]
	[[ "$output" == *"/swap"*"symbolic link"* ]]
	[ "$(cat "$IMAGE/etc/precious")" = precious ]
	[ -L "$IMAGE/swap" ]
	[ "$(state swap-file)" = fail ]
}

@test "a file with something else in it is neither replaced nor formatted" {
	make_image ext4 200M
	mkdir "$IMAGE/data"
	head -c 40M /dev/urandom >"$IMAGE/data/base" # as large as the swap file would be
	head -c 1M /dev/urandom >"$IMAGE/data/small"
	before=$(list_image)
	for file in base small; do
		run setup_image --size 40M --swapfile /data/$file
		[ "$status" -eq 1 ]
		[[ "$output" == *"cannot use /data/$file as swap: it is a file with something else"* ]]
	done
	[ "$before" = "$(list_image)" ]
}

@test "what another tool left half made, with nothing in it, is replaced" {
	make_image ext4 200M
	truncate -s 10M "$IMAGE/swap"
	setup_image --size 40M
	[ "$(stat -c '%a %s' "$IMAGE/swap")" = "600 41943040" ]
}

@test "a folder that others can write to is refused" {
	make_image ext4 200M
	mkdir "$IMAGE/shared"
	chmod 777 "$IMAGE/shared"
	run setup_image --size 40M --swapfile /shared/swap
	[ "$status" -eq 1 ]
	[[ "$output" == *"/shared"*"can be written by others (mode 0777)"* ]]
	[ -z "$(ls "$IMAGE/shared")" ]
	# also where there is a swap file already: it could be exchanged while it is formatted
	truncate -s 40M "$IMAGE/shared/swap"
	mkswap "$IMAGE/shared/swap" >/dev/null 2>&1
	run setup_image --size 40M --swapfile /shared/swap
	[ "$status" -eq 1 ]
	[[ "$output" == *"cannot use /shared/swap: "*"written by others"* ]]
}

@test "a read-only file system is an error that names it" {
	make_image ext4 200M
	mount -o remount,ro "$IMAGE"
	run setup_image --size 40M
	[ "$status" -eq 1 ]
	[[ "$output" == *"step 1 of"*"Read-only file system"* ]]
}

@test "mode and owner of a kept file are put right" {
	make_image ext4 200M
	setup_image --size 40M
	chmod 644 "$IMAGE/swap"
	chown 1000:1000 "$IMAGE/swap"
	[ "$(state swap-permissions)" = fail ]
	setup_image --size 40M
	[ "$(stat -c '%a %u %g' "$IMAGE/swap")" = "600 0 0" ]
	[ "$(state swap-permissions)" = pass ]
}

# The running system, in a chroot(8) without /sys and /dev: all of setup but the kernel's settings.
@test "a replacement that fails leaves the old swap file switched on" {
	make_image ext4 200M
	put_program "$IMAGE" swapoff
	mkdir -p "$IMAGE/proc" "$IMAGE/run" "$IMAGE/usr/local/bin"
	cp "$EC2HIB" "$IMAGE/usr/local/bin/ec2hib"
	put_libraries_of "$IMAGE" "$EC2HIB"
	mount -t proc proc "$IMAGE/proc" || skip "no proc here"
	run chroot "$IMAGE" /usr/local/bin/ec2hib setup --yes --size 20M
	first=$(cat /proc/swaps)
	run strace -qq -f -o /dev/null -e trace=fallocate -e inject=fallocate:error=EIO \
		chroot "$IMAGE" /usr/local/bin/ec2hib setup --yes --size 60M
	failed=$status
	second=$(cat /proc/swaps)
	swapoff "$IMAGE/swap" || true
	umount "$IMAGE/proc"
	[[ "$first" == *"$IMAGE/swap "* ]]
	[ "$failed" -eq 1 ]
	[[ "$output" == *"/swap is switched on again"*"cannot create /swap"* ]]
	[[ "$second" == *"$IMAGE/swap "* ]]
}

@test "the image of a hibernated machine is never touched" {
	make_image ext4 200M
	setup_image --size 40M
	printf 'S1SUSPEND\0' | dd of="$IMAGE/swap" bs=1 seek=4086 conv=notrunc status=none
	sync
	before=$(sha256sum <"$IMAGE/swap")
	for command in "setup --size 100M" teardown; do
		run "$EC2HIB" --root "$IMAGE" $command --yes
		[ "$status" -eq 1 ]
		[[ "$output" == *"/swap holds a hibernation image"*"hibernated; start it"* ]]
	done
	[ "$before" = "$(sha256sum <"$IMAGE/swap")" ]
}

@test "killed where there is room for one file only, and run again" {
	make_image ext4 100M
	# the file has its blocks and gets its header next
	run strace -qq -f -o /dev/null -e trace=clone,fork,vfork \
		-e inject=clone,fork,vfork:signal=SIGKILL:when=1 \
		"$EC2HIB" --root "$IMAGE" setup --yes --size 50M
	[ "$(stat -c %s "$IMAGE/swap.ec2hib-new")" = $((50 << 20)) ]
	setup_image --size 50M
	[ "$(stat -c '%a %s' "$IMAGE/swap")" = "600 52428800" ]
	[ "$(ls "$IMAGE" | grep -c swap)" = 1 ]
}

@test "teardown removes what a killed setup left" {
	make_image ext4 200M
	before=$(list_image)
	run strace -qq -o /dev/null -e trace=fallocate -e inject=fallocate:signal=SIGKILL \
		"$EC2HIB" --root "$IMAGE" setup --yes --size 50M
	[ -e "$IMAGE/swap.ec2hib-new" ]
	"$EC2HIB" --root "$IMAGE" teardown --yes
	[ -z "$(ls "$IMAGE"/swap* 2>/dev/null)" ]
	[ "$before" = "$(list_image)" ]
}

@test "killed at every system call that changes something, and run again" {
	make_image ext4 200M
	local call n kills=0
	for call in fallocate fchmod fchown fsync renameat unlinkat mkdirat write; do
		for n in $(seq 1 50); do
			rm -rf "$IMAGE"/swap* "$IMAGE/etc/fstab" "$IMAGE/var"
			if strace -qq -o /dev/null -e trace=$call \
				-e inject=$call:signal=SIGKILL:when=$n \
				"$EC2HIB" --root "$IMAGE" setup --yes -q --size 20M; then
				break
			fi
			kills=$((kills + 1))
			setup_image -q --size 20M
			[ "$(stat -c '%a %s' "$IMAGE/swap")" = "600 20971520" ]
			[ "$(ls "$IMAGE" | grep -c swap)" = 1 ]
			[ "$(grep -c swap "$IMAGE/etc/fstab")" = 1 ]
			[ -z "$(find "$IMAGE/etc" "$IMAGE/var" -name '*ec2hib-new*')" ]
		done
		[ "$n" -lt 50 ]
	done
	[ "$kills" -gt 10 ]
}

# ---- On only around a hibernation ---------------------------------------------------------------

@test "setup --swap-on hibernation leaves fstab alone, and is remembered" {
	make_image ext4 200M
	setup_image --size 40M
	grep -q x-ec2hib "$IMAGE/etc/fstab"
	setup_image --size 40M --swap-on hibernation
	! grep -qs x-ec2hib "$IMAGE/etc/fstab"
	[ "$(fact area.swap_on)" = hibernation ]
	[ "$(fact area.swap_on_why)" = "setup --swap-on" ]
	[ "$(state swap-at-boot)" = pass ]
	run setup_image --size 40M
	[[ "$output" == *"Nothing to do"* ]]
	# what the configuration says comes first
	printf '[swap]\nswap-on = always\n' >"$IMAGE/etc/ec2hib.conf"
	[ "$(fact area.swap_on)" = always ]
	[ "$(state swap-at-boot)" = warn ]
	rm "$IMAGE/etc/ec2hib.conf"
	"$EC2HIB" --root "$IMAGE" teardown --yes
	[ "$(fact area.swap_on)" = always ]
	[ -z "$(ls "$IMAGE/var/lib/ec2hib")" ]
}

@test "where kubelet is installed setup leaves the swap off, and says why" {
	make_image ext4 200M
	for sign in usr/bin/kubelet var/lib/kubelet usr/local/bin/k3s etc/systemd/system/kubelet.service; do
		mkdir -p "$IMAGE/$(dirname $sign)"
		: >"$IMAGE/$sign"
		[ "$(fact system.kubelet)" = "/$sign" ]
		rm "$IMAGE/$sign"
	done
	mkdir -p "$IMAGE/usr/bin" "$IMAGE/var/lib/kubelet"
	run setup_image --size 40M
	[ "$status" -eq 0 ]
	[[ "$output" == *"kubelet is installed (/var/lib/kubelet) and does not start while a swap is on"* ]]
	[ ! -e "$IMAGE/etc/fstab" ]
	[ "$(fact area.swap_on_why)" = kubelet ]
	# unless it is told otherwise, which a comment does not
	echo '# failSwapOn: false' >"$IMAGE/var/lib/kubelet/config.yaml"
	[ "$(fact area.swap_on)" = hibernation ]
	echo 'failSwapOn: false' >"$IMAGE/var/lib/kubelet/config.yaml"
	[ "$(fact area.swap_on)" = always ]
	[ "$(state kubelet)" = pass ]
	echo 'KUBELET_KUBEADM_ARGS="--fail-swap-on=false --v=2"' >"$IMAGE/var/lib/kubelet/kubeadm-flags.env"
	rm "$IMAGE/var/lib/kubelet/config.yaml"
	[ "$(fact area.swap_on)" = always ]
	# or the administrator wants it all the same
	rm "$IMAGE/var/lib/kubelet/kubeadm-flags.env"
	setup_image --size 40M --swap-on always
	grep -q x-ec2hib "$IMAGE/etc/fstab"
	[ "$(state kubelet)" = warn ]
}
