# SPDX-License-Identifier: GPL-3.0-or-later
# Setup and teardown on an image, with a fault at one system call of the program: it is killed there,
# or the call fails. After each fault no file may be lost or cut, and the next run has to end where an
# undisturbed one does. One fault is a point: "CALL N ERROR", and ERROR is KILL for a kill.
#
# After load machine. What is found wrong goes through violation(), which the caller defines; the next
# point starts from a fresh machine then.

# What changes a file system, and what starts a program.
CHANGING=write,pwrite64,fsync,fdatasync,syncfs,fallocate,ftruncate,fchmod,fchown,fsetxattr
CHANGING+=,renameat,renameat2,unlinkat,mkdirat,linkat,symlinkat,clone,clone3,fork,vfork
OPENING=openat,openat2

# faulty_machine TREE: an image of that tree. It is in memory: fsync(2) costs nothing there.
faulty_machine() {
	TREE=$1
	mkdir "$BATS_TEST_TMPDIR/memory"
	mount -t tmpfs tmpfs "$BATS_TEST_TMPDIR/memory"
	BATS_TEST_TMPDIR+=/memory
	make_machine "$1"
	PROGRAM=("$EC2HIB" --root "$IMAGE")
	learn_ends
}

# faulty_running_machine TREE: the same as a machine that runs: swap is switched on, too, and the
# kernel told. It is on a disk, see start_machine.
faulty_running_machine() {
	TREE=$1
	make_machine "$1"
	start_machine
	PROGRAM=(chroot "$IMAGE" /usr/sbin/ec2hib)
	learn_ends
}

# What the machine is like before setup, PRISTINE, and after an undisturbed one, DONE, with what
# status then says about booting, DONE_CHECKS.
learn_ends() {
	tar -C "$IMAGE" --one-file-system --exclude=./lost+found \
		-cf "$BATS_TEST_TMPDIR/pristine.tar" .
	PRISTINE=$(list_files)
	do_setup || found_wrong "setup without a fault: exit $STATUS: $SAID"
	DONE=$(list_files)
	DONE_CHECKS=$(boot_checks)
	[ "$PRISTINE" != "$DONE" ] || found_wrong "setup changes nothing"
	do_teardown || found_wrong "teardown without a fault: exit $STATUS: $SAID"
	same_as "$PRISTINE" "teardown without a fault"
}

drop_faulty_machine() {
	drop_machine
	case $BATS_TEST_TMPDIR in
	*/memory)
		umount "$BATS_TEST_TMPDIR"
		BATS_TEST_TMPDIR=${BATS_TEST_TMPDIR%/memory}
		;;
	esac
}

# found_wrong TEXT
found_wrong() {
	IS_SPOILT=yes
	violation "$1"
}

# Back to the start, whatever the last point has left.
fresh_machine() {
	[ -n "${IS_SPOILT:-}" ] || return 0
	drop_swaps
	find "$IMAGE" -mindepth 1 -maxdepth 1 ! -name lost+found \
		-exec rm -rf --one-file-system {} + 2>/dev/null || true # what is mounted stays
	tar -C "$IMAGE" -xpf "$BATS_TEST_TMPDIR/pristine.tar"
	IS_SPOILT=
}

do_setup() {
	run_program setup --yes --size 20M --no-service
}

# As teardown_machine does it: without the file whose numbers do not get shorter.
do_teardown() {
	rm -f "$IMAGE/sys/power/resume_offset"
	run_program teardown --yes
	[ ! -d "$IMAGE/sys/power" ] || echo 0 >"$IMAGE/sys/power/resume_offset"
	return "$STATUS"
}

# run_program ARGUMENT...: its exit status in STATUS, what it said in SAID. UNDER: a program that runs it.
run_program() {
	STATUS=0
	SAID=$("${UNDER[@]}" "${PROGRAM[@]}" "$@" 2>&1) || STATUS=$?
	return "$STATUS"
}
UNDER=()

# list_files: names, modes, owners, links and contents as in list_machine, a line each. The place of
# the swap file, which is a new one each time, is left out.
list_files() {
	local ours=(! -path './swap*' ! -path './var/log/*' ! -path './var/lib/ec2hib/*')
	(
		cd "$IMAGE" || exit
		find . -xdev \( -path ./lost+found -o -path './swap*' -o -path ./var/log \
			-o -path ./var/lib/ec2hib \) -prune -o -printf '%p %y %m %u %g %l\n' | sort
		find . -xdev -type f -size -65 "${ours[@]}" -exec awk -v RS='\1' '{
			gsub(/resume_offset=[0-9]+/, "resume_offset=N")
			gsub(/\n/, "\\n")
			print FILENAME ": " $0
		}' {} + | tr -d '\0' | sort
		find . -xdev -type f -size +64 "${ours[@]}" -exec sha256sum {} + | sort -k 2
	)
}

boot_checks() {
	"${PROGRAM[@]}" status --json | jq -r '.checks[] | select(.group == "boot")
		| "\(.id) \(.state)"'
}

# same_as FILES WHEN: the machine has these files, no others.
same_as() {
	NOW=$(list_files)
	now_same_as "$@"
}

now_same_as() {
	local difference
	difference=$(set -o pipefail; diff <(echo "$1") <(echo "$NOW") | cut -c 1-160) ||
		found_wrong "$2: the files are not as they should be:"$'\n'"$difference"
}

# nothing_lost WHEN: each file is as it was before setup or as it is after one, and those that are in
# both are there. Files with a name that only a run in progress gives are nobody's yet, and settings
# of ours without an effect, which teardown writes before it takes the file away, are no
# loss.
nothing_lost() {
	local wrong
	wrong=$(awk '
		FILENAME == "-" { now[$0] = 1; next }
		{ known[$0]++ }
		END {
			for (line in known)
				if (known[line] == 2 && !(line in now)) print "lost: " line
			for (line in now)
				if (!(line in known) && line !~ /ec2hib-new|Being taken away/) print "found: " line
		}' <(echo "$PRISTINE") <(echo "$DONE") - <<<"$NOW" | cut -c 1-160)
	[ -z "$wrong" ] || found_wrong "$1:"$'\n'"$wrong"
}

# all_points SET ERROR...: those of an undisturbed setup and teardown: "setup CALL N ERROR". The start
# of the program itself (libraries, locale) and what it prints are none.
all_points() {
	points_of setup "$@"
	points_of teardown "$@"
	same_as "$PRISTINE" "teardown under strace"
}

points_of() {
	local what=$1 set=$2 trace=$BATS_TEST_TMPDIR/trace
	shift 2
	UNDER=(strace -qq -o "$trace" -e "trace=$set" -e signal=none)
	"do_$what" || found_wrong "$what under strace: exit $STATUS: $SAID"
	UNDER=()
	awk -v what="$what" -v errors="$*" '
		{ call = $0; sub(/\(.*/, "", call); n[call]++ }
		/^openat\(AT_FDCWD, "\/(etc\/ld\.so|lib|usr\/lib|usr\/share\/locale|proc\/filesystems)/ { next }
		/^write\([12],/ { next }
		{
			count = split(errors, error, " ")
			for (i = 1; i <= count; i++) print what, call, n[call], error[i]
		}' "$trace"
}

# with_fault setup|teardown CALL N ERROR: a run with that fault. What it leaves is in NOW.
with_fault() {
	local how=error=$4
	[ "$4" != KILL ] || how=signal=KILL
	UNDER=(strace -qq -o /dev/null -e "trace=$2" -e signal=none -e "inject=$2:$how:when=$3")
	"do_$1" || true
	UNDER=()
	NOW=$(list_files)
}

# The two ends that every point starts from and has to come back to.
get_pristine() {
	do_teardown || found_wrong "$1: teardown after it: exit $STATUS: $SAID"
	same_as "$PRISTINE" "$1, then teardown"
}

get_done() {
	do_setup || found_wrong "$1: setup after it: exit $STATUS: $SAID"
	same_as "$DONE" "$1, then setup"
	[ "$(boot_checks)" = "$DONE_CHECKS" ] || found_wrong "$1, then setup: status is another"
	do_setup || found_wrong "$1: a second setup after it: exit $STATUS: $SAID"
	[[ "$SAID" == *"Nothing to do"* ]] ||
		found_wrong "$1: a second setup still has something to do: $SAID"
}

# try_point setup|teardown CALL N ERROR: that fault, then on to where it was going, and back. The
# machine is pristine before and after it.
try_point() {
	local end=$DONE
	fresh_machine
	if [ "$1" = teardown ]; then
		end=$PRISTINE
		do_setup || found_wrong "setup before $*: exit $STATUS: $SAID"
	fi
	with_fault "$@"
	judge "$*" "$end"
	nothing_lost "$*"
	[ "$NOW" != "$PRISTINE" ] || return 0
	[ "$1" = teardown ] || get_done "$*"
	get_pristine "$*"
}

# try_turning_back setup|teardown CALL N ERROR: the same, but a broken setup is torn down, and a broken
# teardown set up.
try_turning_back() {
	fresh_machine
	[ "$1" = setup ] || do_setup || found_wrong "setup before $*: exit $STATUS: $SAID"
	with_fault "$@"
	[ "$1" = setup ] || get_done "$*"
	get_pristine "$*"
}

# judge WHEN END: a run that says all is well has done all, or warned of the rest; one that failed says
# why; none crashes.
judge() {
	case $STATUS in
	0)
		[[ "$SAID" == *[Ww]arning* || "$SAID" == *note:*cannot* ]] ||
			now_same_as "$2" "$1: exit 0"
		;;
	137) [[ "$1" == *KILL ]] || found_wrong "$1: killed: $SAID" ;;
	[123]) [[ "$SAID" == *"ec2hib: "* ]] || found_wrong "$1: exit $STATUS without a word: $SAID" ;;
	*) found_wrong "$1: exit $STATUS: $SAID" ;;
	esac
}
