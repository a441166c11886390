#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# Pre-warming on loop devices: what is read is counted by the kernel, not by us. All of it happens in
# a mount namespace of its own, whose /run and state folder are ours alone.

bats_require_minimum_version 1.5.0
load ../lib/helpers

setup() {
	need_root
	mkfifo "$BATS_TEST_TMPDIR/ready"
	unshare -m --propagation private bash -c '
		mount -t tmpfs -o mode=755 tmpfs /run && mount -t tmpfs -o mode=755 tmpfs /mnt &&
			mkdir /mnt/volume /mnt/trace && printf "[core]\nstate-dir = /mnt/state\n" >/mnt/conf
		echo $? >"$0"
		exec sleep 600' "$BATS_TEST_TMPDIR/ready" 3>&- &
	SPACE=$!
	[ "$(cat "$BATS_TEST_TMPDIR/ready")" = 0 ] || skip "no mount namespace here"
	SWAP=/mnt/volume/swap
}

# The namespace goes, and with it what is mounted there and the loop devices below.
teardown() {
	[ -z "${TRACE:-}" ] || inside rmdir "$TRACE"
	[ -z "${SPACE:-}" ] || kill "$SPACE"
	[ -z "${DEVICE:-}" ] || losetup --detach "/dev/$DEVICE" 2>/dev/null || true
}

inside() {
	nsenter --target "$SPACE" --mount -- "$@"
}

prewarm() {
	inside "$EC2HIB" --config /mnt/conf prewarm "$@"
}

# make_volume TYPE SIZE SWAPSIZE: a file system with a swap file; LOOP is its device.
make_volume() {
	local disk=$BATS_TEST_TMPDIR/disk
	head -c "$2" /dev/urandom >"$disk"
	case $1 in
	ext4) mkfs.ext4 -q -F "$disk" ;;
	*) "mkfs.$1" -q -f "$disk" ;;
	esac
	inside mount -o loop "$disk" /mnt/volume || skip "cannot mount $1 here"
	LOOP=$(basename "$(inside findmnt -no SOURCE /mnt/volume)")
	make_swap "$1" "$3"
}

make_swap() {
	inside sh -c "
		touch $SWAP && chmod 600 $SWAP && { [ $1 != btrfs ] || chattr +C $SWAP; } &&
		fallocate -l $2 $SWAP && mkswap -L ec2hib $SWAP >/dev/null && sync -f $SWAP"
}

# A bare loop device of SIZE: DEVICE.
make_device() {
	head -c "$1" /dev/urandom >"$BATS_TEST_TMPDIR/raw"
	DEVICE=$(basename "$(losetup --find --show "$BATS_TEST_TMPDIR/raw")")
}

state() {
	inside jq -r ".$1" /run/ec2hib/prewarm.json
}

# Sectors of 512 bytes that were read from a device since it was made.
sectors() {
	awk '{ print $3 }' "/sys/block/$1/stat"
}

# trace_begin DEVICE: the kernel writes down every request that the device gets (block_rq_issue).
trace_begin() {
	inside mount -t tracefs tracefs /mnt/trace 2>/dev/null || skip "no tracefs here"
	TRACE=/mnt/trace/instances/ec2hib-$$
	[ -d "/proc/$SPACE/root/mnt/trace/events/block/block_rq_issue" ] || skip "no block events"
	inside mkdir "$TRACE"
	local major minor
	IFS=: read -r major minor <"/sys/block/$1/dev"
	inside sh -c "echo 8192 >$TRACE/buffer_size_kb
		echo dev == $((major << 20 | minor)) >$TRACE/events/block/block_rq_issue/filter
		echo 1 >$TRACE/events/block/block_rq_issue/enable"
}

# START COUNT of each request that a worker made, in sectors, sorted. By its kind, a read that somebody
# waits for and that does not go through the cache (RS), since a thread of the kernel may issue it. The
# calling thread looks at headers only.
requests() {
	inside sed -nE '/\[ec2hib\]$/d; s/.*block_rq_issue: [0-9,]+ RS [0-9]+ \(.*\) ([0-9]+) \+ ([0-9]+) .*/\1 \2/p' \
		"$TRACE/trace" | sort -n
}

# Fails when a sector comes twice; else START COUNT of what lies together.
merged() {
	awk '$1 < end { print "read twice: " $0; exit 1 }
		NR == 1 || $1 != end { if (NR > 1) print start, end - start; start = $1 }
		{ end = $1 + $2 }
		END { if (NR) print start, end - start }'
}

# Where the swap file lies by another program: START COUNT in sectors, in the order of the device.
extents_by_others() {
	inside filefrag -v -b512 "$SWAP" | grep -E '^ *[0-9]+:' | tr -c '0-9\n' ' ' |
		awk '{ print $4, $6 }' | sort -n | merged
}

every_block_is_read_once_on() {
	make_volume "$1" "$2" "$3"
	trace_begin "$LOOP"
	run prewarm --swapfile $SWAP --block 256K --depth 8
	echo "$output"
	[ "$status" -eq 0 ]
	inside sh -c "echo 0 >$TRACE/events/block/enable"
	requests | merged >"$BATS_TEST_TMPDIR/read"
	[ -s "$BATS_TEST_TMPDIR/read" ]
	[ "$(awk '{ sum += $2 } END { print sum * 512 }' "$BATS_TEST_TMPDIR/read")" = \
		"$(inside stat -c %s $SWAP)" ]
	[ "$(state done)" = "$(inside stat -c %s $SWAP)" ]
}

@test "every block of every extent is read exactly once: ext4" {
	every_block_is_read_once_on ext4 200M 100M
	diff "$BATS_TEST_TMPDIR/read" <(extents_by_others)
}

@test "every block of every extent is read exactly once: xfs" {
	every_block_is_read_once_on xfs 400M 100M
	diff "$BATS_TEST_TMPDIR/read" <(extents_by_others)
}

@test "every block of every extent is read exactly once: btrfs" {
	every_block_is_read_once_on btrfs 400M 100M
	# where the file begins; its chunks may lie in another order
	first=$(($(inside btrfs inspect-internal map-swapfile -r $SWAP) * 8))
	awk -v first=$first '$1 <= first && first < $1 + $2 { found = 1 } END { exit !found }' \
		"$BATS_TEST_TMPDIR/read"
}

@test "every block of a file in many pieces is read exactly once" {
	make_volume ext4 64M 4M
	# fill the file system with small files and take every second one away
	inside sh -c "rm $SWAP; mkdir /mnt/volume/fill; cd /mnt/volume/fill
		for i in \$(seq 1 9999); do head -c 16384 /dev/zero >\$i 2>/dev/null || break; done
		for i in \$(seq 1 2 \$i); do rm \$i; done; sync"
	make_swap ext4 8M
	trace_begin "$LOOP"
	run prewarm --swapfile $SWAP
	[ "$status" -eq 0 ]
	inside sh -c "echo 0 >$TRACE/events/block/enable"
	requests | merged >"$BATS_TEST_TMPDIR/read"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/read")" -gt 100 ]
	diff "$BATS_TEST_TMPDIR/read" <(extents_by_others)
}

@test "a whole device is read once, by its own counter" {
	make_device 64M
	trace_begin "$DEVICE"
	before=$(sectors "$DEVICE")
	prewarm --device "/dev/$DEVICE"
	first=$(($(sectors "$DEVICE") - before))
	[ "$(requests | merged)" = "0 $((64 << 11))" ]
	# one with nothing to do reads only what identifies the device: the rest was the warming
	before=$(sectors "$DEVICE")
	prewarm --device "/dev/$DEVICE"
	[ $((first - ($(sectors "$DEVICE") - before))) -eq $((64 << 11)) ]
}

@test "the file is the same afterwards, and its header too" {
	make_volume ext4 100M 50M
	before=$(inside sha256sum $SWAP)
	prewarm --swapfile $SWAP
	[ "$before" = "$(inside sha256sum $SWAP)" ]
}

@test "what is finished is not done again, but with --force" {
	make_volume ext4 100M 50M
	prewarm --swapfile $SWAP
	run prewarm --swapfile $SWAP
	[ "$status" -eq 0 ]
	[[ "$output" == *"was pre-warmed already, at 20"*"--force does it again"* ]]
	before=$(sectors "$LOOP")
	prewarm --swapfile $SWAP -q
	# no more than the headers that identify it
	[ $(($(sectors "$LOOP") - before)) -lt 2048 ]
	run prewarm --swapfile $SWAP --force
	[[ "$output" == *"finished, 50.0 MiB of 50.0 MiB touched now"* ]]
}

@test "a swap file that moved is warmed anew" {
	make_volume ext4 200M 50M
	prewarm --swapfile $SWAP
	inside mv $SWAP $SWAP.old
	make_swap ext4 50M
	run prewarm --swapfile $SWAP
	[ "$status" -eq 0 ]
	[[ "$output" == *"finished, 50.0 MiB of 50.0 MiB touched now"* ]]
	# and the old one is known still, whatever its name
	run prewarm --swapfile $SWAP.old
	[[ "$output" == *"was pre-warmed already"* ]]
}

@test "a swap file that moves meanwhile is read where it is at the end" {
	make_volume ext4 200M 24M
	prewarm --swapfile $SWAP --rate 8M >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
	local pid=$!
	until inside test -e /run/ec2hib/prewarm.json && [ "$(state done)" -gt 0 ]; do sleep 0.05; done
	inside mv $SWAP $SWAP.old
	make_swap ext4 32M
	wait $pid
	cat "$BATS_TEST_TMPDIR/out"
	grep -q "$SWAP has moved while it was touched: once more" "$BATS_TEST_TMPDIR/out"
	[ "$(state done)" = $((32 << 20)) ]
	run prewarm --swapfile $SWAP
	[[ "$output" == *"was pre-warmed already"* ]]
}

@test "how far it came is a fact: never, partly, running, finished, and never where it moved" {
	make_volume ext4 200M 50M
	prewarmed() {
		inside "$EC2HIB" --config /mnt/conf status --json | jq -r .facts.area.prewarmed
	}
	inside sh -c "printf '[swap]\nswapfile = %s\n' $SWAP >>/mnt/conf"
	[ "$(prewarmed)" = never ]
	prewarm --rate 8M --background
	[ "$(prewarmed)" = running ]
	until [ "$(state done)" -gt 0 ]; do sleep 0.05; done
	prewarm --stop
	[ "$(prewarmed)" = partly ]
	# one that runs for something else does not count
	make_device 8M
	prewarm --device "/dev/$DEVICE" --rate 100K --background
	[ "$(prewarmed)" = partly ]
	prewarm --stop
	prewarm
	[ "$(prewarmed)" = finished ]
	inside mv $SWAP $SWAP.old
	[ "$(prewarmed)" = null ]
	make_swap ext4 50M
	[ "$(prewarmed)" = never ]
}

@test "a stop ends it at once, and the next run goes on from there" {
	make_volume ext4 100M 64M
	prewarm --swapfile $SWAP --rate 8M >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
	local pid=$! ms
	until inside test -e /run/ec2hib/prewarm.json && [ "$(state done)" -gt 0 ]; do sleep 0.05; done
	ms=${EPOCHREALTIME/./}
	prewarm --stop
	ms=$(((${EPOCHREALTIME/./} - ms) / 1000))
	status=0
	wait $pid || status=$?
	[ "$status" -eq 1 ]
	grep -q 'stopped; the next ec2hib prewarm goes on from here' "$BATS_TEST_TMPDIR/out"
	# 100 ms is what it promises; the test's own programs and a busy machine take some more
	echo "stopped after $ms ms"
	[ "$ms" -lt 500 ]
	[ "$(state state)" = stopped ]
	local done
	done=$(state done)
	[ "$done" -gt 0 ] && [ "$done" -lt $((64 << 20)) ]
	# the record has what was done, and no more is read than what is left
	before=$(sectors "$LOOP")
	run prewarm --swapfile $SWAP
	[ "$status" -eq 0 ]
	left=$(($(sectors "$LOOP") - before - ((64 << 20) - done) / 512))
	echo "$left sectors more than what was left"
	[ "$left" -ge 0 ] && [ "$left" -lt 2048 ]
	[ "$(state earlier)" = "$done" ]
}

@test "killed at any moment: the next runs finish, and nothing that was kept is read again" {
	make_volume ext4 300M 200M
	local i pid kept=0
	for i in 1 2 3; do
		# So slow that it does not end by itself, however long this test takes to look.
		prewarm --swapfile $SWAP --rate 2M -q 3>&- &
		pid=$!
		# until more was kept, and on to any moment
		until sum=$(inside jq '[.records[].done[].length] | add' /mnt/state/prewarm.json 2>/dev/null) &&
			[ "${sum:-0}" -gt "$kept" ]; do sleep 0.1; done
		sleep "$((RANDOM % 2)).$((RANDOM % 10))"
		kill -KILL "$(inside cat /run/ec2hib/prewarm.lock)"
		wait $pid || true
		run prewarm --status
		[ "$status" -eq 1 ]
		[[ "$output" == *": interrupted with "* ]]
		sum=$(inside jq '[.records[].done[].length] | add' /mnt/state/prewarm.json)
		[ "$sum" -gt "$kept" ]
		kept=$sum
	done
	run prewarm --swapfile $SWAP
	[ "$status" -eq 0 ]
	[ "$(state earlier)" = "$kept" ]
	[ "$(state done)" = $((200 << 20)) ]
}

@test "a run that was stopped with its last requests on their way is finished by the next" {
	make_volume ext4 100M 20M
	prewarm --swapfile $SWAP -q
	local record=/mnt/state/prewarm.json
	inside sh -c "jq '.records[0] |= (.finished = null | .done = [{start: 0, length: 104857600}])' \
		$record >$record.new && mv $record.new $record"
	run prewarm --swapfile $SWAP
	[ "$status" -eq 0 ]
	[[ "$output" == *"all of 20.0 MiB was touched before" ]]
	[ "$(inside jq -r '.records[0].finished' $record)" != null ]
	run prewarm --swapfile $SWAP
	[[ "$output" == *"was pre-warmed already, at 20"* ]]
}

@test "a damaged record is said and no obstacle" {
	make_volume ext4 100M 20M
	inside mkdir -p /mnt/state
	for record in '{' '{"format":9}' '[]' '{"format":1,"records":[{"done":[{"start":-1}]}]}'; do
		echo "$record" | inside tee /mnt/state/prewarm.json >/dev/null
		run prewarm --swapfile $SWAP
		echo "$output"
		[ "$status" -eq 0 ]
		[[ "$output" == *"how far an earlier run came is not known"*"touched now"* ]]
	done
}

@test "the rate is kept within 5 percent, by the device's counter and the clock" {
	make_volume ext4 100M 64M
	prewarm --swapfile $SWAP -q # what identifies it is in memory
	before=$(sectors "$LOOP") ms=${EPOCHREALTIME/./}
	prewarm --swapfile $SWAP --force -q --rate 8M --block 128K
	ms=$(((${EPOCHREALTIME/./} - ms) / 1000))
	sum=$(($(sectors "$LOOP") - before))
	echo "$sum sectors in $ms ms"
	# 8 s; what is in front and behind it may take a tenth of one
	[ $((sum * 512 / ms)) -ge $(((8 << 20) / 1000 * 95 / 100)) ]
	[ $((sum * 512 / ms)) -le $(((8 << 20) / 1000 * 105 / 100)) ]
}

# What is behind the end of a loop device's file gives an error (the kernel's loop driver).
@test "places that cannot be read are named, and the rest is read" {
	make_device 8M
	truncate -s 8126464 "$BATS_TEST_TMPDIR/raw"
	run prewarm --device "/dev/$DEVICE" --block 64K --depth 1
	echo "$output" | tail -n 3
	[ "$status" -eq 1 ]
	[[ "$output" == *"cannot read 65536 bytes at byte 8126464 of /dev/$DEVICE: Input/output error"* ]]
	[[ "$output" == *"64 blocks of 4096 bytes on /dev/$DEVICE cannot be read; the first: "*"at byte 8126464"* ]]
	[ "$(state state)" = failed ]
	[ "$(state errors)" = 64 ]
	[ "$(state done)" = 8126464 ]
	# mended: only what is left is read
	truncate -s 8M "$BATS_TEST_TMPDIR/raw"
	run prewarm --device "/dev/$DEVICE" --block 64K
	[ "$status" -eq 0 ]
	[[ "$output" == *"finished, 256.0 KiB of 8.0 MiB touched now"* ]]
}

@test "a wholly bad MiB, and another one, do not stop the rest" {
	make_device 8M
	truncate -s 6M "$BATS_TEST_TMPDIR/raw"
	run prewarm --device "/dev/$DEVICE" --depth 1
	echo "$output" | tail -n 3
	[ "$status" -eq 1 ]
	[[ "$output" == *"cannot read 1048576 bytes at byte 6291456"* ]]
	[[ "$output" == *"cannot read 1048576 bytes at byte 7340032"* ]]
	[[ "$output" == *"512 blocks of 4096 bytes on /dev/$DEVICE cannot be read"* ]]
	[ "$(state done)" = $((6 << 20)) ]
	[ "$(state errors)" = 512 ]
}

@test "a bad block costs its own 4 KiB, however many are beside it" {
	make_device 8M
	truncate -s $((6291456 + 40960)) "$BATS_TEST_TMPDIR/raw"
	run prewarm --device "/dev/$DEVICE"
	[ "$status" -eq 1 ]
	[ "$(state done)" = $((6291456 + 40960)) ]
}

@test "a device full of bad blocks ends soon, and says why" {
	make_device 256M
	truncate -s 1M "$BATS_TEST_TMPDIR/raw"
	run prewarm --device "/dev/$DEVICE"
	echo "$output"
	[ "$status" -eq 1 ]
	[[ "$output" == *"cannot read /dev/$DEVICE: "*" requests failed, and none has succeeded between the last 64, the first: cannot read 1048576 bytes at byte"*"Input/output error"* ]]
	[ "$(state state)" = failed ]
	[ "$(state done)" = $((1 << 20)) ]
	# one in eight on a device that is otherwise well: the limit is on all of them
	truncate -s 256M "$BATS_TEST_TMPDIR/raw"
	run inside strace -f -qq -o /dev/null -e trace=pread64 -e inject=pread64:error=EIO:when=8+8 \
		-P "/dev/$DEVICE" "$EC2HIB" --config /mnt/conf prewarm --device "/dev/$DEVICE" \
		--force --depth 1 --block 64K
	echo "$output"
	[ "$status" -eq 1 ]
	[[ "$output" == *"256 requests failed, the first: "* ]]
}

@test "whoever else uses the disk is given way to, and not for longer" {
	make_device 256M
	# another one's reads, 4 KiB each past the cache; the pre-warm alone would need a second at most
	while :; do dd if="/dev/$DEVICE" of=/dev/null bs=4k iflag=direct 2>/dev/null; done 3>&- &
	local other=$!
	before=$(sectors "$DEVICE")
	until [ "$(sectors "$DEVICE")" -gt $((before + 4096)) ]; do sleep 0.05; done
	prewarm --device "/dev/$DEVICE" --background
	until [[ "$(prewarm --status)" == *"gives way"* ]]; do
		[ "$(state state)" = running ]
		sleep 0.05
	done
	kill $other
	wait $other || true
	until [ "$(state state)" = finished ]; do sleep 0.05; done
	[ "$(state done)" = $((256 << 20)) ]
	[ "$(state gives_way)" = false ]
}

@test "a request that fails once is made again" {
	make_device 8M
	# the 300th of 512 requests fails; of the next try there are but four
	run inside strace -f -qq -o /dev/null -e trace=pread64 -e inject=pread64:error=EIO:when=300 \
		-P "/dev/$DEVICE" "$EC2HIB" --config /mnt/conf prewarm --device "/dev/$DEVICE" \
		--depth 1 --block 16K
	echo "$output"
	[ "$status" -eq 0 ]
	[ "$(state done)" = $((8 << 20)) ]
	[ "$(state errors)" = 0 ]
}

@test "a device that goes away ends it with its name" {
	make_device 8M
	run inside strace -f -qq -o /dev/null -e trace=pread64 -e inject=pread64:error=ENXIO:when=3+ \
		-P "/dev/$DEVICE" "$EC2HIB" --config /mnt/conf prewarm --device "/dev/$DEVICE" --depth 1
	echo "$output"
	[ "$status" -eq 1 ]
	[[ "$output" == *"cannot read /dev/$DEVICE: the device is gone"* ]]
}

@test "extents outside the device are an error" {
	make_volume ext4 100M 50M
	# the file system goes on with what it knows; the device got smaller
	truncate -s 4M "$BATS_TEST_TMPDIR/disk"
	losetup --set-capacity "/dev/$LOOP"
	run prewarm --swapfile $SWAP
	echo "$output"
	[ "$status" -eq 1 ]
	[[ "$output" == *"lies outside the device of 4194304 bytes"* ]]
}

@test "write goes through the file, keeps its names, and refuses an active one" {
	make_volume ext4 100M 50M
	uuid=$(inside blkid -p -o value -s UUID $SWAP)
	run prewarm --swapfile $SWAP --method write
	echo "$output"
	[ "$status" -eq 0 ]
	[ "$(inside blkid -p -o value -s UUID $SWAP)" = "$uuid" ]
	[ "$(inside blkid -p -o value -s LABEL $SWAP)" = ec2hib ]
	[ "$(inside head -c -4096 $SWAP | tail -c +4097 | tr -d '\0' | wc -c)" = 0 ]
	# on the disk they are written blocks now
	[ -z "$(inside filefrag -v $SWAP | grep unwritten)" ]
	# /proc/swaps of somebody who has it on
	printf 'Filename\tType\tSize\tUsed\tPriority\n%s file 51196 0 -2\n' "$SWAP" \
		>"$BATS_TEST_TMPDIR/swaps"
	inside mount --bind "$BATS_TEST_TMPDIR/swaps" /proc/swaps || skip "no bind mount here"
	run prewarm --swapfile $SWAP --method write --force
	[ "$status" -eq 1 ]
	[[ "$output" == *"$SWAP is active: writing would destroy"* ]]
	run prewarm --swapfile $SWAP --force
	[ "$status" -eq 0 ]
	run prewarm --device "/dev/$LOOP" --method write
	[ "$status" -eq 1 ]
	[[ "$output" == *"the write method is for a swap file"* ]]
}

@test "two at once: the second says so" {
	make_volume ext4 100M 64M
	prewarm --swapfile $SWAP --rate 4M -q 3>&- &
	local pid=$!
	until inside test -s /run/ec2hib/prewarm.json; do sleep 0.05; done
	run prewarm --swapfile $SWAP
	[ "$status" -eq 1 ]
	[[ "$output" == *"another pre-warm runs already (process "* ]]
	# of the second one is said that it failed, and the state is that of the first
	run --separate-stderr prewarm --swapfile $SWAP --json
	[ "$status" -eq 1 ]
	[ "$(jq -r '.state, .pid, .error' <<<"$output" | head -n 2 | xargs)" = "failed null" ]
	[[ "$(jq -r .error <<<"$output")" == "another pre-warm runs already (process $(state pid))" ]]
	[ "$(state state)" = running ]
	# and what runs is not disturbed
	run prewarm --status
	[ "$status" -eq 0 ]
	[[ "$output" == *": running "* ]]
	prewarm --stop
	wait $pid || true
}

@test "in the background it returns when it has begun, and is stopped from elsewhere" {
	make_volume ext4 100M 64M
	run prewarm --stop
	[ "$status" -eq 0 ]
	[ "$output" = "no pre-warm runs" ]
	run prewarm --swapfile $SWAP --rate 4M --background
	[ "$status" -eq 0 ]
	[ "$(state state)" = running ]
	run prewarm --status --json
	[ "$status" -eq 0 ]
	[ "$(jq -r .path <<<"$output")" = $SWAP ]
	run prewarm --stop
	[ "$status" -eq 0 ]
	[[ "$output" == "stopped; "* ]]
	[ "$(state state)" = stopped ]
	run prewarm --status
	[ "$status" -eq 1 ]
	[[ "$output" == *": stopped with "* ]]
	# what cannot begin says so, and fails
	run prewarm --swapfile /mnt/none --background
	[ "$status" -eq 1 ]
	[[ "$output" == *"/mnt/none is not there"* ]]
}

@test "one that has not found its places yet is not taken for the one before" {
	make_volume ext4 100M 20M
	prewarm --swapfile $SWAP -q
	make_device 8M
	# It stands still where it opens the disk.
	inside strace -f -qq -o /dev/null -P "/dev/$DEVICE" -e trace=openat \
		-e inject=openat:signal=STOP:when=1 "$EC2HIB" --config /mnt/conf prewarm \
		--device "/dev/$DEVICE" -q 3>&- &
	local pid=$!
	until [ "$(state state)" = running ]; do sleep 0.05; done
	[ "$(state path)" = "/dev/$DEVICE" ]
	[ "$(state total)" = null ]
	run prewarm --status
	echo "$output"
	[ "$status" -eq 0 ]
	[ "$output" = "/dev/$DEVICE: running, and has touched nothing so far" ]
	kill -KILL "$(inside cat /run/ec2hib/prewarm.lock)"
	wait $pid || true
	run prewarm --status
	[ "$status" -eq 1 ]
	[ "$output" = "/dev/$DEVICE: interrupted before anything was touched" ]
	# and one that did not find them
	run prewarm --device /dev/none
	run --separate-stderr prewarm --status
	[ "$output" = "/dev/none: failed before anything was touched" ]
}

@test "who is not root sees whether one runs, and can keep none from running" {
	make_volume ext4 100M 64M
	inside sh -c "mkdir /mnt/bin && cp '$EC2HIB' /mnt/bin/ec2hib"
	as_nobody() {
		inside setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
	}
	# left behind by one that let others read it
	inside sh -c "mkdir -p /run/ec2hib && umask 022 && touch /run/ec2hib/prewarm.lock"
	prewarm --swapfile $SWAP --rate 4M --background
	run as_nobody /mnt/bin/ec2hib --config /mnt/conf prewarm --status
	echo "$output"
	[ "$status" -eq 0 ]
	[[ "$output" == *": running "* ]]
	run as_nobody flock --nonblock /run/ec2hib/prewarm.lock true
	[[ "$output" == *"Permission denied"* ]]
	kill -KILL "$(inside cat /run/ec2hib/prewarm.lock)"
	until inside flock --nonblock /run/ec2hib/prewarm.lock true; do sleep 0.05; done
	run as_nobody /mnt/bin/ec2hib --config /mnt/conf prewarm --status
	[ "$status" -eq 1 ]
	[[ "$output" == *": interrupted "* ]]
	# nor one who changes the machine
	prewarm --swapfile $SWAP --method write -q
	run as_nobody flock --nonblock /run/ec2hib/lock true
	[[ "$output" == *"Permission denied"* ]]
}

@test "--stop signals nobody else" {
	make_volume ext4 20M 8M
	# an old lock file with the number of somebody who has nothing to do with it
	sleep 100 3>&- &
	local other=$!
	inside mkdir -p /run/ec2hib
	echo $other | inside tee /run/ec2hib/prewarm.lock >/dev/null
	run prewarm --stop
	[ "$output" = "no pre-warm runs" ]
	kill -0 $other
	kill $other
}

@test "--json has lines, the last one with the end" {
	make_volume ext4 100M 24M
	prewarm --swapfile $SWAP --rate 10M --json >"$BATS_TEST_TMPDIR/lines"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/lines")" -ge 3 ]
	[ "$(head -n 1 "$BATS_TEST_TMPDIR/lines" | jq -r .state)" = running ]
	[ "$(tail -n 1 "$BATS_TEST_TMPDIR/lines" | jq -r '.state, .done' | xargs)" = \
		"finished $((24 << 20))" ]
	[ "$(jq -r .total "$BATS_TEST_TMPDIR/lines" | sort -u)" = $((24 << 20)) ]
}

@test "--verbose shows how long the requests took" {
	make_volume ext4 100M 24M
	run prewarm --swapfile $SWAP --verbose
	[[ "$output" == *"requests by the time that they took:"*"the quickest tenth took up to"* ]]
	[ "$(state 'histogram | map(.count) | add')" -ge 24 ]
}

@test "at a terminal there is a bar, in ASCII where the terminal is" {
	make_volume ext4 100M 24M
	for locale in C C.UTF-8; do
		inside env LC_ALL=$locale TERM=xterm script -qec \
			"stty cols 90; $EC2HIB --config /mnt/conf prewarm --swapfile $SWAP --force --rate 16M" \
			/dev/null >"$BATS_TEST_TMPDIR/$locale"
	done
	grep -aqE '\[#+-+\] +[0-9]+ % [0-9.]+ .iB of 24.0 MiB, [0-9.]+ MiB/s, slowest [0-9.]+ (us|ms)' \
		"$BATS_TEST_TMPDIR/C"
	! LC_ALL=C grep -aqP '[\x80-\xff]' "$BATS_TEST_TMPDIR/C"
	grep -aq '█' "$BATS_TEST_TMPDIR/C.UTF-8"
	# a narrow one has no bar, and what does not fit is cut: a line that wraps cannot be erased
	inside env LC_ALL=C.UTF-8 TERM=xterm script -qec \
		"stty cols 44; $EC2HIB --config /mnt/conf prewarm --swapfile $SWAP --force --rate 16M" \
		/dev/null | tr '\r' '\n' | grep -a ' % ' >"$BATS_TEST_TMPDIR/narrow"
	[ -s "$BATS_TEST_TMPDIR/narrow" ]
	! sed 's/\x1b\[K//' "$BATS_TEST_TMPDIR/narrow" | grep -aE '.{44}'
}

@test "wrong words and wrong places are said" {
	make_device 1M
	local -a cases=(
		"2|--rate 0|--rate: \"0\" is not a rate"
		"2|--rate fast|--rate: \"fast\" is not a rate (examples: 50M, 1G)"
		"2|--depth 0|--depth: \"0\" is not a number from 1 to 64"
		"2|--depth 65|--depth: \"65\" is not a number from 1 to 64"
		"2|--block 1000|--block: \"1000\" is not a size from 4K to 16M, a multiple of 4K"
		"2|--block 32M|--block: \"32M\" is not a size from 4K to 16M"
		"2|--method copy|--method: \"copy\" is not one of auto, read, write"
		"2|--stop --status|--stop and --status exclude each other"
		"2|--device /dev/$DEVICE --swapfile /swap|--swapfile and --device exclude each other"
		"2|extra|prewarm takes no operand"
		"1|--device /mnt/conf|/mnt/conf is not a block device"
		"1|--device /dev/none|cannot look at /dev/none: No such file"
		"1|--swapfile /mnt/none|/mnt/none is not there; run: ec2hib setup"
		"1|--swapfile /mnt/volume|/mnt/volume is neither a file nor a block device"
		"1|--status|"
	)
	for case in "${cases[@]}"; do
		IFS='|' read -r wanted words says <<<"$case"
		# shellcheck disable=SC2086
		run prewarm $words </dev/null
		echo "$case: $status: $output"
		[ "$status" -eq "$wanted" ]
		[[ "$output" == *"$says"* ]]
	done
	run inside "$EC2HIB" --root /mnt prewarm
	[ "$status" -eq 2 ]
	[[ "$output" == *"/mnt is an image"* ]]
	run inside setpriv --reuid=65534 --clear-groups "$EC2HIB" prewarm
	[ "$status" -eq 1 ] || [ "$status" -eq 126 ] || [ "$status" -eq 127 ]
}
