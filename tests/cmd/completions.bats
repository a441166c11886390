#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# What bash, zsh and fish offer, asked of the shells themselves.

load ../lib/helpers

setup() {
	SOURCE=${srcdir:-$top_builddir}
	# The shells have to find the program by its name, as a user's do.
	mkdir "$BATS_TEST_TMPDIR/bin"
	ln -s "$EC2HIB" "$BATS_TEST_TMPDIR/bin/ec2hib"
	PATH=$BATS_TEST_TMPDIR/bin:$PATH
	cd "$BATS_TEST_TMPDIR"
	export HOME=$BATS_TEST_TMPDIR XDG_CONFIG_HOME=$BATS_TEST_TMPDIR XDG_DATA_HOME=$BATS_TEST_TMPDIR
}

teardown() {
	[ -z "${TMUX_NAME:-}" ] || tmux -L "$TMUX_NAME" kill-server || true
	stop_service
}

# in_bash LINE: as readline cuts it, and what it would show.
in_bash() {
	bash --norc -c '
		source "$1"
		line=$2 COMP_WORDBREAKS=$'\'' \t\n"'\''"'\''><=;|&(:'\''"
		words=() word=
		for ((i = 0; i < ${#line}; i++)); do
			c=${line:i:1}
			case $c in
			" ") [[ -z $word ]] || words+=("$word"); word= ;;
			[=:]) [[ -z $word ]] || words+=("$word"); words+=("$c"); word= ;;
			*) word+=$c ;;
			esac
		done
		[[ $line == *[=:] ]] || words+=("$word")
		COMP_LINE=$line COMP_POINT=${#line} COMP_WORDS=("${words[@]}")
		COMP_CWORD=$((${#words[@]} - 1))
		compopt() { :; }
		_ec2hib
		((!${#COMPREPLY[@]})) || printf "%s\n" "${COMPREPLY[@]}"
	' _ "$SOURCE/completions/ec2hib.bash" "$1" | sort -u
}

in_zsh() {
	command -v zsh >/dev/null || skip "zsh is not installed"
	timeout 60 zsh -f "$SOURCE/tests/cmd/complete.zsh" "$SOURCE/completions" "$1" </dev/null |
		sed 's/\\//g' | sort -u
}

in_fish() {
	command -v fish >/dev/null || skip "fish is not installed"
	timeout 60 fish --no-config -c 'source $argv[1]; complete -C $argv[2]' \
		"$SOURCE/completions/ec2hib.fish" "$1" </dev/null | sed 's/\t.*//' | sort -u
}

# offers SHELL LINE WORD...: just these, in any order.
offers() {
	local shell=$1 line=$2
	shift 2
	diff <("in_$shell" "$line") <([ $# -eq 0 ] || printf '%s\n' "$@" | sort -u)
}

# Where a shell replaces all of --option=value, the value alone is not enough.
the_shell_offers_what_the_table_has() {
	local shell=$1 front=$2
	mapfile -t commands < <("$EC2HIB" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z-]*\) .*/\1/p')
	[ "${#commands[@]}" -ge 10 ]
	offers "$shell" 'ec2hib ' "${commands[@]}"
	offers "$shell" 'ec2hib sta' status
	offers "$shell" 'ec2hib setup --sw' --swapfile --swap-device --swap-on
	offers "$shell" 'ec2hib shell --kee' --keep-going
	offers "$shell" 'ec2hib --color a' auto always
	offers "$shell" 'ec2hib --color=al' "${front:+--color=}always"
	offers "$shell" 'ec2hib --color=never imds g' get
	offers "$shell" 'ec2hib help imds ' get serve
	offers "$shell" 'ec2hib status stale-' stale-image
	offers "$shell" 'ec2hib status -v swap-size stale-' stale-image
	offers "$shell" 'ec2hib hibernate --method ' auto direct systemd
	offers "$shell" 'ec2hib setup --size a' auto
	offers "$shell" 'ec2hib imds serve --fault lat' latency=
	offers "$shell" 'ec2hib frob' # nothing
}

the_shell_finds_files() {
	local shell=$1 front=$2
	mkdir -p folder/inner
	touch facts.json folder/facts.txt
	offers "$shell" 'ec2hib status --from fac' facts.json
	offers "$shell" 'ec2hib status --from=fac' "${front:+--from=}facts.json"
	# A slash behind a folder or not is the shell's own way.
	diff <("in_$shell" 'ec2hib --root fo' | sed 's|/$||') <(echo folder)
	diff <("in_$shell" 'ec2hib --root=folder/' | sed 's|/$||') <(echo "${front:+--root=}folder/inner")
}

the_shell_asks_the_service() {
	local shell=$1
	unset AWS_EC2_METADATA_DISABLED
	need_service
	start_service --region eu-west-1 --set meta-data/tags/instance/Owner=me
	export AWS_EC2_METADATA_SERVICE_ENDPOINT=$SERVICE_URL
	offers "$shell" 'ec2hib imds get placement/reg' placement/region
	offers "$shell" 'ec2hib imds get tags/instance/' tags/instance/Owner
	offers "$shell" 'ec2hib imds get meta-data/instance-t' meta-data/instance-type
	offers "$shell" 'ec2hib imds get dyn' dynamic/
}

@test "bash offers what the command table has" {
	the_shell_offers_what_the_table_has bash ''
}

@test "zsh offers what the command table has" {
	the_shell_offers_what_the_table_has zsh front
}

@test "fish offers what the command table has" {
	the_shell_offers_what_the_table_has fish front
}

@test "bash finds files and folders where they belong" {
	the_shell_finds_files bash ''
}

@test "zsh finds files and folders where they belong" {
	the_shell_finds_files zsh front
}

@test "fish finds files and folders where they belong" {
	the_shell_finds_files fish front
}

@test "bash offers what the metadata service lists" {
	the_shell_asks_the_service bash
}

@test "zsh offers what the metadata service lists" {
	the_shell_asks_the_service zsh
}

@test "fish offers what the metadata service lists" {
	the_shell_asks_the_service fish
}

@test "every option of every command is offered, with its help" {
	local command words
	for command in $("$EC2HIB" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z-]*\) .*/\1/p'); do
		words=$( ("$EC2HIB" "$command" --help; "$EC2HIB" --help) |
			sed -nE 's/^  (-.,| {3}) (--[a-z-]+).*/\2/p' | sort)
		echo "$command"
		diff <("$EC2HIB" __complete -- "$command" -- | cut -f 1 | sort) <(echo "$words")
		[ -z "$("$EC2HIB" __complete -- "$command" -- | awk -F '\t' '$2 == ""')" ]
	done
}

@test "what the service lists is a word on the line, and no command" {
	local name="tags/instance/a;b&\$(c)'d" line
	unset AWS_EC2_METADATA_DISABLED
	need_service
	start_service --set "meta-data/$name=me"
	export AWS_EC2_METADATA_SERVICE_ENDPOINT=$SERVICE_URL
	line=$(in_bash 'ec2hib imds get tags/instance/a')
	[ -n "$line" ]
	eval "set -- $line"
	[ "$#" -eq 1 ]
	[ "$1" = "$name" ]
	# Where nothing needs it there are no quotes, or what is typed next would not fit.
	offers bash 'ec2hib test-hibernate --level ready,hoo' ready,hooks
}

@test "a metadata service that hangs is not waited for" {
	need_service
	start_service --fault hang
	run env -u AWS_EC2_METADATA_DISABLED timeout 60 "$EC2HIB" __complete -- \
		--imds-endpoint "$SERVICE_URL" imds get instance-
	echo "$output"
	[ "$status" -eq 0 ]
	[[ "$output" == *instance-type* ]]
	[ "$(counter requests)" -gt 0 ]
}

@test "folders of credentials are not asked for" {
	need_service
	start_service --set meta-data/iam/security-credentials/role=secret
	export AWS_EC2_METADATA_SERVICE_ENDPOINT=$SERVICE_URL
	unset AWS_EC2_METADATA_DISABLED
	run "$EC2HIB" __complete -- imds get iam/
	[ "$(cut -f 1 <<<"$output")" = iam/security-credentials/ ]
	run "$EC2HIB" __complete -- imds get iam/security-credentials/
	echo "$output"
	[ "$status" -eq 0 ]
	[ -z "$output" ]
}

@test "swap files and devices are offered, and other files where none fits" {
	run "$EC2HIB" __complete -- setup --swapfile /sw
	[[ "$output" == /sw* ]]
	touch other
	offers bash "ec2hib setup --swapfile $PWD/oth" "$PWD/other"
	run "$EC2HIB" __complete -- prewarm --device ''
	for device in $(awk '$2 == "partition" { print $1 }' /proc/swaps) \
		$(cd /sys/class/block && ls -d nvme* sd* vd* xvd* 2>/dev/null | sed 's|^|/dev/|'); do
		[[ $output == *"$device"* ]]
	done
	# An image's are not this machine's.
	run "$EC2HIB" --root / __complete -- --root / setup --swap-device ''
	[ "$output" = :files ]
}

@test "a swap file whose name would steer the terminal is not offered" {
	need_root
	printf 'Filename\tType\tSize\tUsed\tPriority\n/plain file 64 0 -2\n/a\033[31mb file 64 0 -3\n' >swaps
	run unshare --mount sh -c "mount --bind '$PWD/swaps' /proc/swaps &&
		'$EC2HIB' __complete -- prewarm --swapfile ''"
	echo "$output"
	[ "$status" -eq 0 ]
	[[ "$output" == *"/plain"* ]]
	[[ "$output" != *$'\e'* ]]
}

# in_terminal COMMAND...: in tmux; screen shows what is there.
in_terminal() {
	command -v tmux >/dev/null || skip "tmux is not installed"
	# A server of its own each time: one that was killed may still be going.
	TMUX_COUNT=$((${TMUX_COUNT:-0} + 1))
	TMUX_NAME=ec2hib-$BATS_TEST_NUMBER-$$-$TMUX_COUNT
	tmux -L "$TMUX_NAME" -f /dev/null new-session -d -x 80 -y 24 "$@" 3>&-
}

screen_has() {
	tmux -L "$TMUX_NAME" capture-pane -p | grep -qF -- "$1"
}

keys() {
	tmux -L "$TMUX_NAME" send-keys "$@"
}

@test "at a terminal Tab completes in bash, zsh and fish" {
	local shell
	printf 'PS1="here> "\nsource "%s"\n' "$SOURCE/completions/ec2hib.bash" >bashrc
	printf 'PS1="here> "\nfpath=("%s" $fpath)\nautoload -U compinit\ncompinit -u -D\n' \
		"$SOURCE/completions" >.zshrc
	printf 'source "%s"\nfunction fish_prompt; echo -n "here> "; end\n' \
		"$SOURCE/completions/ec2hib.fish" >config.fish
	mkdir fish
	mv config.fish fish
	for shell in bash zsh fish; do
		command -v "$shell" >/dev/null || continue
		echo "$shell"
		case $shell in
		bash) in_terminal bash --rcfile bashrc -i ;;
		zsh) in_terminal env ZDOTDIR="$PWD" zsh -i ;;
		fish) in_terminal fish -i ;;
		esac
		within 30 screen_has 'here>'
		keys 'ec2hib tear' Tab '-' '-dry' Tab
		within 30 screen_has 'ec2hib teardown --dry-run' || {
			tmux -L "$TMUX_NAME" capture-pane -p
			return 1
		}
		tmux -L "$TMUX_NAME" kill-server
	done
	TMUX_NAME=
}
