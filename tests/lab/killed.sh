# shellcheck shell=bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Rehearsals that are killed, and machines that lose their power then.

# prepare_kills AREA: the swap area, a file or a device.
prepare_kills() {
	AREA=$1
	guest "cat >/root/killed <<'END'
ec2hib test-hibernate --level ready,image --yes 2>&1 | {
	lines=0
	while read -r line; do
		echo \"\$line\"
		lines=\$((lines + 1))
		[ \$lines != \$1 ] || kill -9 \$(pidof ec2hib) || echo too late
	done
}
END
cat >/root/as-before <<'END'
ec2hib status
dd if=$AREA iflag=direct bs=4096 count=1 2>/dev/null | tail -c 10
echo
cat /proc/swaps
ls /var/lib/ec2hib
END"
}

# as_before: no image, no marker, and swap is on.
as_before() {
	guest 'sh /root/as-before'
	expect_line 'SWAPSPACE2'
	expect_line "^$AREA "
	expect_no_line '^rehearsal-runs'
}

# At each line that the command prints, the power goes off right after the kill. The next boot is an
# ordinary one every time, its file system is whole, and the swap is as before. What it prints last comes
# all at once when it is done, and a kill may be too late; one before the image is not.
kill_at_each_line() {
	local line lines image
	guest 'ec2hib test-hibernate --level ready,image --yes 2>&1'
	lines=$(wc -l <"$STEP_OUTPUT")
	image=$(sed -n '/^image: /=' "$STEP_OUTPUT")
	((image > 1 && lines > image)) || fail "a rehearsal printed $lines lines"
	for ((line = 1; line <= lines; line++)); do
		guest "sh /root/killed $line"
		((line >= image)) || expect_line '^Killed'
		cut_power
		check_root_after_cut
		boot
		as_before
	done
}

# In the middle of the image, by a power cut: nobody had time to put anything back.
cut_in_the_image() {
	begin_step 'dmesg -n 8; ec2hib test-hibernate --level image --yes'
	cut_power_at 'PM: (hibernation: )?(Hibernation i|I)mage created'
	check_root_after_cut
	boot
	guest 'ls /var/lib/ec2hib'
	expect_line '^rehearsal-runs'
	guest 'ec2hib status rehearsal'
	expect_line 'a rehearsal \(level image\) was cut short by a reboot'
	as_before
}
