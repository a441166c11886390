#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# ec2hib tui: the real program in a terminal, with keys, and its screens.

load ../lib/helpers
load tmux

# shellcheck disable=SC2034 # options in front of the command, for open_tui
TUI_GLOBAL=()

FIXTURES=${srcdir:-$top_builddir}/tests/fixtures

setup() {
	need_tmux
	cd "$BATS_TEST_TMPDIR" || return
	# All that can go on at once, on a machine with some problems; the clock stands.
	export EC2HIB_TUI_CLOCK=2026-11-21T12:00:00Z
	jq -n 'input as $facts | input as $state | $state + {facts: ($facts
		| .kernel.resume_offset = 34816 | .kernel.nvme_io_timeout = 30
		| .kernel.freeze_timeout = 10000 | .instance.life_cycle = "spot"
		| .swaps += [{path: "/dev/nvme1n1", type: "partition", size: 4294967296,
			used: 1048576, priority: "5", device: "nvme1n1",
			medium: "instance-store", random_key: false, is_area: false}])}' \
		"$FIXTURES/facts/ready.json" "$FIXTURES/tui/state.json" >busy.json
}

teardown() {
	close_terminal
}

# ---- Screens ----

@test "80x24 shows all that is essential" {
	open_tui 80 24 --from busy.json
	looks_like overview-80x24
}

@test "120x40 shows more, side by side" {
	open_tui 120 40 --from busy.json
	looks_like overview-120x40
}

@test "60x15 leaves out what matters least" {
	open_tui 60 15 --from busy.json
	looks_like overview-60x15
	# and by its number it is there
	press 7
	shows "7 history" "2026-11-20T08:05:11Z"
}

@test "a machine that is ready has room for other things" {
	cp "$FIXTURES/facts/ready.json" ready.json
	open_tui 80 24 --from ready.json
	looks_like ready-80x24
}

@test "each panel alone" {
	open_tui 80 24 --from busy.json
	for panel in 1-instance 2-readiness 3-swap 4-pre-warm 5-notices 6-log 7-history; do
		shows READY
		press "${panel%%-*}"
		looks_like "panel-$panel"
	done
	press 0
	shows "═ 7 history" "─ 2 readiness"
}

@test "Tab goes from panel to panel, and back" {
	open_tui 80 24 --from busy.json
	shows "═ 2 readiness"
	for title in "3 swap readiness" "4 pre-warm" "5 notices" "6 log" "7 history" "1 instance" \
		"2 readiness"; do
		press Tab
		shows "═ $title ═"
	done
	press BTab
	shows "═ 1 instance ═"
	press Enter Tab
	shows "═ 2 readiness ═" "1-20 of"
}

@test "Enter explains a check: what was found, what mends it, why it matters" {
	open_tui 80 24 --from busy.json
	shows "resume-offset-kernel"
	press 2 G g j
	press /
	press -l "offset-kernel"
	press Enter
	shows "resume-offset-kernel"
	press Enter
	looks_like explanation
	press Escape
	hides "explanation"
	press Escape
	looks_like overview-80x24
}

@test "Enter shows all that is known of a hibernation" {
	open_tui 80 24 --from busy.json
	shows READY
	press 7 j Enter
	shows "refused to stop" "tries                   3"
	press Escape k Enter
	looks_like hibernation
}

@test "problems only, and all checks again" {
	open_tui 80 24 --from busy.json
	shows READY
	press 2
	shows "pass    metadata-service"
	press p
	hides "pass    metadata-service"
	looks_like problems
	press F4
	shows "pass    kernel-hibernation"
}

@test "F4 shows the problems wherever one is" {
	open_tui 80 24 --from busy.json
	shows READY
	press 5
	shows "answered polls"
	press F4
	shows "only problems are shown"
}

# chosen_is CHECK: the one that Enter explains; goes back.
chosen_is() {
	press Enter
	shows "readiness: explanation" "$1  "
	press Escape
	hides "explanation"
}

@test "a search finds, goes on, comes round, and says when there is nothing" {
	open_tui 80 24 --from busy.json
	shows READY
	press 2 /
	press -l "SWAP-HEADx"
	shows "/SWAP-HEADx"
	press BSpace Enter
	chosen_is swap-header
	press /
	press -l "swap-"
	press Enter
	chosen_is swap-free
	press n
	chosen_is swap-holes
	press N N
	chosen_is swap-header
	press g
	chosen_is metadata-service
	press N
	chosen_is swap-at-boot
	press n
	chosen_is swap-file
	press /
	press -l "no such text"
	press Enter
	shows "not found: no such text"
	press 0 n
	shows "not found in readiness: no such text"
	press 2
	press / Escape
	hides "not found"
}

@test "the manual page has the keys of the help screen" {
	open_tui 100 50 --from busy.json
	shows READY
	press '?'
	shows "leave"
	screen | sed -nE 's/^  ([^ ].{24}) .*/\1/p' | sed 's/ *$//' | sort >shown
	grep -qx 'F1, ?' shown
	[ "$(wc -l <shown)" -ge 30 ]
	sed -n '/^\.Sh KEYS/,/^\.Sh ENV/p' "${srcdir:-$top_builddir}/man/ec2hib-tui.8" |
		sed -nE 's/^\.It Li "?([^"]+)"?$/\1/p' | sort | diff shown -
}

@test "letters beyond ASCII are shown as the locale allows" {
	export LC_ALL=C
	open_tui 80 24 --from busy.json
	looks_like overview-ascii
	[ -z "$(screen | tr -d '\000-\177')" ]
}

@test "text that could steer the terminal does not" {
	jq '.facts.system.name = "a\u001b[2Jb\u009bc\nd" | .facts.instance.id = "i-\u0007\u001b]0;x"' \
		busy.json >bad.json
	open_tui 80 24 --from bad.json
	shows READY
	press 1
	shows "a?[2Jb??c d" "i-??]0;x"
}

# ---- Colours ----

# Colours in what is on the screen: SGR 30 to 49 but for the default ones, or 90 and above.
coloured() {
	in_tmux capture-pane -p -e -t t | grep -cE $'\x1b\\[([0-9]+;)*(3[0-8]|4[0-8]|9[0-7])[;m]' || true
}

@test "colours, none with NO_COLOR, --color never or a terminal without, and the same words" {
	open_tui 80 24 --from busy.json
	looks_like overview-80x24
	[ "$(coloured)" -gt 0 ]
	close_terminal
	NO_COLOR=1 open_tui 80 24 --from busy.json
	looks_like overview-80x24
	[ "$(coloured)" -eq 0 ]
	close_terminal
	NO_COLOR=1 open_tui 80 24 --from busy.json --color always
	looks_like overview-80x24
	[ "$(coloured)" -gt 0 ]
	close_terminal
	open_tui 80 24 --from busy.json --color never
	looks_like overview-80x24
	[ "$(coloured)" -eq 0 ]
	close_terminal
	TUI_TERM=vt100 open_tui 80 24 --from busy.json
	looks_like overview-80x24
	[ "$(coloured)" -eq 0 ]
}

@test "a terminal with 8 colours gets none of 256" {
	TUI_TERM=screen open_tui 80 24 --from busy.json
	looks_like overview-80x24
	[ "$(coloured)" -gt 0 ]
	in_tmux capture-pane -p -e -t t >seen
	is_without seen '38;5;'
}

@test "the background stays the terminal's own" {
	open_tui 80 24 --from busy.json
	looks_like overview-80x24
	[ "$(in_tmux capture-pane -p -e -t t | grep -cE $'\x1b\\[([0-9]+;)*4[0-8][;m]')" -eq 0 ]
}

# ---- Sizes ----

@test "the size may change at any time" {
	open_tui 80 24 --from busy.json
	looks_like overview-80x24
	resize_terminal 120 40
	looks_like overview-120x40
	resize_terminal 30 5
	shows "30x5: needs 40x8"
	press j Enter Tab /
	resize_terminal 60 15
	looks_like overview-60x15
	resize_terminal 80 24
	looks_like overview-80x24
	press '?'
	shows "show this list of keys"
	resize_terminal 40 8
	shows "F1, ?" "NOT READY" "12:00:00Z" "1-4 of"
	resize_terminal 1 1
	resize_terminal 80 24
	# in a tiny terminal keys do nothing
	shows "show this list of keys"
	press Escape
	looks_like overview-80x24
	press q
	shows "status: 0" "settings: same"
}

# ---- What is sent, and what it costs ----

clock_passed() {
	[ "$(screen | head -1 | grep -o '[0-9:]*Z')" \> "$1" ]
}

@test "a second costs a few bytes, and the screen is not cleared" {
	unset EC2HIB_TUI_CLOCK
	open_tui 80 24 --from busy.json
	shows READY
	in_tmux pipe-pane -t t "cat >sent"
	now=$(date -u +%H:%M:%SZ -d '+4 seconds')
	within "$TUI_PATIENCE" clock_passed "$now"
	in_tmux pipe-pane -t t
	[ "$(wc -c <sent)" -gt 0 ]
	[ "$(wc -c <sent)" -lt 2000 ]
	is_without sent $'\x1b[2J'
	is_without sent $'\x1b[H\x1b[J'
}

@test "idle it uses less than 1 % of a core" {
	unset EC2HIB_TUI_CLOCK
	open_tui 80 24 --from busy.json
	shows READY
	pid=$(tui_pid)
	before=$(awk '{ print $14 + $15 }' "/proc/$pid/stat")
	began=$(date +%s)
	within "$TUI_PATIENCE" clock_passed "$(date -u +%H:%M:%SZ -d '+8 seconds')"
	spent=$(($(awk '{ print $14 + $15 }' "/proc/$pid/stat") - before))
	seconds=$(($(date +%s) - began))
	echo "$spent of $((seconds * $(getconf CLK_TCK))) ticks"
	((spent * 100 <= seconds * $(getconf CLK_TCK)))
}

# ---- Leaving ----

@test "q and F10 leave, and the terminal is what it was" {
	for key in q F10; do
		open_tui 80 24 --from busy.json
		shows READY
		press "$key"
		ends_well 0
		close_terminal
	done
}

@test "a signal leaves cleanly" {
	for signal in TERM HUP INT; do
		open_tui 80 24 --from busy.json
		shows READY
		kill -s "$signal" "$(tui_pid)"
		ends_well 0
		close_terminal
	done
}

@test "a crash leaves the terminal as it was, and is still a crash" {
	for signal in SEGV:139 ABRT:134 BUS:135 FPE:136 ILL:132 QUIT:131; do
		export ASAN_OPTIONS=handle_segv=0:handle_abort=0:handle_sigbus=0:handle_sigfpe=0:handle_sigill=0
		open_tui 80 24 --from busy.json
		shows READY
		kill -s "${signal%:*}" "$(tui_pid)"
		ends_well "${signal#*:}"
		close_terminal
	done
}

stopped() {
	[ "$(awk '{ print $3 }' "/proc/$1/stat")" = T ]
}

@test "Ctrl-Z stops it with the terminal as it was, SIGCONT brings it back" {
	open_tui 80 24 --from busy.json
	looks_like overview-80x24
	pid=$(tui_pid)
	press C-z
	within "$TUI_PATIENCE" stopped "$pid"
	[ "$(in_tmux display-message -p -t t '#{alternate_on}')" = 0 ]
	resize_terminal 120 40
	kill -CONT "$pid"
	looks_like overview-120x40
	press q
	shows "status: 0" "settings: same"
}

@test "a terminal that is gone ends it" {
	open_tui 80 24 --from busy.json
	shows READY
	pid=$(tui_pid)
	in_tmux kill-server
	gone() { [ ! -d "/proc/$pid" ] || grep -q '^State:.Z' "/proc/$pid/status"; }
	within "$TUI_PATIENCE" gone
}

@test "without a terminal it says so" {
	run "$EC2HIB" tui --from busy.json
	[ "$status" -eq 2 ]
	[[ "$output" == *"tui needs a terminal"* ]]
}

@test "a terminal that cannot place text is refused" {
	TUI_TERM=dumb open_tui 80 24 --from busy.json
	shows "the terminal type dumb is unknown, or cannot position text" "status: 1" "settings: same"
}

@test "wrong files, options and clocks are said" {
	open_terminal 100 24 sh -c "'$EC2HIB' tui --from nosuch.json; '$EC2HIB' tui --from stub.json
		'$EC2HIB' tui --from -; '$EC2HIB' --root / tui --from busy.json
		EC2HIB_TUI_CLOCK=noon '$EC2HIB' tui --from busy.json; exit 7"
	shows "cannot read nosuch.json: No such file" "--from needs a file" \
		"--from and --root exclude each other" 'EC2HIB_TUI_CLOCK is "noon"' "status: 7"
	close_terminal
	echo '{"facts": {}}' >empty.json
	open_tui 80 24 --from empty.json
	shows "cannot use empty.json: these are not facts that ec2hib saved" "status: 2"
}
