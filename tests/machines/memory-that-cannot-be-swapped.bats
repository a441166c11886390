#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# More than half of memory cannot go: no swap is large enough, and that is said before.

load machine

setup() { need_machine; }
teardown() { drop_machine; }

# meminfo FREE ANON UNEVICTABLE HUGE_PAGES: of 64 MiB, in KiB and in pages of 2 MiB.
meminfo() {
	cat >"$BATS_TEST_TMPDIR/meminfo" <<-EOF
		MemTotal:          65536 kB
		MemFree:        $1 kB
		MemAvailable:   $1 kB
		Unevictable:    $3 kB
		Mlocked:        $3 kB
		Active(anon):   $2 kB
		Inactive(anon):        0 kB
		Active(file):          0 kB
		Inactive(file):        0 kB
		SReclaimable:          0 kB
		SUnreclaim:         1024 kB
		HugePages_Total: $4
		HugePages_Free:  $4
		Hugepagesize:       2048 kB
	EOF
	mountpoint -q "$IMAGE/proc/meminfo" ||
		mount --bind "$BATS_TEST_TMPDIR/meminfo" "$IMAGE/proc/meminfo" || skip "cannot mount here"
}

@test "huge pages above half of memory are named, and what reserves them" {
	make_machine debian-12
	start_machine
	meminfo 40000 10000 0 0
	setup_machine --size 64M --no-initramfs
	[ "$(live_state memory-unswappable)" = pass ]
	mkdir -p "$IMAGE/etc/sysctl.d"
	echo 'vm.nr_hugepages = 20' >"$IMAGE/etc/sysctl.d/90-db.conf"
	meminfo 10000 10000 0 20
	[ "$(live_fact memory.huge_pages)" = $((40 << 20)) ]
	[ "$(live_state memory-unswappable)" = fail ]
	[ "$(live_state swap-size)" = warn ]
	run on_machine /usr/sbin/ec2hib hibernate
	[ "$status" -eq 1 ]
	[[ "$output" == *"memory-unswappable: "*"huge pages (vm.nr_hugepages in /etc/sysctl.d/90-db.conf)"*ENOMEM* ]]
}

@test "locked memory above half of memory is named" {
	make_machine debian-12
	start_machine
	meminfo 10000 10000 40000 0
	[ "$(live_state memory-unswappable)" = fail ]
	run on_machine /usr/sbin/ec2hib status memory-unswappable
	[[ "$output" == *"39.1 MiB locked or secret"* ]]
	# what can be swapped out is no obstacle, however much it is
	meminfo 5000 55000 0 0
	[ "$(live_state memory-unswappable)" = pass ]
}

@test "facts of an older version do not say, and are no pass" {
	jq 'del(.memory.unswappable)' "$TREES/../facts/ready.json" >"$BATS_TEST_TMPDIR/old.json"
	run "$EC2HIB" status --from "$BATS_TEST_TMPDIR/old.json" --json memory-unswappable
	[ "$(jq -r '.checks[0].state' <<<"$output")" = unknown ]
}
