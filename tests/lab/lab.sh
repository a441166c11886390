# shellcheck shell=bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# The lab: a throwaway virtual machine that looks like an EC2 instance, in which
# ec2hib is put to work on a real kernel that really hibernates.
#
#   build.sh    the kernel, the instance's files, its volumes
#   machine.sh  power, the serial line, steps in the guest, expectations
#
# Settings, all from the environment:
#   EC2HIB       the program under test        (the top folder's ec2hib)
#   LAB_CACHE    where everything lives         (the top folder's lab-cache); an empty folder
#                with the packages of another kernel in it (linux-*.deb) tries that one
#   LAB_KERNEL   a suite of Debian whose newest cloud kernel is tried: trixie, sid, bookworm-backports
#                (the one of this machine's release)
#   LAB_DEBIAN_MIRROR  where Debian is
#   LAB_ACCEL    kvm to use KVM; emulation otherwise, which works anywhere
#   LAB_GENERIC  the kernel package of machines that want one with pm_test (linux-image-amd64)
#   LAB_MEMORY   the instance's memory, MiB     (256)
#   LAB_TIMEOUT  seconds that one start of the machine may last (300)
#   LAB_HIBERNATE  the command that hibernates the guest
#   LAB_POWER_OFF  the command that shuts it down

set -euo pipefail

LAB=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TOP=$(cd "$LAB/../.." && pwd)

: "${EC2HIB:=$TOP/ec2hib}"
: "${LAB_CACHE:=$TOP/lab-cache}"
: "${LAB_KERNEL:=}"
: "${LAB_DEBIAN_MIRROR:=http://deb.debian.org/debian}"
: "${LAB_ACCEL:=tcg}"
: "${LAB_GENERIC:=linux-image-amd64}"
: "${LAB_MEMORY:=256}"
: "${LAB_TIMEOUT:=300}"
: "${LAB_HIBERNATE:=echo shutdown >/sys/power/disk; echo disk >/sys/power/state}"
: "${LAB_POWER_OFF:=sync; poweroff -f}"

# Administrators' programs are outside a plain user's path on Debian.
PATH=$PATH:/usr/sbin:/sbin

# fail TEXT: ends the scenario.
fail() {
	printf 'LAB: failed: %s\n' "$*" | tee -a "${LOG:-/dev/null}" >&2
	exit 1
}

# shellcheck source-path=SCRIPTDIR source=build.sh
. "$LAB/build.sh"
# shellcheck source-path=SCRIPTDIR source=machine.sh
. "$LAB/machine.sh"

# Makes what every machine of a run starts from. One run at a time in one LAB_CACHE.
lab_prepare() {
	mkdir -p "$LAB_CACHE"
	exec {LAB_LOCK}>"$LAB_CACHE/lock"
	if ! flock --nonblock "$LAB_LOCK"; then
		echo "# waiting for another run in $LAB_CACHE"
		flock "$LAB_LOCK"
	fi
	lab_check_host
	lab_kernel
	lab_base
}
