# shellcheck shell=bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# The running machine: power, its serial line, steps in the guest, expectations.
#
# The machine's serial line is QEMU's standard input and output. Its lines are read one
# by one as they come and kept in LOG: nothing here sleeps or polls, and a power cut
# happens at the very line it was asked for.

QEMU=            # process id; empty when the machine is off
POWER_ON=0       # how often it has been started
BOOT_ARGUMENTS=  # the kernel's, where the lab is the boot loader
MORE_DEVICES=()  # beside the volumes: arguments for QEMU
BOOT_ID=         # of the system that runs, or is in the hibernation image
STEP=0           # the newest step
STEP_OUTPUT=     # the file with its output
STEP_STATUS=     # its exit status
ON_LINE=:        # called with each line of a step's output
LINE=            # the line that await found

# Power ----------------------------------------------------------------------------

# boot: starts the machine; it must boot anew.
boot() {
	power_on
	[[ $LINE == "LAB: fresh boot"* ]] ||
		fail "power-on $POWER_ON resumed a system from the past: an ordinary boot was due"
	BOOT_ID=$(said_boot_id)
}

# resume: starts the machine; it must go on where it hibernated, and the command that
# hibernated it must come back without an error.
resume() {
	power_on
	[[ $LINE == "LAB: resumed"* ]] || fail "power-on $POWER_ON did not resume"
	[[ $(said_boot_id) == "$BOOT_ID" ]] || fail "power-on $POWER_ON resumed another system"
	RESUMED_COUNTER=${LINE##* }
	((RESUMED_COUNTER >= COUNTER)) ||
		fail "the counter stood at $COUNTER and came back at $RESUMED_COUNTER"
	[[ -n $STEP_STATUS ]] || end_step 0
	[[ $STEP_STATUS == 0 ]] || fail "step $STEP: exit $STEP_STATUS, expected 0"
}

# hibernate: runs LAB_HIBERNATE in the guest, which must power off.
hibernate() {
	guest 'cat /run/lab/counter'
	COUNTER=$(<"$STEP_OUTPUT")
	begin_step "$LAB_HIBERNATE"
	await_off
}

power_off() {
	begin_step "$LAB_POWER_OFF"
	await_off
	check_root
}

reboot() {
	power_off
	boot
}

# cut_power_at PATTERN: when a line of the step that runs matches.
cut_power_at() {
	await "$1"
	cut_power
}

# cut_power_after_lines N: of the output of the step that runs.
cut_power_after_lines() {
	local n
	for ((n = 0; n < $1; n++)); do
		await ''
	done
	cut_power
}

cut_power() {
	note "power cut"
	kill -KILL "$QEMU"
	while read_line; do :; done
	machine_is_off
}

# A clean power-off leaves a clean file system.
check_root() {
	e2fsck -fn "$(root_device)" >"$WORK/e2fsck.log" 2>&1 || {
		cat "$WORK/e2fsck.log" >>"$LOG"
		fail "e2fsck finds the root file system damaged"
	}
}

# After a power cut nothing is amiss but what the journal mends. In a copy: the next boot finds what the
# cut has left.
check_root_after_cut() {
	local copy=$WORK/after-cut.img
	dd if="$ROOT_DISK" of="$copy" bs=1M skip=$((ROOT_OFFSET >> 20)) conv=sparse status=none
	if ! e2fsck -y -E journal_only "$copy" >"$WORK/e2fsck.log" 2>&1 ||
		! e2fsck -fn "$copy" >>"$WORK/e2fsck.log" 2>&1; then
		cat "$WORK/e2fsck.log" >>"$LOG"
		fail "e2fsck finds the root file system damaged by the power cut"
	fi
	rm "$copy"
}

# Starts QEMU and reads the line up to the word on how the system came up: LINE.
power_on() {
	local -a qemu
	fill_root
	[[ $BOOT_MODE != install ]] || make_grub_menu
	POWER_ON=$((POWER_ON + 1))
	DEADLINE=$((SECONDS + LAB_TIMEOUT))
	qemu_command
	exec {KEYBOARD}<>"$WORK/keyboard"
	# setpriv: the machine ends with the scenario, however that ends.
	exec {SERIAL}< <(
		exec setpriv --pdeathsig KILL "${qemu[@]}" <"$WORK/keyboard" 2>&1 \
			{KEYBOARD}>&-
	)
	QEMU=$!
	await_word
}

# The word comes from the counter. In a system that resumed, the step that hibernated it ends at
# about the same moment, and either line may be the first.
await_word() {
	STEP_STATUS=
	while read_line; do
		[[ ! $LINE =~ ^LAB:\ (fresh\ boot|resumed),\  ]] || return 0
		step_ended || :
	done
	machine_is_off
	fail "the machine went off before it said how it came up"
}

said_boot_id() {
	[[ $LINE =~ ,\ boot\ ([-0-9a-f]+) ]]
	echo "${BASH_REMATCH[1]}"
}

# Sets qemu, the caller's array. QEMU 7.2 emulates cmpxchg16b with flags that are now and then wrong, and the
# allocator of Linux 6.12 takes that instruction where the processor has it.
qemu_command() {
	local accel=tcg,thread=multi i
	[[ $LAB_ACCEL != kvm ]] || accel=kvm
	qemu=(qemu-system-x86_64 -accel "$accel" -cpu max,-cx16 -m "$LAB_MEMORY"
		-nodefaults -display none -serial stdio -no-reboot
		-chardev "pipe,id=monitor,path=$WORK/monitor" -mon monitor
		-uuid ec2a1b2c-3d4e-5f60-7182-93a4b5c6d7e8
		-smbios 'type=0,vendor=Amazon EC2,version=1.0'
		-smbios 'type=1,manufacturer=Amazon EC2,product=m5.large'
		-smbios 'type=2,manufacturer=Amazon EC2,asset=i-0123456789abcdef0'
		-fw_cfg "name=opt/lab/power-on,string=$(printf '%03d\n.' "$POWER_ON")")
	for i in "${!VOLUMES[@]}"; do
		qemu+=(-drive "file=${VOLUMES[i]},if=none,id=d$i,format=raw,cache=unsafe"
			-device "nvme,drive=d$i,serial=vol0123456789abcdef$i,bootindex=$((i + 1))")
	done
	qemu+=("${MORE_DEVICES[@]}")
	BOOT_ARGUMENTS=
	if [[ $BOOT_MODE != grub ]]; then
		BOOT_ARGUMENTS=$("boot_arguments_$BOOT_MODE")
		qemu+=(-kernel "$KERNEL/boot/vmlinuz-$KERNEL_VERSION" -append "$BOOT_ARGUMENTS")
		[[ -z $INITRAMFS ]] || qemu+=(-initrd "$INITRAMFS")
	fi
	note "power-on $POWER_ON${BOOT_ARGUMENTS:+: $BOOT_ARGUMENTS}"
}

# A new disk with GRUB has no menu yet: start it once without, as an installer does.
make_grub_menu() {
	BOOT_MODE=direct_to_installation
	boot
	guest update-grub
	power_off
	BOOT_MODE=grub
}

boot_arguments_direct_to_installation() {
	echo "root=PARTUUID=$ROOT_PARTUUID ro $CONSOLE_ARGUMENTS"
}

# The kernel arguments of the default boot entry as a boot loader sees them: the newest
# file in /boot/loader/entries, read without replaying the file system's journal.
boot_arguments_direct() {
	local entries=/boot/loader/entries entry
	entry=$(read_unreplayed "ls -p $entries" |
		awk -F/ '$6 ~ /\.conf$/ { print $6 }' | sort -V | tail -n 1)
	[[ -n $entry ]] || fail "no boot entry in $entries"
	read_unreplayed "cat $entries/$entry" | sed -n 's/^options[ \t]*//p'
}

read_unreplayed() {
	debugfs -R "$1" "$(root_device)" 2>/dev/null
}

# expect_boot_argument PATTERN: the next boot would have an argument that matches.
expect_boot_argument() {
	boot_arguments_direct | tr ' ' '\n' | grep -Ex -- "$1" >/dev/null ||
		fail "the next boot has no argument $1"
}

expect_no_boot_argument() {
	! boot_arguments_direct | tr ' ' '\n' | grep -Ex -- "$1" >/dev/null ||
		fail "the next boot has an argument $1"
}

await_off() {
	while read_line; do
		! step_ended ||
			fail "the machine should have gone off; step $STEP ended, exit $STEP_STATUS"
		step_said "$LINE"
	done
	machine_is_off
}

machine_is_off() {
	exec {SERIAL}<&- {KEYBOARD}>&-
	wait "$QEMU" || true
	QEMU=
}

# The serial line ------------------------------------------------------------------

# await PATTERN: reads lines until one matches; that one is in LINE.
await() {
	while read_line; do
		[[ ! $LINE =~ $1 ]] || return 0
	done
	machine_is_off
	fail "the machine went off before this line came: $1"
}

# Reads the next line into LINE; false when the machine has gone off.
read_line() {
	local status=0 left=$((DEADLINE - SECONDS))
	((left > 0)) && IFS= read -r -t "$left" -u "$SERIAL" LINE || status=$?
	if ((left <= 0 || status > 128)); then
		fail "nothing more within $LAB_TIMEOUT s of power-on"
	fi
	LINE=${LINE//$'\r'/}
	# UEFI firmware and newer systemd set up the terminal without ending the line.
	[[ $LINE != *$'\e'*"LAB: "* ]] || LINE="LAB: ${LINE#*LAB: }"
	((status == 0)) || [[ -n $LINE ]] || return 1
	printf '%s\n' "$LINE" >>"$LOG"
}

note() {
	printf '=== %d s: %s\n' "$SECONDS" "$*" >>"$LOG"
}

# monitor COMMAND: of QEMU's own monitor, such as "sendkey sleep".
monitor() {
	note "monitor: $1"
	printf '%s\n' "$1" >"$WORK/monitor.in"
}

# Steps in the guest ---------------------------------------------------------------

# guest SCRIPT...: each runs in the guest (from standard input without any) and must
# exit with 0.
guest() {
	guest_exits 0 "$@"
}

# guest_exits STATUS SCRIPT...
guest_exits() {
	local status=$1
	shift
	begin_step "${@-$(cat)}"
	end_step "$status"
}

# begin_step SCRIPT: sends it and waits until it runs.
begin_step() {
	STEP=$((STEP + 1))
	STEP_OUTPUT=$WORK/step.$STEP
	: >"$STEP_OUTPUT"
	note "step $STEP: $1"
	printf '%s\nLAB-RUN %d\n' "$1" "$STEP" >&"$KEYBOARD"
	await "^LAB: step $STEP begins"
}

# end_step STATUS: reads the output of the step to its end.
end_step() {
	while read_line; do
		if step_ended; then
			[[ $STEP_STATUS == "$1" ]] ||
				fail "step $STEP: exit $STEP_STATUS, expected $1"
			return 0
		fi
		step_said "$LINE"
	done
	machine_is_off
	fail "the machine went off during step $STEP"
}

# Is LINE the end of the step? What the step said last may have had no newline.
step_ended() {
	[[ $LINE =~ ^(.*)LAB:\ step\ $STEP\ ends,\ exit\ ([0-9]+)$ ]] || return
	STEP_STATUS=${BASH_REMATCH[2]}
	[[ -z ${BASH_REMATCH[1]} ]] || step_said "${BASH_REMATCH[1]}"
}

step_said() {
	printf '%s\n' "$1" >>"$STEP_OUTPUT"
	"$ON_LINE" "$1"
}

# Expectations ---------------------------------------------------------------------

# ready: what ec2hib says of the machine.
expect_ready() {
	guest 'ec2hib status'
}

expect_not_ready() {
	guest_exits 1 'ec2hib status'
}

# cycle: hibernates and comes back; the machine is as ready as before.
cycle() {
	hibernate
	resume
	expect_ready
}

# expect_line PATTERN: in the output of the newest step.
expect_line() {
	grep -Eq -- "$1" "$STEP_OUTPUT" || fail "step $STEP: no line matches: $1"
}

expect_no_line() {
	! grep -Eq -- "$1" "$STEP_OUTPUT" || fail "step $STEP: a line matches: $1"
}
