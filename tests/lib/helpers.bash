# SPDX-License-Identifier: GPL-3.0-or-later
# What the tests of the shipped binary share.

: "${top_builddir:=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)}"
: "${EC2HIB:=$top_builddir/ec2hib}"
EC2HIB=$(readlink -f "$EC2HIB")

# No test asks a metadata service unless it says so.
export AWS_EC2_METADATA_DISABLED=true LC_ALL=C.UTF-8
unset NO_COLOR

need_root() {
	[ "$(id -u)" -eq 0 ] || skip "needs root"
}

# put_libraries_of IMAGE PROGRAM: copies what it is linked with into an image.
put_libraries_of() {
	local file
	for file in $(ldd "$2" 2>/dev/null | grep -o '/[^ )]*'); do
		mkdir -p "$1/$(dirname "$file")"
		cp -L "$file" "$1/$file"
	done
}

# put_program IMAGE PROGRAM...: copies programs with their libraries into an image.
put_program() {
	local image=$1 program
	shift
	for program in "$@"; do
		program=$(command -v "$program")
		mkdir -p "$image/$(dirname "$program")"
		cp -L "$program" "$image/$program"
		put_libraries_of "$image" "$program"
	done
}

# make_image TYPE SIZE [UUID]: $IMAGE becomes a mounted file system with mkswap in it.
make_image() {
	local type=$1 size=$2
	IMAGE=$BATS_TEST_TMPDIR/image
	mkdir -p "$IMAGE"
	truncate -s "$size" "$BATS_TEST_TMPDIR/disk"
	case $type in
	ext4) mkfs.ext4 -q -F ${3:+-U "$3"} "$BATS_TEST_TMPDIR/disk" ;;
	*) "mkfs.$type" -q -f "$BATS_TEST_TMPDIR/disk" ;;
	esac
	mount -o loop "$BATS_TEST_TMPDIR/disk" "$IMAGE" || skip "cannot mount $type here"
	chmod 755 "$IMAGE"
	mkdir -p "$IMAGE/etc"
	put_program "$IMAGE" mkswap
}

# What a failed test has mounted or switched on below it goes first.
drop_image() {
	if [ -n "${IMAGE:-}" ] && mountpoint -q "$IMAGE"; then
		awk -v image="$IMAGE/" 'index($1, image) == 1 { print $1 }' /proc/swaps |
			xargs -r -n 1 swapoff
		umount --recursive "$IMAGE"
	fi
}

# fact FILTER: a fact of $IMAGE, by a jq path below .facts.
fact() {
	"$EC2HIB" --root "$IMAGE" status --json | jq -r ".facts.$1"
}

# state CHECK: what one check says about $IMAGE.
state() {
	"$EC2HIB" --root "$IMAGE" status --json "$1" | jq -r '.checks[0].state'
}

# setup_image OPTION...: applies a plan to $IMAGE.
setup_image() {
	"$EC2HIB" --root "$IMAGE" setup --yes "$@"
}

# list_image: all that is in $IMAGE, with mode, owner, size and content.
list_image() {
	(cd "$IMAGE" && find . -xdev \( -path ./lost+found -o -path './swap*' \) -prune -o \
		-printf '%p %y %m %u %g %l\n' | sort &&
		find . -xdev -type f ! -path './swap*' -exec sha256sum {} + | sort -k 2)
}

# need_service: skips where this build has no simulated metadata service.
need_service() {
	[[ "$("$EC2HIB" imds serve --listen none 2>&1)" != *"built without libmicrohttpd"* ]] ||
		skip "built without libmicrohttpd"
}

# start_service OPTION...: ec2hib imds serve on a free port; SERVICE_URL, SERVICE_PID, and the
# files of what it says, SERVICE_OUTPUT and SERVICE_ERRORS.
start_service() {
	SERVICE_OUTPUT=$BATS_TEST_TMPDIR/service.out SERVICE_ERRORS=$BATS_TEST_TMPDIR/service.err
	: >"$SERVICE_OUTPUT"
	# SERVICE_PLACE: another address.
	"$EC2HIB" imds serve --listen "${SERVICE_PLACE:-127.0.0.1:0}" "$@" >"$SERVICE_OUTPUT" 2>"$SERVICE_ERRORS" 3>&- &
	SERVICE_PID=$!
	local end=$((SECONDS + 20))
	until grep -q '^listening on' "$SERVICE_OUTPUT"; do
		if ((SECONDS >= end)) || ! kill -0 "$SERVICE_PID"; then
			cat "$SERVICE_ERRORS"
			return 1
		fi
		sleep 0.01
	done
	SERVICE_URL=http://$(sed -n 's/^listening on //p' "$SERVICE_OUTPUT")
}

stop_service() {
	[ -n "${SERVICE_PID:-}" ] || return 0
	kill "$SERVICE_PID" && wait "$SERVICE_PID"
	SERVICE_PID=
}

# control METHOD PATH [BODY]: the control path of the simulated service.
control() {
	curl -s -m 70 -f -X "$1" ${3+--data-binary "$3"} "$SERVICE_URL/control/$2"
}

# counter NAME: what it has counted.
counter() {
	control GET counters | jq ".[\"$1\"]"
}

# within SECONDS COMMAND...: as soon as it succeeds; a failure when it never does.
within() {
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		((SECONDS < end)) || return 1
		sleep 0.02
	done
}
