#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# ec2hib tui: at every question one key agrees, and every other key of the keyboard leaves it.

load ../lib/helpers
load tmux

# shellcheck disable=SC2034 # options in front of the command, for open_tui
TUI_GLOBAL=()

setup() {
	need_tmux
	need_root
	cd "$BATS_TEST_TMPDIR" || return
	export EC2HIB_TUI_CLOCK=2026-11-21T12:00:00Z
	use_stub
}

teardown() {
	close_terminal
}

# All keys of a keyboard, by tmux's names, but for y, q and F10, which agree somewhere. Ctrl-C,
# Ctrl-Z and Ctrl-\ are signals.
other_keys() {
	# shellcheck disable=SC1003 # a backslash
	printf '%s\n' {a..p} {r..x} z {A..Z} {0..9} \
		'!' '"' '#' '$' '%' '&' "'" '(' ')' '*' '+' ',' '-' '.' '/' ':' '\;' '<' '=' '>' '?' \
		'@' '[' '\' ']' '^' '_' '`' '{' '|' '}' '~' 'ä' '€' \
		Enter Space Tab BTab BSpace Escape Up Down Left Right Home End PPage NPage IC DC \
		F1 F2 F3 F4 F5 F6 F7 F8 F9 F11 F12 \
		C-Space C-a C-b C-d C-e C-f C-g C-h C-i C-j C-k C-l C-m C-n C-o C-p C-q C-r C-s C-t \
		C-u C-v C-w C-x C-y 'C-]' C-^ C-_ \
		M-y M-n M-Enter S-Up S-F5 C-Up C-Left C-Home C-End C-PPage C-DC M-Up
}

# Plans at most: no question was agreed to.
nothing_ran() {
	! grep -vxF "setup --dry-run" calls 2>/dev/null
}

# The bar has the keys of a question as long as there is one.
asks() {
	[[ $(screen) == *"$1"*"any other key"* ]]
}

asks_nothing() {
	[[ $(screen) != *"any other key"* ]]
}

# left_by_all QUESTION KEY: that key asks it, and each key on standard input leaves it for good.
left_by_all() {
	local question=$1 opener=$2 key before=
	while read -r key; do
		press "$opener"
		within "$TUI_PATIENCE" asks "$question"
		# By now the y that came after the key before has done what it does.
		nothing_ran || {
			echo "$question: after $before it could still be agreed to"
			return 1
		}
		press -- "$key"
		within "$TUI_PATIENCE" asks_nothing || {
			echo "$question: $key does not leave it"
			return 1
		}
		press y
		before=$key
	done
	press '?'
	shows "show this list of keys"
	nothing_ran
	press Escape
	hides "show this list of keys"
}

# left_at_once_by_all QUESTION KEY...: the same for more questions, without looking after each key.
left_at_once_by_all() {
	local question=$1 key keys=()
	shift
	while read -r key; do
		keys+=("$@" "$key" y)
	done
	press "$@"
	shows "$question" "any other key"
	press n
	press -- "${keys[@]}"
	press '?'
	shows "show this list of keys"
	asks_nothing
	nothing_ran
	press Escape
	hides "show this list of keys"
}

@test "every key but y leaves the question whether to run a command" {
	open_tui 100 30
	shows "facts of"
	other_keys >keys
	printf '%s\n' q F10 >>keys
	left_by_all "y runs: ec2hib hibernate" H <keys
	left_at_once_by_all "y runs: ec2hib prewarm" w <keys
	left_at_once_by_all "y runs: ec2hib prewarm --stop" W <keys
	left_at_once_by_all "y runs: ec2hib test-hibernate --yes" t <keys
	left_at_once_by_all "y runs: ec2hib watch --once --dry-run" e <keys
	left_at_once_by_all "y runs: ec2hib status --json > ec2hib-facts" S Enter <keys
}

@test "every key but y leaves setup's plan" {
	open_tui 100 30
	shows "facts of"
	{ other_keys && printf '%s\n' q F10; } | left_by_all "y runs: ec2hib setup --yes" s
}

@test "every key but q leaves the question whether to leave a command that runs" {
	mkfifo gate
	open_tui 100 30
	shows "facts of"
	press w y
	shows "still running; x stops it"
	press Escape
	while read -r key; do
		press q
		within "$TUI_PATIENCE" asks "is still running, and goes on without the dashboard"
		press -- "$key"
		within "$TUI_PATIENCE" asks_nothing
	done < <(other_keys && echo y)
	# It still asks, and q leaves.
	press q
	shows "any other key"
	press q
	ends_well 0
	timeout "$TUI_PATIENCE" sh -c 'echo open >gate'
	[ "$(cat calls)" = prewarm ]
}

@test "a resize is no key: the question stays, and can be seen" {
	open_tui 100 30
	shows "facts of"
	press H
	shows "y runs: ec2hib hibernate"
	resize_terminal 60 15
	within "$TUI_PATIENCE" is_size 60x15
	shows "y runs: ec2hib hibernate" "any other key"
	press y
	shows "ec2hib hibernate: succeeded"
	press s
	shows "y runs: ec2hib setup --yes"
	resize_terminal 100 12
	within "$TUI_PATIENCE" is_size 100x12
	shows "y runs: ec2hib setup --yes" "any other key"
	press y
	shows "ec2hib setup --yes: succeeded"
	has_called hibernate "setup --dry-run" "setup --yes"
}

@test "where a question cannot be seen, no key agrees to it" {
	open_tui 100 30
	shows "facts of"
	press H
	shows "y runs: ec2hib hibernate"
	resize_terminal 30 5
	shows "needs 40x8"
	press y
	resize_terminal 100 30
	shows "F10Quit"
	press '?'
	shows "show this list of keys"
	never_called
}

@test "a question is gone after a stop by Ctrl-Z" {
	open_tui 100 30
	shows "facts of"
	press H
	shows "any other key"
	pid=$(tui_pid)
	press C-z
	stopped() { [ "$(awk '{ print $3 }' "/proc/$pid/stat")" = T ]; }
	within "$TUI_PATIENCE" stopped
	kill -CONT "$pid"
	shows "F10Quit"
	press y '?'
	shows "show this list of keys"
	never_called
}

@test "a key that the locale has no letter for leaves a question, too" {
	export LC_ALL=C
	open_tui 100 30
	shows "facts of"
	press H
	shows "any other key"
	press -H c3
	hides "any other key"
	press y '?'
	shows "show this list of keys"
	never_called
}

@test "a key that terminfo does not know is one key, not the letters of its sequence" {
	open_tui 100 30
	shows "facts of"
	# ESC [ 1 ; 9 H, where H would hibernate, and ESC O w, where w would pre-warm
	for bytes in "1b 5b 31 3b 39 48" "1b 4f 77"; do
		press s
		shows "y runs: ec2hib setup --yes"
		# shellcheck disable=SC2086 # several
		press -H $bytes
		hides "any other key"
		shows "F10Quit" "─ 7 history"
		press y
	done
	# Escape and a key after it are two keys, however soon it comes.
	press 2
	shows " 1-26 of"
	press Escape o
	shows "the stub was called"
	press 2
	shows " 1-26 of"
	press -H 1b 1b 5b 42
	shows "─ 7 history"
	nothing_ran
}

is_size() {
	[ "$(in_tmux display-message -p -t t '#{pane_width}x#{pane_height}')" = "$1" ]
}

# long_plan: setup's plan has more lines than any terminal here.
long_plan() {
	sed -i 's/^echo "the stub was called"/case $* in *--dry-run) seq -f "step %g of many" 60 ;; esac\n&/' stub
}

@test "a plan longer than the screen asks when its end was seen, not before" {
	long_plan
	open_tui 100 30
	shows "facts of"
	press s
	shows "step 1 of many" "Page-DownGo on" "EscapeLeave"
	lacks "y runs"
	# It is no question so far: y does nothing, and it can be read.
	press y NPage
	shows "step 30 of many" "Page-DownGo on"
	press Up PPage
	shows "step 1 of many"
	press End
	shows "step 60 of many" "y runs: ec2hib setup --yes" "any other key"
	# Now it is one, and keys that scroll leave it, too.
	press PPage
	hides "any other key"
	shows "F10Quit"
	press y o
	shows "step 60 of many"
	lacks "y runs"
	press y Home
	shows "step 1 of many"
	nothing_ran
	press s
	shows "step 1 of many" "Page-DownGo on"
	press G
	shows "any other key"
	press y
	shows "ec2hib setup --yes: succeeded"
}

@test "a plan that another sheet came over asks no more" {
	long_plan
	open_tui 100 30
	shows "facts of"
	press s
	shows "Page-DownGo on"
	press '?'
	shows "show this list of keys"
	press Escape
	shows "step 1 of many" "F10Quit"
	press End
	shows "step 60 of many"
	lacks "y runs"
	press y '?'
	shows "show this list of keys"
	nothing_ran
}

@test "a plan that comes after its user has gone asks nothing" {
	mkfifo gate
	open_tui 100 30
	shows "facts of"
	press s
	shows "... still running"
	press 5
	shows "═ 5 notices"
	timeout "$TUI_PATIENCE" sh -c 'echo go >gate'
	shows "setup --dry-run: succeeded"
	press y o
	shows "the stub was called"
	lacks "y runs"
	press y '?'
	shows "show this list of keys"
	nothing_ran
}
