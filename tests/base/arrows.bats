#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# Which room may know which: cmd -> ui -> core, cmd -> sim -> core/base and core/facts, and inside core
# actions -> rules -> facts -> base. Said of every line that includes a file of ours.

# includes ROOM...: "FILE:LINE FILE_INCLUDED", both below the top folder.
includes() {
	cd "${srcdir:-$BATS_TEST_DIRNAME/../..}"
	grep -rn '^[[:space:]]*#[[:space:]]*include "[^"]*/' --include='*.[ch]' "$@" |
		sed -E 's/^([^:]*:[0-9]*):[^"]*"([^"]*)".*/\1 \2/'
}

@test "every include points the way that the house's arrows do" {
	run awk '
		function room(path) { return match(path, /^core\/[a-z]+/) ? substr(path, 1, RLENGTH) : substr(path, 1, index(path, "/") - 1) }
		BEGIN {
			may["cmd"] = " cmd ui sim core/actions core/rules core/facts core/base "
			may["ui"] = " ui core/actions core/rules core/facts core/base "
			may["sim"] = " sim core/facts core/base "
			may["core/actions"] = " core/actions core/rules core/facts core/base "
			may["core/rules"] = " core/rules core/facts core/base "
			may["core/facts"] = " core/facts core/base "
			may["core/base"] = " core/base "
		}
		index(may[room($1)], " " room($2) " ") == 0 { print $1 " includes " $2; wrong = 1 }
		END { if (NR < 500) { print NR " lines only"; wrong = 1 } exit wrong }
	' <(includes cmd ui sim core)
	echo "$output"
	[ "$status" -eq 0 ]
}

# A module is NAME.c and NAME.h, and what has a name that goes on from it: NAME_part.c.
@test "no two modules include each other, however far around" {
	includes cmd ui sim core | sed -E 's/^([^:]*)\.[ch]:[0-9]+ (.*)\.h$/\1 \2/' | awk '
		$1 != $2 && index($1, $2 "_") != 1 && index($2, $1 "_") != 1' | sort -u \
		>"$BATS_TEST_TMPDIR/edges"
	run tsort "$BATS_TEST_TMPDIR/edges"
	for module in $(sed -n 's/^tsort: \([^ ]*\)$/\1/p' <<<"$output"); do
		includes cmd ui sim core | grep "^$module\.[ch]:" |
			grep -F "$(sed -n 's/^tsort: \([^ ]*\)$/ \1.h/p' <<<"$output")" | grep -v " $module\.h" || true
	done
	[ "$status" -eq 0 ]
}
