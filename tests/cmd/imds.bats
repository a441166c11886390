#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# ec2hib imds: get against serve, what serve is strict about, its scenarios, faults and control path.

load ../lib/helpers
bats_require_minimum_version 1.5.0

TOKEN_HEADER=X-aws-ec2-metadata-token
TTL_HEADER=X-aws-ec2-metadata-token-ttl-seconds

setup() {
	need_service
	export AWS_EC2_METADATA_DISABLED=false
}

teardown() {
	stop_service
}

# ask PATH [CURL-ARGUMENT...]: what is below /latest/, with a token that is good.
ask() {
	curl -s -m 10 -H "$TOKEN_HEADER: $TOKEN" "${@:2}" "$SERVICE_URL/latest/$1"
}

# code CURL-ARGUMENT...: only the HTTP status; 000 for no answer.
code() {
	curl -s -m 10 -o "$BATS_TEST_TMPDIR/body" -w '%{http_code}' "$@" || true
}

new_token() {
	TOKEN=$(curl -s -m 10 -X PUT -H "$TTL_HEADER: ${1:-60}" "$SERVICE_URL/latest/api/token")
}

has_notice() { ask meta-data/spot/instance-action -f >"$BATS_TEST_TMPDIR/notice"; }
has_no_notice() { ! has_notice; }

get() {
	run --separate-stderr "$EC2HIB" --imds-endpoint "$SERVICE_URL" imds get "$@"
	# shellcheck disable=SC2154 # bats sets it
	echo "get $*: $status: $output $stderr"
}

# ---- get ------------------------------------------------------------------------------------

@test "one path gives the bare value, however it is written" {
	start_service
	for path in instance-id meta-data/instance-id /meta-data/instance-id \
		latest/meta-data/instance-id /latest/meta-data/instance-id; do
		get "$path"
		[ "$status" -eq 0 ]
		[ "$output" = i-0123456789abcdef0 ]
	done
}

@test "several paths give lines with their names, folders give lists" {
	start_service
	get instance-id /latest/meta-data/instance-type placement/
	[ "$status" -eq 0 ]
	[ "$output" = "instance-id: i-0123456789abcdef0
/latest/meta-data/instance-type: m5.large
placement/: availability-zone
	region" ]
}

@test "what is not there is told, the others are printed, and the status is 1" {
	start_service
	get spot/instance-action instance-id
	[ "$status" -eq 1 ]
	[ "$output" = "instance-id: i-0123456789abcdef0" ]
	[[ "$stderr" == *"meta-data/spot/instance-action is not there now (HTTP status 404)"* ]]
	get --json instance-id nope
	[ "$status" -eq 1 ]
	jq -e '. == {"meta-data/instance-id": "i-0123456789abcdef0", "meta-data/nope": null}' <<<"$output"
}

@test "wrong words are usage errors, a service that is not there is status 3" {
	start_service
	for path in / '' 'a b' $'a\nb' 'a?b' 'a#b'; do
		get "$path"
		[ "$status" -eq 2 ]
		[[ "$stderr" == *"is not a path of the metadata service"* ]]
	done
	get
	[ "$status" -eq 2 ]
	stop_service
	get instance-id
	[ "$status" -eq 3 ]
	[[ "$stderr" == *"did not answer: Connection refused; only EC2 instances"*"--imds-endpoint"* ]]
	AWS_EC2_METADATA_DISABLED=true get instance-id
	[ "$status" -eq 3 ]
	[[ "$stderr" == *"AWS_EC2_METADATA_DISABLED; unset it"* ]]
}

@test "--all has the whole tree, and what it saved can be served" {
	start_service --set 'meta-data/public-keys/0/openssh-key=ssh-ed25519 AAAA' \
		--set $'meta-data/a/b/c/d=two\nlines' --instance-id i-00000000000000042
	get --all --json
	[ "$status" -eq 0 ]
	diff <(jq -S . <<<"$output") <(control GET items | jq -S .)
	cp <(echo "$output") "$BATS_TEST_TMPDIR/saved.json"
	stop_service
	start_service --data "$BATS_TEST_TMPDIR/saved.json"
	get --all placement a
	[ "$output" = "meta-data/placement/availability-zone: eu-central-1a
meta-data/placement/region: eu-central-1
meta-data/a/b/c/d: two
	lines" ]
	get --all nope/
	[ "$status" -eq 1 ]
}

@test "--all shows no credentials, and says so; by its name one is shown" {
	start_service --set meta-data/iam/security-credentials/role=SECRET1 \
		--set meta-data/identity-credentials/ec2/security-credentials/ec2-instance=SECRET2 \
		--set dynamic/instance-identity/pkcs7=SECRET3 --set meta-data/iam/info=info
	for paths in '' iam iam/security-credentials/ %69am/security-credentials identity-credentials dynamic; do
		# shellcheck disable=SC2086
		get --all $paths
		[ "$status" -eq 0 ]
		[[ "$output$stderr" != *SECRET* ]]
		[[ "$stderr" == *"left out, because they are credentials"* ]]
	done
	for path in meta-data//iam iam//security-credentials iam/./security-credentials; do
		get --all $path
		[ "$status" -eq 2 ]
		[[ "$output$stderr" != *SECRET* ]]
	done
	run ! grep -q security-credentials <(control GET faults)
	get iam/security-credentials/role
	[ "$output" = SECRET1 ]
}

@test "--all ends where a tree has no end" {
	start_service
	local name=meta-data/x
	for _ in $(seq 20); do name+=/x; done
	control PUT "items/$name" deep
	get --all x
	[ "$status" -eq 0 ]
	[[ "$output" != *deep* ]]
	[[ "$stderr" == *"the rest is left out"* ]]
}

@test "a listing that leads elsewhere is not followed" {
	start_service -v --set meta-data/trap/good=1 \
		--fault $'meta-data/trap/:body=../../user-data\na/../../b\n/latest/meta-data/instance-id\nx//y\n.hidden\nin stance\ngood\n' \
		--fault meta-data/trap/good:body=1
	get --all trap
	[ "$status" -eq 0 ]
	[ "$output" = "meta-data/trap/good: 1" ]
	[ "$(grep -c '^GET ' "$SERVICE_OUTPUT")" = 2 ]
}

# ---- What serve is strict about ----------------------------------------------------------------

@test "it wants IMDSv2 as EC2 does" {
	start_service
	new_token
	local url=$SERVICE_URL/latest good="$TOKEN_HEADER: $TOKEN"
	[ "$(code "$url/meta-data/instance-id")" = 401 ]
	[ "$(code -H "$TOKEN_HEADER: wrong" "$url/meta-data/instance-id")" = 401 ]
	[ "$(code -H "$TOKEN_HEADER;" "$url/meta-data/instance-id")" = 401 ]
	[ "$(code "$url/meta-data/nope")" = 401 ]
	[ "$(code -H "$good" "$url/meta-data/instance-id")" = 200 ]
	[ "$(code -H "$good" "$url/meta-data/nope")" = 404 ]
	[ "$(code -H "$good" "$url/meta-data/instance-id%00")" = 400 ]
	[ "$(code -H "$good" "$SERVICE_URL/2017-01-01/meta-data/")" = 404 ]
	[ "$(code -H "$good" "$SERVICE_URL/latestmeta-data/")" = 404 ]
	[ "$(code -H "$good" "$url/../control/../latest/meta-data/" --path-as-is)" = 404 ]
	for method in PUT POST DELETE PATCH BREW; do
		[ "$(code -X $method -H "$good" "$url/meta-data/instance-id")" = 405 ]
	done
	for method in GET POST DELETE; do
		[ "$(code -X $method -H "$TTL_HEADER: 60" "$url/api/token")" = 405 ]
	done
	[ "$(code -I -H "$good" "$url/meta-data/instance-id")" = 200 ]
}

@test "a token needs a time to live from 1 to 21600, and no proxy on the way" {
	start_service
	local url=$SERVICE_URL/latest/api/token
	[ "$(code -X PUT "$url")" = 400 ]
	for ttl in 0 -1 21601 99999999999999999999 1.5 x ''; do
		[ "$(code -X PUT -H "$TTL_HEADER: $ttl" "$url")" = 400 ]
	done
	for ttl in 1 60 21600; do
		[ "$(code -X PUT -H "$TTL_HEADER: $ttl" "$url")" = 200 ]
	done
	[ "$(code -X PUT -H "$TTL_HEADER: 60" -H 'X-Forwarded-For: 10.0.0.1' "$url")" = 403 ]
	curl -s -i -X PUT -H "$TTL_HEADER: 77" "$url" | grep -qi "^$TTL_HEADER: 77"
	new_token
	[ "$(code -H "$TOKEN_HEADER: $TOKEN" -H 'X-Forwarded-For: 10.0.0.1' \
		"$SERVICE_URL/latest/meta-data/")" = 200 ]
}

@test "a token ends when its time is over" {
	start_service
	new_token 1
	[ "$(ask meta-data/instance-id)" = i-0123456789abcdef0 ]
	is_over() { [ "$(code -H "$TOKEN_HEADER: $TOKEN" "$SERVICE_URL/latest/meta-data/")" = 401 ]; }
	within 10 is_over
}

@test "folders are lists, with and without the slash" {
	start_service
	new_token
	[ "$(ask meta-data/placement/)" = $'availability-zone\nregion' ]
	[ "$(ask meta-data/placement)" = $'availability-zone\nregion' ]
	ask meta-data/ | grep -qx 'placement/'
	[ "$(ask '')" = $'dynamic\nmeta-data' ]
}

@test "several slashes are one, and one after an item is passed over" {
	start_service
	new_token
	local good="$TOKEN_HEADER: $TOKEN"
	[ "$(curl -s -H "$good" "$SERVICE_URL//latest///meta-data//instance-id/")" = i-0123456789abcdef0 ]
	[ "$(curl -s -H "$good" "$SERVICE_URL/2021-03-23/meta-data/public-keys/")" = 0=my-key-pair ]
	curl -s -H "$good" "$SERVICE_URL/" | grep -qx latest
	curl -s "$SERVICE_URL//control/items//hibernation/configured" | grep -qx true
}

@test "--tokens optional answers IMDSv1, too" {
	start_service --tokens optional
	[ "$(curl -s "$SERVICE_URL/latest/meta-data/instance-id")" = i-0123456789abcdef0 ]
	[ "$(code -H "$TOKEN_HEADER: wrong" "$SERVICE_URL/latest/meta-data/")" = 401 ]
	get instance-id
	[ "$output" = i-0123456789abcdef0 ]
}

@test "who asks nothing keeps nobody out" {
	(( $(ulimit -n) > 700 )) || ulimit -n 700 || skip "no 700 descriptors"
	start_service
	local port=${SERVICE_URL##*:}
	local -a idle=()
	for ((i = 0; i < 600; i++)); do
		exec {fd}<>"/dev/tcp/127.0.0.1/$port"
		# Half of them begin a request that they do not end.
		((i % 2)) || printf 'GET /latest/' >&"$fd"
		idle+=("$fd")
	done
	get instance-id
	[ "$output" = i-0123456789abcdef0 ]
	for fd in "${idle[@]}"; do
		exec {fd}>&-
	done
}

# ---- Data ----------------------------------------------------------------------------------------

@test "flags say what the instance is, also in the identity document" {
	start_service --instance-id i-1 --instance-type c5.xlarge --region us-west-2 \
		--set tags/instance/Name=a=b
	get --json instance-id instance-type placement/region placement/availability-zone \
		instance-life-cycle tags/instance/Name
	[ "$(jq -c 'map_values(.) | [.[]]' <<<"$output")" = \
		'["i-1","c5.xlarge","us-west-2","us-west-2a","on-demand","a=b"]' ]
	get dynamic/instance-identity/document
	[ "$(jq -c '[.instanceId, .instanceType, .region, .availabilityZone]' <<<"$output")" = \
		'["i-1","c5.xlarge","us-west-2","us-west-2a"]' ]
	stop_service
	start_service --data "${srcdir:-$top_builddir}/tests/lab/guest/imds.json" --life-cycle spot
	get instance-life-cycle
	[ "$output" = spot ]
}

@test "data that cannot be used is an error with its place" {
	local -a cases=(
		'{"meta-data/a": 1}|the value of meta-data/a is not a string'
		'{"/meta-data/a": "x"}|"/meta-data/a" is not the path of an item'
		'{"meta-data/": "x"}|"meta-data/" is not the path of an item'
		'{"api/token": "x"}|"api/token" is not below meta-data/'
		'{"hibernation/configured": "x"}|"hibernation/configured" is not below meta-data/'
		'["x"]|not an object'
		'{"a": "x",|line 1:'
		'{"a": "x", "a": "y"}|duplicate'
	)
	for case in "${cases[@]}"; do
		printf '%s' "${case%%|*}" >"$BATS_TEST_TMPDIR/data"
		run timeout 20 "$EC2HIB" imds serve --listen 127.0.0.1:0 --data "$BATS_TEST_TMPDIR/data"
		echo "$case: $status: $output"
		[ "$status" -eq 2 ]
		[[ "$output" == *"$BATS_TEST_TMPDIR/data"*"${case#*|}"* ]]
	done
}

@test "wrong flags are usage errors that say what is wrong" {
	local -a cases=(
		'--listen 127.0.0.1|is not ADDRESS:PORT'
		'--listen localhost:0|is not ADDRESS:PORT'
		'--listen ::1:0|is not ADDRESS:PORT'
		'--listen 127.0.0.1:99999999|is not ADDRESS:PORT'
		'--listen :0|is not ADDRESS:PORT'
		'--data /no/such|cannot read /no/such'
		'--set x|--set: "x" is not PATH=VALUE'
		'--set placement/=y|"meta-data/placement/" is not the path of an item'
		'--tokens maybe|--tokens: "maybe" is not one of required, optional'
		'--life-cycle hourly|--life-cycle: "hourly" is not one of on-demand, spot'
		'--spot reboot|--spot: "reboot" is not one of hibernate, stop, terminate'
		'--maintenance tea|--maintenance: "tea" is not one of instance-reboot, '
		'--after 10s|--after needs --spot, --rebalance, --maintenance or --lifecycle-state before it'
		'--spot stop --after soon|--after: "soon" is not a length of time (examples: 200ms, 10s, 5min)'
		'--spot stop --clear-after -1s|--clear-after: "-1s" is not a length of time'
		'--fault tea|"tea" is not a fault'
		'--fault latency|expected latency=TIME'
		'--fault error=101%|expected error=PERCENT'
		'--fault status=99|expected status=STATUS'
		'--fault token-loss=x|expected token-loss=N'
		'--fault =|is not a fault'
		'--fault body|expected body=TEXT'
		'--fault length=-|expected length=[-]N'
		'--control control|is not a control path'
		'--control /latest/control|the control path cannot be /latest/control'
		'extra|imds serve takes no operand: "extra"'
	)
	for case in "${cases[@]}"; do
		# shellcheck disable=SC2086
		run timeout 20 "$EC2HIB" imds serve ${case%%|*} </dev/null
		echo "$case: $status: $output"
		[ "$status" -eq 2 ]
		[[ "$output" == *"${case#*|}"* ]]
	done
}

# ---- Scenarios -----------------------------------------------------------------------------------

@test "a Spot notice comes after its time and goes again" {
	local before after
	before=$(date +%s%N)
	start_service --spot hibernate --after 300ms --clear-after 3s
	new_token
	within 30 has_notice
	after=$(date +%s%N)
	[ $(((after - before) / 1000000)) -ge 300 ]
	jq -e '.action == "hibernate" and (.time | fromdate - now | fabs < 60)' "$BATS_TEST_TMPDIR/notice"
	within 30 has_no_notice
	get instance-life-cycle
	[ "$output" = spot ]
}

@test "each event can come by itself, with times of its own" {
	start_service --spot terminate --rebalance --after 100ms --maintenance system-reboot \
		--lifecycle-state Terminated --after 1h
	new_token
	ask meta-data/spot/instance-action |
		jq -e '.action == "terminate" and (.time | fromdate - now | . > 100 and . < 130)'
	ask meta-data/events/maintenance/scheduled | jq -e '.[0].Code == "system-reboot"'
	within 10 ask meta-data/events/recommendations/rebalance -f | tail -n 1 |
		jq -e '.noticeTime | fromdate'
	[ "$(code -H "$TOKEN_HEADER: $TOKEN" \
		"$SERVICE_URL/latest/meta-data/autoscaling/target-lifecycle-state")" = 404 ]
}

# ---- The control path ----------------------------------------------------------------------------

@test "the control path sets and clears every event" {
	start_service
	new_token
	control PUT spot stop
	ask meta-data/spot/instance-action | jq -e '.action == "stop"'
	control PUT spot '{"action": "hibernate", "time": "2017-09-18T08:22:00Z"}'
	[ "$(ask meta-data/spot/instance-action | jq -c .)" = \
		'{"action":"hibernate","time":"2017-09-18T08:22:00Z"}' ]
	control DELETE spot
	has_no_notice
	control PUT spot '{"action": "hibernate", "after": 0.1, "clear-after": "300ms"}'
	has_no_notice
	within 10 has_notice
	within 10 has_no_notice
	control PUT rebalance ''
	ask meta-data/events/recommendations/rebalance | jq -e .noticeTime
	control DELETE rebalance
	control PUT maintenance '{"value": "instance-stop", "after": "0"}'
	ask meta-data/events/maintenance/scheduled | jq -e '.[0].Code == "instance-stop"'
	control DELETE maintenance
	[ "$(ask meta-data/events/maintenance/scheduled)" = '[]' ]
	control PUT lifecycle Terminated
	[ "$(ask meta-data/autoscaling/target-lifecycle-state)" = Terminated ]
}

@test "the control path changes any item" {
	start_service
	new_token
	control PUT items/meta-data/spot/instance-action 'no JSON at all'
	[ "$(ask meta-data/spot/instance-action)" = 'no JSON at all' ]
	control DELETE items/meta-data/spot/instance-action
	has_no_notice
	[ "$(control GET items/meta-data/instance-id)" = i-0123456789abcdef0 ]
}

@test "the control path refuses what it does not know" {
	start_service
	local url=$SERVICE_URL/control
	[ "$(code "$url/tea")" = 404 ]
	[ "$(code "$url/")" = 404 ]
	[ "$(code -X POST -d x "$url/items/a")" = 405 ]
	[ "$(code -X BREW "$url/spot")" = 405 ]
	[ "$(code -X PUT -d reboot "$url/spot")" = 400 ]
	grep -q '"reboot" is not a Spot notice' "$BATS_TEST_TMPDIR/body"
	[ "$(code -X PUT -d '{"action": "stop", "after": "tea"}' "$url/spot")" = 400 ]
	[ "$(code -X PUT -d '{' "$url/spot")" = 400 ]
	[ "$(code -X PUT -d x "$url/items/")" = 400 ]
	[ "$(code -X PUT -d tea "$url/faults")" = 400 ]
	[ "$(code "$url/wait/tea/1")" = 400 ]
}

@test "the control path can be elsewhere, or nowhere" {
	start_service --control /test/rig/
	[ "$(code "$SERVICE_URL/test/rig/counters")" = 200 ]
	[ "$(code "$SERVICE_URL/control/counters")" = 404 ]
	stop_service
	start_service --control none
	[ "$(code "$SERVICE_URL/control/counters")" = 404 ]
}

@test "it counts, and knows when a notice was first served" {
	start_service
	new_token
	ask meta-data/instance-id
	ask meta-data/spot/instance-action
	control GET counters >"$BATS_TEST_TMPDIR/1"
	jq -e '[.requests, .tokens, .polls, .notices] == [3, 1, 1, 0] and ."notice-served-ns" == null' \
		"$BATS_TEST_TMPDIR/1"
	control PUT spot hibernate
	ask meta-data/spot/instance-action
	ask meta-data/spot/instance-action
	control GET counters | jq -e --slurpfile before "$BATS_TEST_TMPDIR/1" '.notices == 2 and
		$before[0]."now-ns" < ."notice-set-ns" and ."notice-set-ns" < ."notice-served-ns" and
		."notice-served-ns" < ."now-ns"'
	control DELETE counters
	control GET counters | jq -e '.requests == 0 and ."notice-served-ns" == null'
}

@test "a test can wait for a counter" {
	start_service
	new_token
	control GET wait/polls/2/20s >"$BATS_TEST_TMPDIR/waited" &
	local waiter=$!
	ask meta-data/spot/instance-action
	kill -0 $waiter
	ask meta-data/spot/instance-action
	wait $waiter
	jq -e '.polls == 2' "$BATS_TEST_TMPDIR/waited"
	[ "$(code "$SERVICE_URL/control/wait/polls/3/50ms")" = 408 ]
}

# ---- Faults ----------------------------------------------------------------------------------------

@test "every fault is what its name says, on the wire" {
	start_service
	new_token
	local -a cases=(
		# fault|HTTP status|curl's exit status
		'error|503|0'
		'status=418|418|0'
		'hang|000|28'
		'close|000|52'
		'reset|000|56'
		'cut|200|18'
		'cut-header|200|0'
		'header-flood|200|28'
		'not-http|000|1'
		'length=10|200|28'
		'length=-3|200|0'
		'trickle=1ms|200|0'
		'trickle=1h|000|28'
		'redirect=http://x/|302|0'
		'body=x|200|0'
		'error-first=1|503|0'
		'error-first=0|200|0'
		'error-after=1|200|0'
		'error-after=0|503|0'
		'garbage|200|0'
		'huge|200|0'
		'token:error|200|0'
		'items:error|503|0'
		'meta-data/instance-id:error|503|0'
		'meta-data/:error|503|0'
		'meta-data/other:error|200|0'
		'error=0%|200|0'
	)
	for case in "${cases[@]}"; do
		IFS='|' read -r fault http exit <<<"$case"
		control PUT faults "$fault"
		[ "$(control GET faults)" = "$(jq -n --arg fault "$fault" '[$fault]')" ]
		run ask meta-data/instance-id -m 2 -o "$BATS_TEST_TMPDIR/body" -w '%{http_code}'
		echo "$case: $status: $output"
		[ "$output" = "$http" ]
		[ "$status" -eq "$exit" ]
	done
	control PUT faults garbage
	ask meta-data/instance-id -o "$BATS_TEST_TMPDIR/body"
	grep -qaP '\x00' "$BATS_TEST_TMPDIR/body"
	control PUT faults trickle=1ms
	[ "$(ask meta-data/instance-id)" = i-0123456789abcdef0 ]
	control PUT faults length=-3
	[ "$(ask meta-data/instance-id)" = i-0123456789abcd ]
	control PUT faults 'redirect=http://192.0.2.1/x'
	ask meta-data/instance-id -i | grep -qi '^location: http://192.0.2.1/x'
	control PUT faults huge
	[ "$(ask meta-data/instance-id | wc -c)" = $((64 * 1024 * 1024)) ]
	control DELETE faults
	[ "$(ask meta-data/instance-id)" = i-0123456789abcdef0 ]
}

@test "latency is added, to each request by itself" {
	start_service --fault items:latency=300ms
	new_token
	local start=${EPOCHREALTIME/./} took
	for _ in 1 2 3 4 5 6 7 8; do ask meta-data/instance-id >/dev/null & done
	wait $(jobs -p | grep -vx "$SERVICE_PID")
	took=$((${EPOCHREALTIME/./} - start))
	echo "$took us"
	[ "$took" -ge 300000 ]
	[ "$took" -lt 2000000 ]
}

@test "a share of the requests meets a fault, the same in every run" {
	local first=
	for _ in 1 2; do
		start_service --fault items:error=30%
		new_token
		seen=$(for _ in $(seq 50); do ask meta-data/instance-id -o /dev/null -w '%{http_code} '; done)
		echo "$seen"
		[ "$(counter faults)" -gt 5 ]
		[ "$(counter faults)" -lt 30 ]
		[ "$(grep -o 503 <<<"$seen" | wc -l)" = "$(counter faults)" ]
		[ -z "$first" ] || [ "$seen" = "$first" ]
		first=$seen
		stop_service
	done
}

@test "tokens get lost: after N requests, or all at once" {
	start_service --fault token-loss=2
	new_token
	for want in 200 200 401; do
		[ "$(code -H "$TOKEN_HEADER: $TOKEN" "$SERVICE_URL/latest/meta-data/")" = $want ]
	done
	get --all
	[ "$status" -eq 0 ]
	[ "$(counter tokens)" -gt 5 ]
	control DELETE faults
	new_token
	control DELETE tokens
	[ "$(code -H "$TOKEN_HEADER: $TOKEN" "$SERVICE_URL/latest/meta-data/")" = 401 ]
	control PUT faults token-ttl=77
	curl -s -i -X PUT -H "$TTL_HEADER: 60" "$SERVICE_URL/latest/api/token" | grep -qi "^$TTL_HEADER: 77"
	control PUT faults token-optional
	[ "$(code "$SERVICE_URL/latest/meta-data/")" = 200 ]
	[ "$(code -H "$TOKEN_HEADER: wrong" "$SERVICE_URL/latest/meta-data/")" = 401 ]
}

@test "get says what it met" {
	start_service
	local -a cases=(
		'error|3|HTTP status 503'
		'status=403|3|refuses a token (HTTP status 403)'
		'token:hang|3|gave no token within'
		'items:hang|3|did not answer within'
		'items:close|3|cut off'
		'items:reset|3|cut off'
		'items:cut|3|cut off'
		'items:cut-header|3|cut off'
		'items:header-flood|3|too many headers'
		'items:not-http|3|not an HTTP answer'
		'items:length=10|3|did not answer within'
		'items:trickle=1h|3|did not answer within'
		'items:garbage|3|not text'
		'items:huge|3|too many bytes'
		'items:status=302|3|redirect'
		'items:status=404|1|not there now'
	)
	for case in "${cases[@]}"; do
		IFS='|' read -r fault exit text <<<"$case"
		control PUT faults "$fault"
		get instance-id
		[ "$status" -eq "$exit" ]
		[[ "$stderr" == *"$text"* ]]
		[ -z "$output" ]
	done
}

@test "a notice that was not served whole does not count as served" {
	start_service --spot hibernate
	new_token
	for fault in error hang close reset cut cut-header garbage huge header-flood not-http length=1 body=x; do
		control PUT faults "items:$fault"
		ask meta-data/spot/instance-action -m 0.5 -o /dev/null || true
	done
	[ "$(counter notices)" = 0 ]
	[ "$(counter polls)" = 12 ]
}

# ---- Its life ----------------------------------------------------------------------------------------

cpu_ticks() { awk '{ print $14 + $15 }' "/proc/$SERVICE_PID/stat"; }
descriptors() { find "/proc/$SERVICE_PID/fd" -mindepth 1 | wc -l; }

@test "requests that hang cost no time, and go when their client goes" {
	start_service --fault items:hang
	new_token
	local waiters=() ticks
	for _ in $(seq 20); do
		ask meta-data/instance-id -o /dev/null &
		waiters+=($!)
	done
	control GET wait/requests/21
	ticks=$(cpu_ticks)
	control GET wait/requests/1000/1s || true
	[ $(($(cpu_ticks) - ticks)) -le 2 ]
	[ "$(descriptors)" -ge 20 ]
	kill "${waiters[@]}"
	all_gone() { [ "$(descriptors)" -lt 20 ]; }
	within 10 all_gone
}

@test "SIGTERM and SIGINT end it cleanly, whatever is under way" {
	for signal in TERM INT; do
		start_service --fault items:hang
		new_token
		ask meta-data/instance-id -o /dev/null &
		control GET wait/requests/2
		kill -$signal "$SERVICE_PID"
		wait "$SERVICE_PID"
		[ ! -d "/proc/$SERVICE_PID" ]
		SERVICE_PID=
	done
}

@test "a port that is taken is an error that says so" {
	start_service
	run timeout 20 "$EC2HIB" imds serve --listen "${SERVICE_URL#http://}"
	[ "$status" -eq 1 ]
	[[ "$output" == *"cannot listen on ${SERVICE_URL#http://}: Address already in use; port 0"* ]]
	run timeout 20 "$EC2HIB" imds serve --listen 192.0.2.1:0
	[ "$status" -eq 1 ]
	[[ "$output" == *"Cannot assign requested address"*"ip addr add"* ]]
}

@test "it warns where others could reach it" {
	start_service --listen 0.0.0.0:0
	grep -q 'warning: 0.0.0.0:[0-9]* is not an address of this machine alone' "$SERVICE_ERRORS"
	stop_service
	start_service --listen 127.0.0.1:0
	[ ! -s "$SERVICE_ERRORS" ]
}

@test "it serves on IPv6" {
	[ -e /proc/net/if_inet6 ] && grep -q ' lo$' /proc/net/if_inet6 || skip "no IPv6 here"
	start_service --listen '[::1]:0'
	[[ "$SERVICE_URL" == 'http://[::1]:'* ]]
	get instance-id
	[ "$output" = i-0123456789abcdef0 ]
	[ "$(code "$SERVICE_URL/control/counters")" = 200 ]
}

@test "-v shows each request" {
	start_service -v
	get instance-id
	within 10 grep -qx 'GET /latest/meta-data/instance-id 200' "$SERVICE_OUTPUT"
	grep -qx 'PUT /latest/api/token 200' "$SERVICE_OUTPUT"
	# Of a path only what a terminal may have, and no line of the client's own.
	curl -s -o /dev/null "$SERVICE_URL/a%1b%5b31mred%0aGET%20/forged"
	within 10 grep -qx 'GET /a?\[31mred?GET /forged 404' "$SERVICE_OUTPUT"
}
