#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# The list of instance types: made from what EC2 says, and compiled in.

load ../lib/helpers

setup() {
	SOURCE=${srcdir:-$top_builddir}
	UPDATE=$SOURCE/data/instance-types-update
	READY=$SOURCE/tests/fixtures/facts/ready.json
	command -v jq >/dev/null || skip "needs jq"
}

# answer TYPE:CAN:MEMORY...: what describe-instance-types says of them.
answer() {
	printf '%s\n' "$@" | jq -nR '{InstanceTypes: [inputs | split(":") |
		{InstanceType: .[0], HibernationSupported: (.[1] == "yes"),
		MemoryInfo: {SizeInMiB: (.[2] | tonumber)}}]}'
}

@test "the list of types is made from the answers of several regions" {
	answer m5.xlarge:yes:16384 m5.large:yes:8192 m5.metal:no:393216 p5.48xlarge:no:2097152 >"$BATS_TEST_TMPDIR/a"
	answer m9g.large:yes:8192 m5.large:yes:8192 p5.48xlarge:yes:2097152 >"$BATS_TEST_TMPDIR/b"
	DATE=2027-01 run "$UPDATE" "$BATS_TEST_TMPDIR/a" "$BATS_TEST_TMPDIR/b"
	[ "$status" -eq 0 ]
	[ "$(grep -v SPDX <<<"$output")" = "$(printf '%s\t%s\t%s\n' '# date' 2027-01 '' \
		'# family' 'sizes that EC2 hibernates' 'sizes that it does not' \
		m5 'large xlarge' metal m9g large - p5 48xlarge - | sed '1s/\t$//')" ]
}

@test "an answer that is not one makes no list" {
	local bad
	for bad in '{}' '[]' '{"InstanceTypes": []}' '{"InstanceTypes": [{"InstanceType": "m5.large"}]}' \
		'{"InstanceTypes": [{"InstanceType": "m5.large\", 0 }, {\"", "HibernationSupported": true}]}' \
		'{"InstanceTypes": [{"InstanceType": "m5", "HibernationSupported": true}]}' 'x' ''; do
		run "$UPDATE" <<<"$bad"
		[ "$status" -ne 0 ]
		[[ "$output" != *'# date'* ]]
	done
	answer m5.large:yes:8192 >"$BATS_TEST_TMPDIR/a"
	DATE=yesterday run "$UPDATE" "$BATS_TEST_TMPDIR/a"
	[ "$status" -ne 0 ]
}

@test "the list in the sources is as the script writes it, and the build takes it" {
	local rows=$SOURCE/data/instance-types.tsv
	awk -F'\t' '!/^#/ { for (i = 2; i <= 3; i++) { n = split($i, sizes, " ");
		for (k = 1; k <= n; k++) if (sizes[k] != "-") print $1 "." sizes[k] ":" (i == 2 ? "yes" : "no") ":" k } }' "$rows" >"$BATS_TEST_TMPDIR/types"
	mapfile -t types <"$BATS_TEST_TMPDIR/types"
	[ "${#types[@]}" -gt 1000 ]
	answer "${types[@]}" >"$BATS_TEST_TMPDIR/answer"
	DATE=$(sed -n 's/^# date\t//p' "$rows") "$UPDATE" "$BATS_TEST_TMPDIR/answer" | cmp - "$rows"
}

@test "what is not a list of types ends the build" {
	local rows
	for rows in '# date\t2026-08' 'm5\tlarge\t-' '# date\t2026\nm5\tlarge\t-' \
		'# date\t2026-08\nm5\tlarge' '# date\t2026-08\nm5\t"\t-'; do
		run awk -f "$SOURCE/data/instance-types.awk" <(printf "$rows\n")
		[ "$status" -ne 0 ]
	done
}

@test "every type of the list is judged as the list says" {
	local rows=$SOURCE/data/instance-types.tsv type state
	for type in m5.large:pass m5.24xlarge:fail c6a.12xlarge:fail m9g.large:pass r6i.large:fail \
		m5.metal:fail t99.large:warn m5.7xlarge:warn; do
		jq --arg type "${type%:*}" '.instance.type = $type' "$READY" >"$BATS_TEST_TMPDIR/facts"
		state=$("$EC2HIB" status --from "$BATS_TEST_TMPDIR/facts" --json instance-family |
			jq -r '.checks[0] | "\(.state) \(.text)"')
		[[ "$state" == "${type#*:} "*"${type%:*} "*"$(sed -n 's/^# date\t//p' "$rows")"* ]]
	done
}
