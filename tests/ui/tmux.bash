# SPDX-License-Identifier: GPL-3.0-or-later
# Driving the dashboard in a terminal of tmux(1): keys go in, screens come out. Nothing sleeps for
# luck: what is waited for is text on the screen.

# Longer than any machine takes, however much else it has to do.
: "${TUI_PATIENCE:=60}"

need_tmux() {
	command -v tmux >/dev/null || skip "tmux is not installed"
	TMUX_SOCKET=$BATS_TEST_TMPDIR/tmux
	unset TMUX
}

# in_tmux ARGUMENT...: tmux with a server of the test's own.
in_tmux() {
	tmux -S "$TMUX_SOCKET" -f /dev/null "$@" 3>&-
}

# open_terminal COLUMNS ROWS COMMAND...: a terminal in which the command runs; after its end there
# are its status and whether the terminal is as it was.
open_terminal() {
	local columns=$1 rows=$2 script=$BATS_TEST_TMPDIR/script
	shift 2
	# A server of its own each time: one that was killed may still be going.
	TMUX_COUNT=$((${TMUX_COUNT:-0} + 1))
	TMUX_SOCKET=$BATS_TEST_TMPDIR/tmux-$TMUX_COUNT
	# shellcheck disable=SC2016 # for the shell in the terminal
	{
		printf 'export TERM=%q\n' "${TUI_TERM:-tmux-256color}"
		echo 'before=$(stty -g)'
		printf '%q ' "$@"
		printf '\nstatus=$?\n'
		echo 'if [ "$(stty -g)" = "$before" ]; then echo "settings: same"; else echo "settings: CHANGED"; fi'
		echo 'echo "status: $status"'
		echo 'exec sleep 1000'
	} >"$script"
	in_tmux new-session -d -s t -x "$columns" -y "$rows" "exec bash $script"
}

# open_tui COLUMNS ROWS [OPTION...]
open_tui() {
	local columns=$1 rows=$2
	shift 2
	open_terminal "$columns" "$rows" "$EC2HIB" ${TUI_GLOBAL[@]+"${TUI_GLOBAL[@]}"} tui "$@"
}

close_terminal() {
	[ ! -S "${TMUX_SOCKET:-}" ] || in_tmux kill-server || true
}

screen() {
	in_tmux capture-pane -p -t t
}

resize_terminal() {
	in_tmux resize-window -t t -x "$1" -y "$2"
}

press() {
	in_tmux send-keys -t t "$@"
}

has() {
	screen | grep -qF -- "$1"
}

lacks() {
	! has "$1"
}

# shows TEXT...: waits until all of them are on the screen at once.
shows() {
	local text
	for text in "$@"; do
		within "$TUI_PATIENCE" has "$text" || {
			echo "never on the screen: $text"
			screen
			return 1
		}
	done
}

# hides TEXT: waits until it is gone.
hides() {
	within "$TUI_PATIENCE" lacks "$1" || {
		echo "always on the screen: $1"
		screen
		return 1
	}
}

is_screen() {
	screen | diff -u "$1" - >"$BATS_TEST_TMPDIR/difference"
}

# looks_like NAME: waits until the screen is that of tests/fixtures/tui/NAME.txt. With
# TUI_CAPTURE=yes the file is made anew; then look at what has changed.
looks_like() {
	local file=${srcdir:-$top_builddir}/tests/fixtures/tui/$1.txt
	if [ "${TUI_CAPTURE:-}" = yes ]; then
		sleep 1
		screen >"$file"
	fi
	within "$TUI_PATIENCE" is_screen "$file" || {
		echo "$1: expected (-), seen (+)"
		cat "$BATS_TEST_TMPDIR/difference"
		return 1
	}
}

# is_without FILE TEXT: the file does not have the text.
is_without() {
	! grep -qF -- "$2" "$1"
}

# The program in the terminal, not its shell.
tui_pid() {
	local shell stat pid parent
	shell=$(in_tmux display-message -p -t t '#{pane_pid}')
	for stat in /proc/[0-9]*/stat; do
		read -r pid _ _ parent _ 2>/dev/null <"$stat" || continue
		[ "$parent" != "$shell" ] || echo "$pid"
	done
}

# ends_well STATUS: the program is gone, and the terminal is what it was.
ends_well() {
	shows "status: $1" "settings: same"
	[ "$(in_tmux display-message -p -t t '#{alternate_on} #{cursor_flag}')" = "0 1" ]
}

# use_stub: what the dashboard runs is a script that writes down its arguments to calls.
use_stub() {
	export EC2HIB_TUI_PROGRAM=$BATS_TEST_TMPDIR/stub
	cat >stub <<-END
		#!/bin/sh
		cd '$BATS_TEST_TMPDIR' || exit
		echo "\$@" >>calls
		echo "the stub was called"
		echo "and complains" >&2
		[ ! -p gate ] || cat gate
		exit \$(cat result 2>/dev/null || echo 0)
	END
	chmod +x stub
}

# has_called LINE...: all that the stub was called with, a line each.
has_called() {
	[ "$(cat calls 2>/dev/null)" = "$(printf '%s\n' "$@")" ]
}

never_called() {
	[ ! -e calls ]
}
