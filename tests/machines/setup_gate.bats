#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# Setup of a machine that would not hibernate changes nothing, unless it is to be forced.

load machine

setup() {
	need_machine
}

teardown() {
	drop_machine
	stop_service
}

# make_instance OPTION...: a machine whose metadata service was started with that.
make_instance() {
	need_service
	make_machine debian-12
	start_machine
	kernel_line 'root=UUID=11111111-2222-4333-8444-555555555555 ro quiet'
	start_service "$@"
	before=$(list_machine)
}

# instance COMMAND [OPTION...]: on that machine.
instance() {
	env -u AWS_EC2_METADATA_DISABLED chroot "$IMAGE" /usr/sbin/ec2hib --imds-endpoint "$SERVICE_URL" "$@"
}

nothing_has_changed() {
	diff <(echo "$before") <(list_machine)
	[ ! -e "$IMAGE/swap" ]
	! grep -q "^$IMAGE/" /proc/swaps
	[ "$(cat "$IMAGE/sys/power/resume")" = 0:0 ]
}

# setup_stops TEXT: because of it, in each way to ask.
setup_stops() {
	local way
	for way in --yes --dry-run '--yes --size 40M'; do
		# shellcheck disable=SC2086 # options
		run instance setup $way --no-service
		[ "$status" -eq 1 ]
		[[ "$(tr -s ' \n' ' ' <<<"$output")" == *"problem: "*"$1"* ]]
		[[ "$output" == *"nothing is set up: this machine would not hibernate; --force sets it up all the same"* ]]
		nothing_has_changed
	done
}

@test "setup changes nothing where hibernation was not enabled at launch; --force goes on" {
	make_instance --set meta-data/hibernation/configured=false
	setup_stops 'hibernation was not enabled at launch'
	instance setup --yes --no-service --json >"$BATS_TEST_TMPDIR/json" 2>/dev/null && return 1
	jq -e '.applied == false and .steps == [] and (.error | contains("--force")) and
		(.gate | map(.check)) == ["hibernation-configured"] and
		(.gate[0].fix | contains("--hibernation-options"))' "$BATS_TEST_TMPDIR/json"

	run instance setup --dry-run --force --no-service --size 40M
	[ "$status" -eq 0 ]
	[[ "$output" == *"problem: hibernation was not enabled at launch"*"1. make the swap file"* ]]
	nothing_has_changed
	instance setup --yes --force --no-service --size 40M
	grep -q "^$IMAGE/swap " /proc/swaps
}

@test "setup changes nothing on a type that EC2 does not hibernate" {
	make_instance --instance-type m5.metal
	setup_stops 'EC2 does not hibernate m5.metal'
}

@test "setup changes nothing where the kernel cannot hibernate" {
	make_instance
	echo 'freeze mem' >"$IMAGE/sys/power/state"
	setup_stops '/sys/power/state has no disk'
	echo 'freeze mem disk' >"$IMAGE/sys/power/state"
	echo '[disabled]' >"$IMAGE/sys/power/disk"
	setup_stops '/sys/power/disk is disabled'
	echo '[platform] shutdown' >"$IMAGE/sys/power/disk"
	echo 'none [integrity] confidentiality' >"$IMAGE/sys/kernel/security/lockdown"
	setup_stops 'lockdown is integrity'
	rm "$IMAGE/sys/kernel/security/lockdown"
	umount "$IMAGE/proc/cmdline"
	kernel_line 'root=/dev/nvme0n1p1 nohibernate'
	setup_stops 'nohibernate is on the command line'
}

@test "what nobody can tell keeps no setup from its work" {
	make_instance
	stop_service
	run instance setup --yes --no-service --size 40M
	[ "$status" -eq 0 ]
	[[ "$output" != *problem:* ]]
	grep -q "^$IMAGE/swap " /proc/swaps
}

@test "an image is judged by what an image can tell" {
	make_machine debian-12
	setup_image --size 40M
	"$EC2HIB" --root "$IMAGE" teardown --yes
	sed -i 's/\(linux\t.*\)/\1 nohibernate/' "$IMAGE/boot/grub/grub.cfg"
	grep -q nohibernate "$IMAGE/boot/grub/grub.cfg"
	run setup_image --size 40M
	[ "$status" -eq 1 ]
	[[ "$output" == *"problem: nohibernate is on the command line of the next boot"* ]]
	[ ! -e "$IMAGE/swap" ]
}

@test "an agent with setup-on-start says once why it sets up nothing, and goes on watching" {
	make_instance --set meta-data/hibernation/configured=false
	printf '[watch]\nsetup-on-start = yes\n' >"$IMAGE/etc/ec2hib.conf"
	before=$(list_machine)
	run instance watch --once
	[ "$status" -eq 0 ]
	[ "$(grep -c 'setup-on-start changes nothing: hibernation was not enabled at launch' <<<"$output")" = 1 ]
	nothing_has_changed
}
