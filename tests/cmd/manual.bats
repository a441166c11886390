#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# The manual pages and the default configuration say what the program says.

load ../lib/helpers

setup() {
	SOURCE=${srcdir:-$top_builddir}
	MAN=$SOURCE/man
	READY=$SOURCE/tests/fixtures/facts/ready.json
}

teardown() {
	stop_service
}

commands_with_a_page() {
	"$EC2HIB" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z-]*\) .*/\1/p' | grep -vxE 'help|version'
}

# subcommands_of COMMAND: the words behind it; an empty line when it has none.
subcommands_of() {
	"$EC2HIB" "$1" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z-]*\) .*/\1/p' | grep . || echo
}

# options_of TITLE [COMMAND]: the long and short options below that title of a --help, with those
# of the command's subcommands.
options_of() {
	local word
	while read -r word; do
		# shellcheck disable=SC2086 # none is no word
		options_of_one "$@" $word
	done < <([ $# -lt 2 ] && echo || subcommands_of "$2") | sort -u
}

options_of_one() {
	"$EC2HIB" "${@:2}" --help | sed -n "/^$1:/,/^\$/p" |
		sed -nE 's/^  (-(.),| {3}) --([a-z-]+).*/\2 \3/p' | tr ' ' '\n' | grep . | sort
}

# options_in PAGE: those that the page explains, each an item of a list.
options_in() {
	sed -nE 's/^\.It (Fl .*)/\1/p' "$MAN/$1" | grep -oE 'Fl -?[a-z][a-z-]*' |
		sed -E 's/Fl -?//' | sort
}

# What ec2hib-checks.7 has, a line a check: group, id, asterisk or nothing, and all that is said.
checks_in_page() {
	mandoc -T ascii -O width=900 "$MAN/ec2hib-checks.7" | sed 's/.\x08//g' | awk '
		/^[A-Z]/ { inside = ($1 == "CHECKS") }
		!inside || !NF { next }
		/^   [A-Z]/ && NF == 1 { group = tolower($1); next }
		/^     [a-z]/ { # a short id has text behind it
			if (line) print line
			line = group "\t" $1 "\t" ($2 == "*" ? $2 : "") "\t"
			sub(/^ *[a-z-]+( \*)?/, "")
			if (!NF) next
		}
		line { sub(/^ +/, ""); gsub(/  +/, " "); line = line $0 " " }
		END { print line }'
}

need_mandoc() {
	command -v mandoc || skip "mandoc is not installed"
}

# SECTION KEY, of every key that the page explains.
keys_in_page() {
	sed -nE '/^\.Sh DESCRIPTION/,/^\.Sh FILES OF/{s/^\.Ss \[(.*)\]/[\1/p; s/^\.It Cm ([a-z-]+)$/\1/p}' \
		"$MAN/ec2hib.conf.5" | awk '/^\[/ { section = substr($0, 2); next } { print section, $0 }' | sort
}

# The same of the default configuration, all lines of which are comments.
keys_in_default() {
	uncommented | awk '/^\[/ { gsub(/[][]/, ""); section = $0; next } { print section, $1 }' | sort
}

uncommented() {
	sed -nE 's/^#([a-z].*)/\1/p; /^\[/p' "$SOURCE/data/ec2hib.conf"
}

@test "every command has its page" {
	commands_with_a_page | grep -qx status
	for command in $(commands_with_a_page); do
		echo "$command"
		grep -qx "\.Nm ec2hib-$command" "$MAN/ec2hib-$command.8"
		grep -q "^\.It Cm $command" "$MAN/ec2hib.8"
	done
}

@test "the options of every command are those of its page" {
	for command in $(commands_with_a_page); do
		echo "$command"
		diff <(options_of Options "$command") <(options_in "ec2hib-$command.8")
	done
}

@test "every subcommand has its part of the page" {
	[ "$(subcommands_of imds | xargs)" = "get serve" ]
	for command in $(commands_with_a_page); do
		for word in $(subcommands_of "$command"); do
			echo "$command $word"
			grep -qx "\.Ss $word" "$MAN/ec2hib-$command.8"
		done
	done
}

@test "ec2hib-imds.8 has every fault, with what it wants" {
	diff <("$EC2HIB" __complete -- imds serve --fault '' | sed 's/\t.*//' | sort) \
		<(sed -n '/^\.Ss Faults/,/^\.Ss The/p' "$MAN/ec2hib-imds.8" |
			sed -nE 's/^\.It Cm ([a-z-]+) Ns .*/\1=/p' | sort)
}

@test "ec2hib-imds.8 has all of the control path" {
	diff <(sed -nE 's/^\t\{ "[A-Z]+", "([a-z]+)", [a-z_]+ \},/\1/p' \
		"$SOURCE/sim/control.c" "$SOURCE/sim/metadata.c" | sort -u) \
		<(sed -n '/^\.Ss The control/,/^\.Sh/p' "$MAN/ec2hib-imds.8" |
			sed -nE 's/^\.It Cm ([a-z]+)(\/.*|)$/\1/p' | sort)
}

@test "the options of all commands are those of ec2hib.8" {
	options_of Options | grep -qx config
	diff <(options_of Options) <(options_in ec2hib.8)
}

@test "ec2hib-checks.7 has every check in its group, and the vital ones are marked" {
	need_mandoc
	checks_in_page | grep -qP '^swap\tswap-size\t\*\t'
	diff <("$EC2HIB" status --from "$READY" --json |
		jq -r '.checks[] | [.group, .id, if .vital then "*" else "" end] | @tsv') \
		<(checks_in_page | cut -f 1-3)
}

@test "ec2hib-checks.7 says of each check what and why, in the words of the program" {
	need_mandoc
	local id title why text
	# With -v the line below a check's own is why it matters.
	"$EC2HIB" status -v --from "$READY" | awk '
		/^          [^ ]/ { sub(/^ +/, ""); print id "\t" $0; next } /^  [a-z]/ { id = $2 }' |
		sort >"$BATS_TEST_TMPDIR/why"
	"$EC2HIB" status --from "$READY" --json | jq -r '.checks[] | [.id, .title] | @tsv' |
		sort | join -t $'\t' - "$BATS_TEST_TMPDIR/why" >"$BATS_TEST_TMPDIR/checks"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/checks")" -eq "$(checks_in_page | wc -l)" ]
	while IFS=$'\t' read -r id title why; do
		text=$(checks_in_page | awk -F '\t' -v id="$id" '$2 == id { print $4 }')
		echo "$id: $text"
		[[ "$text" == "${title^}. $why "* ]]
	done <"$BATS_TEST_TMPDIR/checks"
}

@test "ec2hib-hibernation.7 names checks that there are" {
	local id ids
	ids=$(sed -n '/^\.Sh TROUBLE/,/^\.Sh EXAMPLES/p' "$MAN/ec2hib-hibernation.7" |
		sed -nE 's/^\.(Pq )?Em //p' | tr -d ' .;:' | tr ',' '\n' | sort -u)
	grep -qx stale-image <<<"$ids"
	for id in $ids; do
		echo "$id"
		"$EC2HIB" status -q --from "$READY" "$id"
	done
}

@test "ec2hib-checks.7 says when each check warns or fails, and how to mend it" {
	need_mandoc
	local id state fix text facts=$SOURCE/tests/fixtures/facts
	checks_in_page | cut -f 2,4 >"$BATS_TEST_TMPDIR/page"
	while IFS=$'\t' read -r id state; do
		text=$(grep -P "^$id\t" "$BATS_TEST_TMPDIR/page")
		echo "$id $state: $text"
		[[ "$text" =~ (^|[^a-z])"$state"s ]]
	done < <(jq -r 'to_entries[] | .key as $id | .value[] |
		select(. == "warn" or . == "fail") | [$id, .] | @tsv' "$facts/states.json")
	# Every mend that any machine among the fixtures was given; which device it is, varies.
	jq -r '.[] | select(.fix) | [.check, .fix] | @tsv' "$facts"/cases-*.json | sort -u |
		sed -E 's/(kernel command line:) resume.*/\1/; s/(disable --now) [a-z -]+$/\1/
			s|/dev/[a-z0-9]+|DEVICE|' >"$BATS_TEST_TMPDIR/mends"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/mends")" -ge 60 ]
	sed -i -E 's|/dev/[a-z]+[0-9][a-z0-9]*|DEVICE|g' "$BATS_TEST_TMPDIR/page"
	while IFS=$'\t' read -r id fix; do
		text=$(grep -P "^$id\t" "$BATS_TEST_TMPDIR/page")
		echo "$id: $fix: $text"
		[[ "$text" == *"$fix"* ]]
	done <"$BATS_TEST_TMPDIR/mends"
}

# ---- Examples -----------------------------------------------------------------------------------
# In the source of a page a line .\" example: HOW stands before each example:
#	run N...	it is run; each ec2hib in it ends with one of these exit statuses
#	help		it changes the machine, or does not end: it is run with --help at each ec2hib
#	output		the same for its lines that begin with #; the others are what came of it
#	sh, conf	it is a script, a configuration

# examples_of PAGE: each as a file $BATS_TEST_TMPDIR/example-N, the first line of which says how.
examples_of() {
	rm -f "$BATS_TEST_TMPDIR"/example-*
	awk -v to="$BATS_TEST_TMPDIR/example-" '
		/^\.\\" example: / { how = substr($0, 14); next }
		how && /^\.Bd / { file = to (++count); print how >file; how = ""; next }
		/^\.Ed/ { file = ""; next }
		file { gsub(/\\e/, "\\"); gsub(/\\&/, ""); gsub(/\\-/, "-"); print >file }' "$MAN/$1"
}

# An ec2hib that notes how each of its runs ends, and does not do what MODE forbids; around it
# what an example speaks of, with content of the fixtures, and nothing that acts on this machine.
make_stage() {
	STAGE=$BATS_TEST_TMPDIR/stage
	local fixtures=$SOURCE/tests/fixtures name
	mkdir -p "$STAGE/bin" "$STAGE/image/etc" "$STAGE/run/ec2hib"
	for name in one two three; do cp "$READY" "$STAGE/$name.json"; done
	echo '{"state": "waiting"}' >"$STAGE/run/ec2hib/watch.json"
	cat >"$STAGE/bin/ec2hib" <<-END
		#!/bin/bash
		if [[ \$MODE == help && " \$* " == *" shell "* ]]; then
			sed 's/ *#.*//; s/\$/ --help/' | "$EC2HIB" "\$@"
		elif [[ \$MODE == help ]]; then
			"$EC2HIB" "\$@" --help
		else
			"$EC2HIB" "\$@"
		fi
		status=\$?
		echo "\$status ec2hib \$*" >>"$STAGE/statuses"
		exit \$status
	END
	for name in losetup mount systemctl chronyc; do
		printf '#!/bin/sh\n' >"$STAGE/bin/$name"
	done
	printf '#!/bin/sh\nexec "$@"\n' >"$STAGE/bin/sudo"
	printf '#!/bin/sh\nshift\nexec "$@"\n' >"$STAGE/bin/ssh"
	printf '#!/bin/sh\ncat "%s"\n' "$fixtures/logs/linux-6.1-console.txt" >"$STAGE/bin/aws"
	printf '#!/bin/sh\ncat "%s"\n' "$fixtures/logs/linux-4.9-messages.txt" >"$STAGE/bin/zcat"
	chmod +x "$STAGE"/bin/*
}

# run_example FILE MODE STATUS...
run_example() {
	local file=$1 mode=$2 status
	shift 2
	rm -f "$STAGE/statuses"
	sed -i "s|/mnt|$STAGE/image|g; s|/run/ec2hib|$STAGE/run/ec2hib|g" "$file"
	if [[ $mode == help ]]; then
		# Nothing but ec2hib does anything; what reads its answer reads a help.
		printf '#!/bin/sh\ncat >/dev/null\n' | tee "$STAGE/bin/jq" >"$STAGE/bin/curl"
		chmod +x "$STAGE"/bin/*
	else
		rm -f "$STAGE/bin/jq" "$STAGE/bin/curl"
	fi
	(cd "$STAGE" && MODE=$mode PATH=$STAGE/bin:$PATH timeout 60 bash "$file") \
		</dev/null >"$STAGE/output" 2>"$STAGE/errors" 3>&- || [[ $? -lt 124 ]] || return 1
	cat "$STAGE/errors"
	[[ "$(cat "$STAGE/errors")" != *"command not found"* ]] || return 1
	grep -qE '(^|[ (])ec2hib ' "$file" || return 0
	[ -s "$STAGE/statuses" ] || return 1
	while read -r status line; do
		echo "$line: $status"
		[[ " $* " == *" $status "* ]] || return 1
	done <"$STAGE/statuses"
}

check_example() {
	local page=$1 file=$2 how
	how=$(head -n 1 "$file")
	sed -i 1d "$file"
	echo "--- $page: $how"
	cat "$file"
	# shellcheck disable=SC2086 # the statuses are words
	case $how in
	'run '*) run_example "$file" run ${how#run } ;;
	help) run_example "$file" help 0 ;;
	output)
		sed -i -n 's/^# //p' "$file"
		[ -s "$file" ] && run_example "$file" help 0
		;;
	sh) head -n 1 "$file" | grep -qx '#!/bin/sh' && sh -n "$file" ;;
	conf)
		run "$EC2HIB" --config "$file" status -q --json swap-size
		[ "$status" -ne 2 ] && [[ "$output" != *warning* ]]
		;;
	*) return 1 ;;
	esac
}

@test "every page has examples, and each says how it is tested" {
	local page
	for page in "$MAN"/*.[578]; do
		echo "$page"
		[ "$(sed -n '/^\.Sh EXAMPLES/,/^\.Sh [^E]/p' "$page" | grep -c '^\.Bd')" -gt 0 ]
		[ "$(sed -n '/^\.Sh EXAMPLES/,/^\.Sh [^E]/p' "$page" | grep -c '^\.Bd')" -eq \
			"$(grep -c '^\.\\" example: ' "$page")" ]
	done
}

@test "the examples of every page work" {
	local page file
	need_service
	make_stage
	start_service --set meta-data/hibernation/configured=true
	export AWS_EC2_METADATA_SERVICE_ENDPOINT=$SERVICE_URL
	for page in "$MAN"/*.[578]; do
		page=${page##*/}
		examples_of "$page"
		# The service is there for those that ask it.
		unset AWS_EC2_METADATA_DISABLED
		[ "$page" = ec2hib-imds.8 ] || export AWS_EC2_METADATA_DISABLED=true
		for file in "$BATS_TEST_TMPDIR"/example-*; do
			check_example "$page" "$file"
		done
	done
}

@test "help COMMAND opens the page of every command" {
	command -v man groff || skip "man and groff are not installed"
	local command
	mkdir -p "$BATS_TEST_TMPDIR/man"
	ln -s "$(cd "$MAN" && pwd)" "$BATS_TEST_TMPDIR/man/man8"
	for command in $(commands_with_a_page); do
		MANPATH=$BATS_TEST_TMPDIR/man MANPAGER=cat run "$EC2HIB" help "$command"
		[ "$status" -eq 0 ]
		[[ "${output^^}" == *"EC2HIB-${command^^}(8)"* ]]
	done
}

@test "--help of every command fits a screen of 80 columns and 24 lines" {
	local command word
	for command in $(commands_with_a_page) help version; do
		while read -r word; do
			# shellcheck disable=SC2086 # none is no word
			"$EC2HIB" "$command" $word --help >"$BATS_TEST_TMPDIR/help"
			echo "$command $word"
			awk 'length > 80' "$BATS_TEST_TMPDIR/help"
			[ "$(awk 'length > 80' "$BATS_TEST_TMPDIR/help" | wc -l)" -eq 0 ]
			# One is for the next prompt.
			[ "$(wc -l <"$BATS_TEST_TMPDIR/help")" -le 23 ]
		done < <(echo && [ "$command" = imds ] && subcommands_of imds)
	done
	[ "$("$EC2HIB" --help | awk 'length > 80' | wc -l)" -eq 0 ]
}

@test "ec2hib-setup.8 and ec2hib-teardown.8 have the ids of all steps" {
	local ids page
	ids=$(sed -nE 's/^\t\[STEP_[A-Z_]+\] = "([a-z-]+)",/\1/p' "$SOURCE/core/rules/plan.c")
	grep -qx create-swap <<<"$ids"
	for id in $ids; do
		page=ec2hib-setup.8
		[[ "$id" != undo-* ]] || page=ec2hib-teardown.8
		echo "$id"
		grep -qx "\.It Cm $id" "$MAN/$page"
	done
}

@test "every key stands in ec2hib.conf.5 and in the default configuration" {
	sed -nE 's/^\t(KEY|RANGE|WORD|IGNORED)\("([a-z-]+)", "([a-z-]+)".*/\2 \3/p
		s/^\tREACTION\("([a-z-]+)".*/watch \1/p' \
		"$SOURCE/core/base/config.c" | sort >"$BATS_TEST_TMPDIR/keys"
	for key in $("$EC2HIB" status --from "$READY" --json | jq -r '.config | keys[]'); do
		grep -q " $key\$" "$BATS_TEST_TMPDIR/keys"
	done
	diff "$BATS_TEST_TMPDIR/keys" <(keys_in_page)
	diff "$BATS_TEST_TMPDIR/keys" <(keys_in_default)
}

@test "the default configuration is the default, as it is and with every line uncommented" {
	uncommented >"$BATS_TEST_TMPDIR/uncommented"
	: >"$BATS_TEST_TMPDIR/empty"
	for file in "$SOURCE/data/ec2hib.conf" "$BATS_TEST_TMPDIR/uncommented" "$BATS_TEST_TMPDIR/empty"; do
		"$EC2HIB" --config "$file" status --json swap-size 2>"$BATS_TEST_TMPDIR/said" |
			jq -S .config >>"$BATS_TEST_TMPDIR/all" || true
		cat "$BATS_TEST_TMPDIR/said"
		[ ! -s "$BATS_TEST_TMPDIR/said" ]
	done
	[ "$(jq -sc 'unique | length' "$BATS_TEST_TMPDIR/all")" = 1 ]
	[ "$(jq -sc length "$BATS_TEST_TMPDIR/all")" = 3 ]
}

@test "the files of the older agents are read without a warning" {
	printf '%s\n' '[core]' 'lock-in-ram = True' 'log-to-syslog = True' 'log-to-stderr = True' \
		'check-ephemeral-volumes = True' \
		'freeze-timeout-curve=0-8:20,8-16:40,16-64:60,64-128:150,128-256:200,256-:400' \
		'[swap]' 'percentage-of-ram = 100' 'target-size-mb = 4000' \
		'mkswap = /sbin/mkswap {swapfile}' 'swapon = /sbin/swapon {swapfile}' 'swapfile = /swap' \
		'[pm-utils]' 'hibernate-command = /usr/sbin/pm-hibernate' '[notification]' \
		'monitored-url = http://169.254.169.254/latest/meta-data/spot/instance-action' \
		>"$BATS_TEST_TMPDIR/hibagent-config.cfg"
	printf '%s\n' '[core]' 'log-to-syslog = True' 'grub-update = True' 'touch-swap = False' \
		'btrfs-enabled = False' 'state-dir = /var/lib/hibinit-agent' '[swap]' \
		'percentage-of-ram = 100' 'target-size-mb = 4000' 'mkswap = mkswap {swapfile}' \
		'swapon = swapon {swapfile}' 'swapoff = swapoff {swapfile}' \
		>"$BATS_TEST_TMPDIR/hibinit-config.cfg"
	for file in hibagent hibinit; do
		run "$EC2HIB" --config "$BATS_TEST_TMPDIR/$file-config.cfg" status --json swap-size
		echo "$output" | head -n 5
		[ "$(jq -r '.config["target-size-mb"]' <<<"$output")" = 4000 ]
	done
}

@test "mandoc finds nothing to say about the pages" {
	command -v mandoc || skip "mandoc is not installed"
	run mandoc -T lint -W warning "$MAN"/*.[578]
	echo "$output"
	[ "$status" -eq 0 ]
	[ -z "$output" ]
}

@test "man shows every page without a warning" {
	command -v man groff || skip "man and groff are not installed"
	for page in "$MAN"/*.[578]; do
		man --warnings -E UTF-8 -l -Tutf8 -Z "$page" 2>"$BATS_TEST_TMPDIR/said" >/dev/null
		echo "$page: $(cat "$BATS_TEST_TMPDIR/said")"
		[ ! -s "$BATS_TEST_TMPDIR/said" ]
	done
}

@test "every file of the manual says its licence" {
	for file in "$MAN"/*.[578] "$SOURCE/data/ec2hib.conf"; do
		echo "$file"
		head -n 1 "$file" | grep -q 'SPDX-License-Identifier: GPL-3.0-or-later'
	done
}

@test "the picture in README.md is the dashboard's own" {
	[ "$(sed -n '/^ ec2hib 0/,/^```$/p' "$SOURCE/README.md" | sed '$d')" = \
		"$(cat "$SOURCE/tests/fixtures/tui/overview-80x24.txt")" ]
}

@test "README.md has every command" {
	commands=$("$EC2HIB" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z-]*\) .*/\1/p' |
		grep -vxE 'help|version')
	for command in $commands; do
		echo "$command"
		grep -qE "^\| .*\`$command\`.* \|" "$SOURCE/README.md"
	done
}
