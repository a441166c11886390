#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# What cannot be done here keeps nothing else from being done, and is left in words to type.

load machine

setup() {
	need_machine
}

teardown() {
	drop_machine
}

@test "no loader is known: the kernel is told all the same, the words have the real offset" {
	make_machine debian-12
	rm -rf "$IMAGE/boot/grub" "$IMAGE"/usr/sbin/*grub* "$IMAGE/etc/default"
	start_machine
	run setup_machine --size 20M
	[ "$(cat "$IMAGE/sys/power/resume")" = "$(cat "$DEVICE_SYS/dev")" ]
	[[ "${lines[-1]}$output" == *"resume_offset=$(live_fact area.resume_offset) "* ]]
	run setup_machine --size 20M
	[[ "$output" != *"[1/"* ]]
	[[ "$output" == *"resume_offset=$(live_fact area.resume_offset) "* ]]
}

@test "a boot step that fails does not keep the kernel from being told" {
	make_machine debian-12
	start_machine
	touch "$IMAGE/var/log/fail-grub-mkconfig"
	run setup_machine --size 20M
	[ "$status" -eq 1 ]
	[[ "$output" == *"boot-arguments"* ]]
	[ "$(cat "$IMAGE/sys/power/resume")" = "$(cat "$DEVICE_SYS/dev")" ]
	rm "$IMAGE/var/log/fail-grub-mkconfig"
	run setup_machine --size 20M
	[ "$status" -eq 0 ]
	[ "$(live_state resume-offset-next-boot)" = pass ]
}
