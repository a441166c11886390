#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# ec2hib shell: scripts, and at a terminal the prompt, its history, completion and signals.

load ../lib/helpers

setup() {
	READY=${srcdir:-$top_builddir}/tests/fixtures/facts/ready.json
	cd "$BATS_TEST_TMPDIR"
	export HOME=$BATS_TEST_TMPDIR TERM=screen
	unset XDG_STATE_HOME INPUTRC
}

teardown() {
	[ -z "${TMUX_NAME:-}" ] || tmux -L "$TMUX_NAME" kill-server || true
	[ -z "${STATE:-}" ] || rm -r "$STATE"
	stop_service
}

# script_of LINE...: runs them.
script_of() {
	run "$EC2HIB" shell "${OPTIONS[@]}" < <(printf '%s\n' "$@")
	echo "status $status"
	echo "$output"
}

# ---- Scripts ------------------------------------------------------------------------------------

@test "a script is run line by line, with comments and quotes" {
	cp "$READY" "a b.json"
	cp "$READY" facts.json
	script_of '# a comment' '' 'version # another' "status -q --from 'a b.json'" \
		'status -q --from a\ b.json' '  status --from "a b.json" swap-size' \
		'status -q --from ~/facts.json' 'ec2hib version'
	[ "$status" -eq 0 ]
	[ "${lines[0]}" = "ec2hib $("$EC2HIB" version | cut -d ' ' -f 2)" ]
	[[ "$output" == *"pass    swap-size"* ]]
	[ "${lines[-1]}" = "${lines[0]}" ]
}

@test "a script ends with its first failure, and says in which line" {
	script_of version '' 'status --frob' version
	[ "$status" -eq 2 ]
	[ "$(grep -c '^ec2hib [0-9]' <<<"$output")" = 1 ]
	[ "${lines[-1]}" = 'ec2hib: line 3: exit status 2' ]
}

@test "with --keep-going it goes on, and the exit status is that of the last" {
	OPTIONS=(--keep-going)
	script_of 'status --frob' version
	[ "$status" -eq 0 ]
	[[ "${lines[-1]}" == 'ec2hib '[0-9]* ]]
	script_of version 'frob'
	[ "$status" -eq 2 ]
}

@test "a line that cannot be understood is a failure, and nothing of it is run" {
	local line
	for line in "version 'open" 'version "open' 'version \' 'version; version' 'version | cat' \
		'version > file' '!date'; do
		script_of "$line"
		[ "$status" -eq 2 ]
		[[ "$output" != *"ec2hib "[0-9]* ]]
		[ ! -e file ]
	done
	run "$EC2HIB" shell < <(printf 'version\0\n')
	[ "$status" -eq 2 ]
	[[ "$output" == *"line 1: there is a NUL byte in it"* ]]
}

@test "exit and quit end it, and take nothing" {
	script_of exit version
	[ "$status" -eq 0 ]
	[ -z "$output" ]
	script_of 'quit now'
	[ "$status" -eq 2 ]
	[[ "${lines[0]}" == *'quit takes no operand: "now"' ]]
}

@test "a command of a script does not read the script" {
	script_of 'history --log -' version
	[ "$status" -eq 1 ]
	[[ "$output" == *"line 1: exit status 1" ]]
	need_root
	script_of 'setup --size 20M --swapfile /no/such/folder/swap'
	[ "$status" -ne 0 ]
	[[ "$output" != *"[y/N]"* ]]
}

@test "the options of the shell are those of every command" {
	mkdir image
	run "$EC2HIB" --root "$PWD/image" shell <<<'status swap-file'
	echo "$output"
	[ "$status" -eq 1 ]
	[[ "$output" == *"ec2hib --root $PWD/image setup"* ]]
	run "$EC2HIB" shell --color always <<<"status --from $READY swap-size"
	[[ "$output" == *$'\033['* ]]
	run "$EC2HIB" -v shell <<<"status --from $READY swap-size"
	[[ "$output" == *"As much swap as memory is sure to suffice."* ]]
	run "$EC2HIB" shell extra </dev/null
	[ "$status" -eq 2 ]
}

@test "programs named ec2hib-NAME are commands, too, and see where they are" {
	mkdir bin
	printf '#!/bin/sh\necho "hello $*"; exit 7\n' >bin/ec2hib-greet
	chmod +x bin/ec2hib-greet
	PATH=$PWD/bin:$PATH script_of "greet 'a  b' c"
	[ "$status" -eq 7 ]
	[ "${lines[0]}" = "hello a  b c" ]
}

@test "a command that is killed is a failure like any other" {
	mkdir bin
	printf '#!/bin/sh\nkill -9 $$\n' >bin/ec2hib-die
	chmod +x bin/ec2hib-die
	PATH=$PWD/bin:$PATH script_of die version
	[ "$status" -eq 137 ]
	[ "${lines[0]}" = 'ec2hib: die was killed by signal 9 (Killed)' ]
}

@test "SIGTERM ends the script and the command that runs" {
	need_service
	mkfifo script
	"$EC2HIB" shell <script >out 2>err 3>&- &
	local pid=$!
	exec 5>script
	echo 'imds serve --listen 127.0.0.1:0' >&5
	within 20 grep -q '^listening' out
	kill "$pid"
	status=0
	wait "$pid" || status=$?
	exec 5>&-
	echo "status $status: $(cat err)"
	[ "$status" -eq 143 ]
	# The port is free again: the command went before the shell.
	place=$(sed -n 's/^listening on //p' out)
	run curl -s -m 5 "http://$place/"
	[ "$status" -eq 7 ]
}

@test "readline is loaded for the prompt alone" {
	command -v strace >/dev/null || skip "strace is not installed"
	# A leak checker cannot work where strace is.
	ASAN_OPTIONS=detect_leaks=0 strace -f -e trace=openat -o trace "$EC2HIB" shell <<<version
	run grep -c readline trace
	[ "$output" = 0 ]
	run ldd "$EC2HIB"
	[[ "$output" != *readline* ]]
}

@test "without libreadline a prompt says what to install, and scripts are as before" {
	need_root
	local library
	library=$(find /lib /usr/lib -name 'libreadline.so.[78]' 2>/dev/null | head -n 1)
	[ -n "$library" ] && unshare --mount true 2>/dev/null || skip "no library to hide, or no way to"
	command -v script || skip "script is not installed"
	run unshare --mount sh -c "mount --bind /dev/null '$(readlink -f "$library")' &&
		script -qec '\"$EC2HIB\" shell' /dev/null </dev/null; echo version | '$EC2HIB' shell"
	echo "$output"
	[ "$status" -eq 0 ]
	[[ "${lines[0]}" == *"libreadline cannot be loaded"*"install the package libreadline8"* ]]
	[[ "${lines[1]}" == "ec2hib "[0-9]* ]]
}

# ---- At a terminal ------------------------------------------------------------------------------

# A folder that root keeps a history in: nobody else can write to it or to one above.
trusted_state() {
	[ "$(id -u)" -eq 0 ] && [ -d /run ] || skip "needs root and /run"
	STATE=$(mktemp -d /run/ec2hib-test.XXXXXX)
}

# open_shell [ENVIRONMENT...]: in tmux, with the prompt there.
open_shell() {
	command -v tmux >/dev/null || skip "tmux is not installed"
	# A server of its own each time: one that was killed may still be going.
	TMUX_COUNT=$((${TMUX_COUNT:-0} + 1))
	TMUX_NAME=ec2hib-$BATS_TEST_NUMBER-$$-$TMUX_COUNT
	tmux -L "$TMUX_NAME" -f /dev/null new-session -d -x 80 -y 24 env \
		${STATE:+XDG_STATE_HOME="$STATE"} "$@" sh -c \
		"\"$EC2HIB\" ${SHELL_OPTIONS:-} shell; echo left=\$?; exec sleep 1000" 3>&-
	within 30 prompt_is_there || { screen; return 1; }
}

close_shell() {
	tmux -L "$TMUX_NAME" kill-server
	TMUX_NAME=
}

screen() {
	tmux -L "$TMUX_NAME" capture-pane -p -J
}

screen_has() {
	screen | grep -qF -- "$1"
}

prompt_is_there() {
	screen | grep -q '^ec2hib[^;]*>'
}

# line_is TEXT: the last line with something on it, without blanks at its end.
line_is() {
	[ "$(screen | grep . | tail -n 1 | sed 's/ *$//')" = "$1" ]
}

see() {
	within 30 screen_has "$1" || { screen; return 1; }
}

see_line() {
	within 30 line_is "$1" || { screen; return 1; }
}

keys() {
	tmux -L "$TMUX_NAME" send-keys "$@"
}

type_text() {
	tmux -L "$TMUX_NAME" send-keys -l -- "$1"
}

# An image is the same on every machine: not ready, for it has no swap.
open_shell_of_image() {
	mkdir -p image
	SHELL_OPTIONS="--color never --root image" open_shell "$@"
	see_line 'ec2hib image [not ready]>'
}

@test "the prompt says whether the machine is ready" {
	open_shell_of_image
	keys exit Enter
	see 'left=0'
}

@test "the prompt is there at once, also when the metadata service hangs" {
	need_service
	start_service --fault hang
	open_shell AWS_EC2_METADATA_DISABLED=false AWS_METADATA_SERVICE_TIMEOUT=3600 \
		AWS_EC2_METADATA_SERVICE_ENDPOINT="$SERVICE_URL"
	line_is 'ec2hib>'
	within 30 [ "$(counter requests)" -gt 0 ]
	type_text version
	keys Enter
	see "ec2hib $("$EC2HIB" version | cut -d ' ' -f 2)"
	see_line 'ec2hib>'
	# And so is completion, with what is known without it.
	type_text 'imds get instance-t'
	keys Tab
	see_line 'ec2hib> imds get instance-type'
	keys C-u
	keys C-d
	see 'left=0'
}

@test "Ctrl-C ends the command and not the shell" {
	need_service
	open_shell_of_image
	type_text 'imds serve --listen 127.0.0.1:0'
	keys Enter
	see 'listening on'
	keys C-c
	see_line 'ec2hib image [not ready]>'
	type_text 'half a line'
	see_line 'ec2hib image [not ready]> half a line'
	keys C-c
	see_line 'ec2hib image [not ready]>'
	# In the middle of a search, too.
	keys C-r imds
	see 'reverse-i-search'
	keys C-c
	see_line 'ec2hib image [not ready]>'
	type_text version
	keys Enter
	see "ec2hib $("$EC2HIB" version | cut -d ' ' -f 2)"
	see_line 'ec2hib image [not ready]>'
}

@test "Tab completes commands, options, values, checks and files" {
	open_shell_of_image
	touch 'a file.json'
	mkdir folder
	while IFS='|' read -r typed line; do
		type_text "$typed"
		keys Tab
		see_line "ec2hib image [not ready]> $line"
		keys C-u
		see_line 'ec2hib image [not ready]>'
	done <<-'END'
		tear|teardown
		setup --swapf|setup --swapfile
		setup --swapfile=/sw|setup --swapfile=/swap
		hibernate --method sys|hibernate --method systemd
		hibernate --method=sys|hibernate --method=systemd
		status swap-si|status swap-size
		status 'swap-si|status 'swap-size'
		status --from a|status --from a\ file.json
		status --from=a|status --from=a\ file.json
		status --from "a|status --from "a file.json"
		status --from fol|status --from folder/
		--root fo|--root folder/
		help imd|help imds
		imds serve --fault lat|imds serve --fault latency=
		imds get hib|imds get hibernation/configured
	END
	# Several: the second Tab lists them.
	type_text 'status resume-offset-'
	keys Tab Tab
	see resume-offset-next-boot
	see resume-offset-kernel
}

@test "what is typed is kept, once each, for its owner alone" {
	trusted_state
	open_shell_of_image
	for line in version 'help version' version "status 'open"; do
		type_text "$line"
		keys Enter
		see_line 'ec2hib image [not ready]>'
	done
	keys Up
	see_line "ec2hib image [not ready]> status 'open"
	keys Up
	see_line 'ec2hib image [not ready]> version'
	keys Up
	see_line 'ec2hib image [not ready]> help version'
	keys C-u C-d
	see left=
	diff <(printf '%s\n' 'help version' version "status 'open") "$STATE/ec2hib/shell-history"
	[ "$(stat -c %a "$STATE/ec2hib/shell-history")" = 600 ]
	close_shell
	# The next one has them, and so does a file that was made readable.
	chmod 644 "$STATE/ec2hib/shell-history"
	open_shell_of_image
	keys Up
	see_line "ec2hib image [not ready]> status 'open"
	[ "$(stat -c %a "$STATE/ec2hib/shell-history")" = 600 ]
	# What another shell has added meanwhile is not lost.
	echo 'history --json' >>"$STATE/ec2hib/shell-history"
	keys C-u
	type_text version
	keys Enter
	see_line 'ec2hib image [not ready]>'
	keys C-d
	see left=
	diff <(printf '%s\n' 'help version' "status 'open" 'history --json' version) \
		"$STATE/ec2hib/shell-history"
}

@test "a history has 1000 lines at most" {
	trusted_state
	mkdir "$STATE/ec2hib"
	seq 1 1500 >"$STATE/ec2hib/shell-history"
	open_shell_of_image
	type_text version
	keys Enter
	see "ec2hib $("$EC2HIB" version | cut -d ' ' -f 2)"
	see_line 'ec2hib image [not ready]>'
	diff <(seq 502 1500; echo version) "$STATE/ec2hib/shell-history"
}

@test "root keeps no history in a folder of somebody else" {
	trusted_state
	mkdir "$STATE/ec2hib"
	chown 65534 "$STATE/ec2hib"
	mkdir image
	SHELL_OPTIONS='--color never --root image' open_shell
	see 'no history is kept'
	see 'belongs to uid 65534, not to root'
	type_text version
	keys Enter
	see "ec2hib $("$EC2HIB" version | cut -d ' ' -f 2)"
	[ ! -e "$STATE/ec2hib/shell-history" ]
}

@test "inputrc is honoured" {
	printf '$if ec2hib\n"\\C-xv": "version\\n"\n$endif\n' >inputrc
	open_shell_of_image INPUTRC="$PWD/inputrc"
	keys C-x v
	see "ec2hib $("$EC2HIB" version | cut -d ' ' -f 2)"
}

@test "Ctrl-Z stops the shell, and fg brings it back as it was" {
	command -v tmux >/dev/null || skip "tmux is not installed"
	mkdir image
	TMUX_NAME=ec2hib-$BATS_TEST_NUMBER-$$
	tmux -L "$TMUX_NAME" -f /dev/null new-session -d -x 80 -y 24 env PS1='outside> ' \
		bash --norc -i 3>&-
	see_line 'outside>'
	type_text "$EC2HIB --color never --root image shell"
	keys Enter
	see_line 'ec2hib image [not ready]>'
	type_text 'half a line'
	see_line 'ec2hib image [not ready]> half a line'
	keys C-z
	see_line 'outside>'
	type_text fg
	keys Enter
	see_line 'ec2hib image [not ready]> half a line'
	keys C-u
	# While a command runs as well.
	need_service
	type_text 'imds serve --listen 127.0.0.1:0'
	keys Enter
	see 'listening on'
	keys C-z
	see_line 'outside>'
	type_text fg
	keys Enter
	see 'fg'
	keys C-c
	see_line 'ec2hib image [not ready]>'
}

@test "several lines that are pasted are run one after the other" {
	open_shell_of_image
	printf 'help version\nversion\n' >text
	tmux -L "$TMUX_NAME" load-buffer text
	tmux -L "$TMUX_NAME" paste-buffer -p
	keys Enter
	see 'Usage: ec2hib version'
	see "ec2hib $("$EC2HIB" version | cut -d ' ' -f 2)"
	see_line 'ec2hib image [not ready]>'
}

@test "the terminal is as it was, however the shell ends" {
	open_shell_of_image
	local pid
	pid=$(tmux -L "$TMUX_NAME" list-panes -F '#{pane_pid}')
	# The shell is the child of sh.
	kill -HUP "$(cat "/proc/$pid/task/$pid/children")"
	see 'left=129'
	tmux -L "$TMUX_NAME" respawn-pane -k "stty -a; exec sleep 1000"
	see ' icanon '
	see ' echo '
}
