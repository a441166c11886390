#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# An image of somebody else may have any boot configuration in it: a look at it ends soon, and takes
# little memory.

load ../lib/helpers

setup() {
	TREES=${srcdir:-$top_builddir}/tests/fixtures/trees
	IMAGE=$BATS_TEST_TMPDIR/image
}

MOST=1048576 # bytes of a file; more is not read

# fill BEFORE UNIT AFTER: so many UNITs as fit; %d in it is a number that grows.
fill() {
	awk -v before="$1" -v unit="$2" -v after="$3" -v most=$MOST 'BEGIN {
		printf "%s", before
		left = most - length(before) - length(after)
		while (unit !~ /%/ && length(unit) < left / 2)
			unit = unit unit
		for (i = 0; ; i++) {
			text = unit
			gsub(/%d/, i, text)
			gsub(/%n/, i + 1, text)
			if ((left -= length(text)) < 0)
				break
			printf "%s", text
		}
		printf "%s", after
	}'
}

# looked_at: status ends by itself, in 10 s of the processor's time and 256 MiB of addresses.
looked_at() {
	run bash -c 'ulimit -v 262144 -t 10; exec "$@"' - "$EC2HIB" --root "$IMAGE" status --json
	[ "$status" -le 3 ]
	jq -e '.checks | length > 40' <<<"$output"
}

ENTRY=$'menuentry x {\nlinux /boot/vmlinuz root=/dev/sda1\ninitrd /boot/initrd\n}\n'

@test "a grub.cfg that nests, repeats, doubles and goes round is read soon" {
	local script
	"$TREES/copy" debian-12 "$IMAGE"
	while read -r script; do
		eval "fill $script" >"$IMAGE/boot/grub/grub.cfg"
		[ "$(stat -c %s "$IMAGE/boot/grub/grub.cfg")" -le $MOST ]
		looked_at
	done <<'END'
'' $'submenu a {\n' "$ENTRY"
'' $'menuentry %d {\nlinux /boot/k%d root=a\ninitrd /boot/i%d\n}\n' ''
'' $'set v%d=%d\n' "$ENTRY"
'' $'set default=$default%d\n' "$ENTRY"
$'set a=xxxxxxxxxxxxxxxx\n' $'set a=$a$a\n' $'menuentry x {\nlinux /k $a $a\n}\n'
$'set v0=xxxxxxxxxxxxxxxx\n' $'set v%n=$v%d$v%d\n' $'menuentry x {\nlinux /k $v9 $v99\n}\n'
$'set a='"$(printf '%060000d' 0)"$'\n' $'menuentry %d {\nlinux /k $a $a $a\n}\n' ''
'' $'source /boot/grub/grub.cfg\n' "$ENTRY"
'' $'configfile $prefix/grub.cfg\n' "$ENTRY"
'' $'if [ $a = b ]; then\n' "$ENTRY"
'' $'function f%d {\nf%n\n}\n' $'f0\n'"$ENTRY"
$'menuentry x {\nlinux /k ' '${' $'\n}\n'
$'menuentry x {\nlinux /k\ninitrd ' '/i ' $'\n}\n'
$'menuentry x {\nlinux /k ' 'a=b ' $'\n}\n'
"menuentry '" a ''
'set a="' '\\"' ''
'' '{' ''
'' $'linux a\\\n' ''
END
}

@test "other files that tell the arguments are read soon at their greatest size" {
	"$TREES/copy" debian-12 "$IMAGE"
	fill $'A=x\n' $'A="$A$A"\n' $'GRUB_CMDLINE_LINUX="$A"\n' >"$IMAGE/etc/default/grub"
	looked_at
	fill '' $'GRUB_CMDLINE_LINUX="$GRUB_CMDLINE_LINUX b"\n' '' >"$IMAGE/etc/default/grub"
	looked_at
	rm -rf "$IMAGE"
	"$TREES/copy" amazon-linux-1 "$IMAGE"
	fill $'default 0\n' $'title %d\nkernel /boot/k%d root=a\ninitrd /boot/i%d\n' '' \
		>"$(readlink -f "$IMAGE/boot/grub/menu.lst")"
	looked_at
	rm -rf "$IMAGE"
	"$TREES/copy" rhel-9 "$IMAGE"
	fill $'title a\nlinux /k\n' $'options a%d=b\n' '' >"$IMAGE/boot/loader/entries/zz.conf"
	looked_at
}
