#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# The manual pages and the default configuration say what the program says.

load helpers

setup() {
	SOURCE=${srcdir:-$top_builddir}
	MAN=$SOURCE/man
	READY=$SOURCE/tests/fixtures/facts/ready.json
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

ids_in_page() {
	sed -n '/^\.Sh CHECKS/,/^\.Sh JSON/s/^\.It Cm \([a-z-]*\).*/\1/p' "$MAN/ec2hib-status.8" | sort
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
		"$SOURCE/core/actions/metadata_control.c" | sort -u) \
		<(sed -n '/^\.Ss The control/,/^\.Sh/p' "$MAN/ec2hib-imds.8" |
			sed -nE 's/^\.It Cm ([a-z]+)(\/.*|)$/\1/p' | sort)
}

@test "the options of all commands are those of ec2hib.8" {
	options_of Options | grep -qx config
	diff <(options_of Options) <(options_in ec2hib.8)
}

@test "ec2hib-status.8 has every check and no other" {
	ids_in_page | grep -qx swap-size
	diff <("$EC2HIB" status --from "$READY" --json | jq -r '.checks[].id' | sort) <(ids_in_page)
}

@test "ec2hib-status.8 has the checks in the groups in which status shows them" {
	diff <("$EC2HIB" status --from "$READY" --json | jq -r '.checks[] | "\(.group) \(.id)"') \
		<(sed -n '/^\.Sh CHECKS/,/^\.Sh JSON/p' "$MAN/ec2hib-status.8" |
			awk '/^\.Ss/ { group = tolower($2) } /^\.It Cm/ { print group, $3 }')
}

@test "ec2hib-status.8 marks the vital checks" {
	"$EC2HIB" status --from "$READY" --json | jq -r '.checks[] | select(.vital).id' | sort \
		>"$BATS_TEST_TMPDIR/vital"
	grep -qx stale-image "$BATS_TEST_TMPDIR/vital"
	diff "$BATS_TEST_TMPDIR/vital" \
		<(sed -n 's/^\.It Cm \([a-z-]*\) \*$/\1/p' "$MAN/ec2hib-status.8" | sort)
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
	run mandoc -T lint -W warning "$MAN"/*.[58]
	echo "$output"
	[ "$status" -eq 0 ]
	[ -z "$output" ]
}

@test "man shows every page without a warning" {
	command -v man groff || skip "man and groff are not installed"
	for page in "$MAN"/*.[58]; do
		man --warnings -E UTF-8 -l -Tutf8 -Z "$page" 2>"$BATS_TEST_TMPDIR/said" >/dev/null
		echo "$page: $(cat "$BATS_TEST_TMPDIR/said")"
		[ ! -s "$BATS_TEST_TMPDIR/said" ]
	done
}

@test "every file of the manual says its licence" {
	for file in "$MAN"/*.[58] "$SOURCE/data/ec2hib.conf"; do
		echo "$file"
		head -n 1 "$file" | grep -q 'SPDX-License-Identifier: GPL-3.0-or-later'
	done
}
