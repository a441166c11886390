# shellcheck shell=bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# What the lab's instance is made of: a Debian cloud kernel, a folder of files, and
# volumes made from that folder. Nothing is mounted or installed, so a plain user can
# build it.

# What the lab runs or copies: how to tell that it is there, Debian's package, the RPM
# package.
LAB_NEEDS="
	qemu-system-x86_64	qemu-system-x86		qemu-system-x86-core
	busybox			busybox-static		busybox
	dpkg-deb		dpkg			dpkg
	dash			dash			dash
	ldd			libc-bin		glibc-common
	debugfs			e2fsprogs		e2fsprogs
	mkfs.ext4		e2fsprogs		e2fsprogs
	filefrag		e2fsprogs		e2fsprogs
	sfdisk			fdisk			util-linux
	cmp			diffutils		diffutils
	dmsetup			dmsetup			device-mapper
	mkswap			util-linux		util-linux
	setpriv			util-linux		util-linux
	swapon			mount			util-linux
	mkfs.xfs		xfsprogs		xfsprogs
	mkfs.btrfs		btrfs-progs		btrfs-progs
	grub-mkimage		grub-common		grub2-tools
	update-grub		grub2-common		grub2-tools
	file:/usr/lib/grub/i386-pc/boot.img	grub-pc-bin	grub2-pc-modules
"

# missing_packages NEEDS COLUMN: of a table like LAB_NEEDS, the packages (in column 2 or
# 3) of what is not there, in one line.
missing_packages() {
	local probe deb rpm
	while read -r probe deb rpm; do
		[[ -z $probe ]] || is_there "$probe" || echo "$deb $rpm"
	done <<<"$1" | cut -d' ' -f$(($2 - 1)) | sort -u | paste -sd' '
}

# all_packages NEEDS COLUMN: the same, whether they are there or not.
all_packages() {
	local probe deb rpm
	while read -r probe deb rpm; do
		[[ -z $probe ]] || echo "$deb $rpm"
	done <<<"$1" | cut -d' ' -f$(($2 - 1)) | sort -u | paste -sd' '
}

is_there() {
	case $1 in
	library:*) pkg-config --exists "${1#*:}" 2>/dev/null ;;
	header:*) printf '#include <%s>\n' "${1#*:}" | cc -E - >/dev/null 2>&1 ;;
	file:*) [[ -e ${1#*:} ]] ;;
	*) command -v "$1" >/dev/null ;;
	esac
}

lab_check_host() {
	local missing
	[[ $(uname -m) == x86_64 ]] || fail "the lab needs an x86-64 machine, this is $(uname -m)"
	missing=$(missing_packages "$LAB_NEEDS" 2)
	[[ -z $missing ]] || fail "missing on this machine: $missing
  Debian, Ubuntu: apt-get install --no-install-recommends $missing
  RPM systems:    $(missing_packages "$LAB_NEEDS" 3)"
	busybox --list | grep -x depmod >/dev/null ||
		fail "this busybox has no depmod applet: install busybox-static"
}

# The kernel -----------------------------------------------------------------------

# Kernel modules that the instance has; what they depend on follows.
LAB_MODULES="qemu_fw_cfg evdev xfs btrfs dm-mod dm-flakey loop null_blk zram lzo-rle pm-notifier-error-inject"

# Sets KERNEL (its folder) and KERNEL_VERSION: the newest cloud kernel, fetched once.
lab_kernel() {
	KERNEL_CACHE=$LAB_CACHE
	LAB_APT=()
	if [[ -n $LAB_KERNEL ]]; then
		KERNEL_CACHE=$LAB_CACHE/$LAB_KERNEL
		apt_of_suite "$LAB_KERNEL" "$KERNEL_CACHE/apt"
	fi
	kernel_tree linux-image-cloud-amd64 "$KERNEL_CACHE"
	KERNEL=$KERNEL_CACHE/kernel
	KERNEL_VERSION=$(ls "$KERNEL/lib/modules")
}

# kernel_tree NAME FOLDER: FOLDER/kernel has the kernel that the package NAME depends on, from the
# packages in FOLDER; without any they are fetched.
kernel_tree() {
	local folder=$2
	[[ ! -e $folder/kernel/complete ]] || return 0
	mkdir -p "$folder"
	compgen -G "$folder/linux-*.deb" >/dev/null || fetch_kernel "$1" "$folder"
	unpack_kernel "$folder/kernel" "$folder"/linux-*.deb
	touch "$folder/kernel/complete"
}

# unpack_kernel FOLDER PACKAGE...
unpack_kernel() {
	local folder=$1 package version file
	shift
	rm -rf "$folder"
	mkdir -p "$folder"
	for package; do
		dpkg-deb -x "$package" "$folder"
	done
	# From Debian 13 on the modules are below /usr, and packed.
	[[ -e $folder/lib ]] || ln -s usr/lib "$folder/lib"
	find "$folder/lib/modules/" -name '*.ko.xz' -exec xz -d {} +
	find "$folder/lib/modules/" -name '*.ko.zst' -exec zstd -q -d --rm {} +
	version=$(ls "$folder/lib/modules")
	busybox depmod -b "$folder" "$version"
	# From Debian 14 on it is for whoever installs the kernel to copy these to /boot.
	mkdir -p "$folder/boot"
	for file in vmlinuz config; do
		[[ -e $folder/boot/$file-$version ]] ||
			ln "$folder/lib/modules/$version/$file" "$folder/boot/$file-$version"
	done
}

# apt_of_suite SUITE FOLDER: from now on apt knows of that suite of Debian alone. What it keeps is in
# FOLDER; the machine's own lists and packages are not touched.
apt_of_suite() {
	local keys=/usr/share/keyrings/debian-archive-keyring.gpg
	mkdir -p "$2"/{lists,cache}/partial
	echo "deb [signed-by=$keys] $LAB_DEBIAN_MIRROR $1 main" >"$2/sources.list"
	LAB_APT=(-o "Dir::Etc::SourceList=$2/sources.list" -o Dir::Etc::SourceParts=/dev/null
		-o "Dir::State::Lists=$2/lists" -o Dir::State::Status=/dev/null
		-o "Dir::Cache=$2/cache")
}

# fetch_kernel NAME FOLDER: the packages with the kernel that NAME depends on, into FOLDER.
fetch_kernel() {
	local packages
	command -v apt-get >/dev/null ||
		fail "no apt-get to fetch a kernel with: put Debian's packages of the kernel that
  $1 depends on into $2"
	packages=$(kernel_packages "$1")
	if [[ -z $packages ]] && [[ -n $LAB_KERNEL || $(id -u) == 0 ]]; then
		apt-get "${LAB_APT[@]}" -o APT::Sandbox::User="$(id -un)" update -qq ||
			fail "cannot fetch the list of packages of ${LAB_KERNEL:-this system}"
		packages=$(kernel_packages "$1")
	fi
	[[ -n $packages ]] ||
		fail "apt knows no $1: run apt-get update, or put its packages into $2"
	# shellcheck disable=SC2086 # words
	(
		cd "$2"
		apt-get "${LAB_APT[@]}" -o APT::Sandbox::User="$(id -un)" download -qq $packages
	) || fail "cannot download" $packages
}

# kernel_packages NAME: the packages of the kernel that NAME depends on today: linux-image-VERSION, and
# from Debian 14 on those that have what it had: linux-base-VERSION, linux-binary-VERSION and
# linux-modules-VERSION.
kernel_packages() {
	local image version
	image=$(depends_of "$1" | grep -m 1 '^linux-image-[0-9]') || return 0
	version=${image#linux-image-}
	echo "$image"
	depends_of "$image" | grep -Ex "linux-(base|binary|modules)-${version//[+.]/[&]}" || :
}

depends_of() {
	apt-cache "${LAB_APT[@]}" depends "$1" 2>/dev/null | awk '$1 == "Depends:" { print $2 }'
}

# generic_kernel: the machine gets Debian's generic kernel, which has /sys/power/pm_test. Its disks
# are modules, so it starts with an initramfs, which the lab's boot loader loads by itself.
generic_kernel() {
	local cache=$KERNEL_CACHE/generic old=$KERNEL_VERSION
	mkdir -p "$cache"
	exec {GENERIC_LOCK}>"$cache/lock"
	flock "$GENERIC_LOCK"
	kernel_tree "$LAB_GENERIC" "$cache"
	[[ -e $cache/initramfs ]] || pack_initramfs "$cache"
	exec {GENERIC_LOCK}>&-
	KERNEL=$cache/kernel
	KERNEL_VERSION=$(ls "$KERNEL/lib/modules")
	# shellcheck disable=SC2034 # read by machine.sh
	INITRAMFS=$cache/initramfs
	rm -rf "$FILES/lib/modules/$old" "$FILES/boot/"{vmlinuz,config}-"$old"
	BASE=$FILES base_kernel
}

# What a distribution's does: the disk's modules, then resume, then the root file system.
pack_initramfs() {
	local cache=$1 files=$1/initramfs.files version
	version=$(ls "$cache/kernel/lib/modules")
	rm -rf "$files"
	mkdir -p "$files"/{bin,dev,proc,sys,root} "$files/lib/modules/$version"
	cp "$(command -v busybox)" "$files/bin/busybox"
	install "$LAB/guest/initramfs" "$files/init"
	cp "$cache/kernel/lib/modules/$version"/modules.{builtin,dep,order} \
		"$files/lib/modules/$version/"
	(
		cd "$cache/kernel/lib/modules/$version" || exit
		LAB_MODULES="nvme ext4 crc32c_generic" modules_with_dependencies |
			grep . | xargs cp --parents -t "$files/lib/modules/$version"
	)
	(cd "$files" && find . | busybox cpio -o -H newc 2>/dev/null | gzip -1) >"$cache/initramfs.new"
	mv "$cache/initramfs.new" "$cache/initramfs"
	rm -rf "$files"
}

# The instance's files -------------------------------------------------------------

# Makes BASE, the folder that every instance starts from.
lab_base() {
	BASE=$LAB_CACHE/base
	rm -rf "$BASE"
	mkdir -p "$BASE"/{boot/loader/entries,dev,proc,sys,run,tmp,root,mnt} \
		"$BASE"/{etc/{lab,default},var/{lib,log,tmp}} \
		"$BASE"/usr/{bin,sbin,lib,lib64,share,local/sbin}
	ln -s usr/bin usr/sbin usr/lib usr/lib64 "$BASE"
	ln -s /run "$BASE/var/run"
	ln -s /proc/self/mounts "$BASE/etc/mtab"
	chmod 1777 "$BASE/tmp" "$BASE/var/tmp"
	base_programs
	base_kernel
	base_configuration
}

base_programs() {
	local applet
	cp "$(command -v busybox)" "$BASE/usr/bin/busybox"
	for applet in $(busybox --list); do
		[[ $applet == busybox ]] || ln -s busybox "$BASE/usr/bin/$applet"
	done
	# busybox's own shell would run its applets instead of the programs copied here.
	ln -sf dash "$BASE/usr/bin/sh"
	copy_programs dash blkid lsblk mkswap swapon swapoff mount umount findmnt fallocate \
		fsfreeze filefrag lsattr chattr btrfs cmp dmsetup
	# The C library loads this one when a thread ends.
	copy_file /lib/x86_64-linux-gnu/libgcc_s.so.1
	install "$LAB/guest/init" "$BASE/usr/sbin/init"
	install "$LAB/guest/counter" "$BASE/usr/local/sbin/counter"
	install "$LAB/guest/agent" "$BASE/usr/local/sbin/agent"
	install "$LAB/guest/pages" "$BASE/usr/local/sbin/pages"
	install "$LAB/guest/unfreezable" "$BASE/usr/local/sbin/unfreezable"
	base_own_program "$EC2HIB" usr/sbin/ec2hib
}

# base_own_program FILE PATH: one that the build may not have made yet.
base_own_program() {
	[[ -x $1 ]] || return 0
	install "$1" "$BASE/$2"
	copy_libraries "$1"
}

base_kernel() {
	local modules=lib/modules/$KERNEL_VERSION
	ln "$KERNEL/boot/"{vmlinuz,config}-"$KERNEL_VERSION" "$BASE/boot/"
	mkdir -p "$BASE/$modules"
	ln "$KERNEL/$modules"/modules.{builtin,dep,order} "$BASE/$modules/"
	(
		cd "$KERNEL/$modules" || exit
		modules_with_dependencies | xargs cp -l --parents -t "$BASE/$modules"
	)
}

# The files of LAB_MODULES and of all that they need, from modules.dep.
modules_with_dependencies() {
	awk -F: -v modules="$LAB_MODULES" '
		{ name = $1; sub(/.*\//, "", name); needs[name] = $1 $2 }
		END { for (n = split(modules, m, " "); n; n--) print needs[m[n] ".ko"] }
	' modules.dep | tr ' ' '\n' | sort -u
}

base_configuration() {
	cat >"$BASE/etc/os-release" <<-END
		PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
		NAME="Debian GNU/Linux"
		VERSION_ID="12"
		VERSION="12 (bookworm)"
		VERSION_CODENAME=bookworm
		ID=debian
		HOME_URL="https://www.debian.org/"
	END
	echo 'root:x:0:0:root:/root:/bin/sh' >"$BASE/etc/passwd"
	echo 'root:x:0:' >"$BASE/etc/group"
	echo 'ip-10-0-0-10' >"$BASE/etc/hostname"
	echo '127.0.0.1 localhost' >"$BASE/etc/hosts"
	echo 'ec2a1b2c3d4e5f60718293a4b5c6d7e8' >"$BASE/etc/machine-id"
	: >"$BASE/etc/fstab"
	printf '%s\n' qemu_fw_cfg evdev >"$BASE/etc/modules"
	cp "$LAB/guest/imds.json" "$BASE/etc/lab/"
}

# copy_programs NAME...: into BASE, where they are on the host, with their libraries.
copy_programs() {
	local name path
	for name; do
		path=$(command -v "$name") || fail "no program $name on this machine"
		rm -f "$BASE$path"
		copy_file "$path"
		copy_libraries "$path"
	done
}

# copy_libraries FILE: what the dynamic loader would load for it, and the loader.
copy_libraries() {
	local library
	for library in $(ldd "$1" 2>/dev/null |
		awk '$2 == "=>" { print $3 } $1 ~ /^\// && $2 ~ /^\(/ { print $1 }'); do
		[[ -e $BASE$library ]] || copy_file "$library"
	done
	for library in $(libraries_on_demand "$1"); do
		[[ -e $BASE$library ]] && continue
		copy_file "$library"
		copy_libraries "$library"
	done
}

# libraries_on_demand FILE: those that it loads by itself when it needs them; a note in it has their
# names (core/base/library.h). Of several names, the first one that is here.
libraries_on_demand() {
	local names name path
	grep -ao '"soname":\[[^]]*\]' "$1" | while read -r names; do
		for name in $(grep -o 'lib[^"]*' <<<"$names"); do
			path=$(/sbin/ldconfig -p | awk -v name="$name" '$1 == name { print $NF; exit }')
			[[ -z $path ]] || { echo "$path" && break; }
		done
	done
}

copy_file() {
	mkdir -p "$BASE${1%/*}"
	cp -L "$1" "$BASE$1"
}

# One scenario's machine -----------------------------------------------------------

# Partitions have the same identity in every lab, so logs compare.
ROOT_PARTUUID=ec2000aa-0000-4000-8000-000000000001
# no_timer_check: on a busy host the emulated timer may miss the moment in which the kernel looks for it.
CONSOLE_ARGUMENTS="console=ttyS0 panic=-1 no_timer_check quiet"

# lab_machine NAME: an instance without volumes yet. Its folder is WORK.
lab_machine() {
	WORK=$LAB_CACHE/run/$1
	FILES=$WORK/files
	LOG=$WORK/serial.log
	VOLUMES=()
	BOOT_MODE=direct
	INITRAMFS=
	ROOT_OFFSET=0
	rm -rf "$WORK"
	mkdir -p "$WORK"
	: >"$LOG"
	cp -al "$BASE" "$FILES"
	mkfifo "$WORK"/{keyboard,monitor.in,monitor.out}
}

# put PATH: writes a file of the instance from standard input. The files are shared
# with other machines' (hard links), so each is made anew.
put() {
	mkdir -p "$FILES/$(dirname "$1")"
	rm -f "$FILES/$1"
	cat >"$FILES/$1"
}

# add_line PATH LINE: to the end of a file of the instance.
add_line() {
	local text=
	[[ ! -e $FILES/$1 ]] || text=$(<"$FILES/$1")
	put "$1" <<<"${text:+$text$'\n'}$2"
}

# root_on_bare_disk SIZE: ext4 on the whole first volume.
root_on_bare_disk() {
	new_root "$1" root=/dev/nvme0n1
}

# root_on_partition SIZE: ext4 in the only partition of a GPT disk.
root_on_partition() {
	new_root "$1" "root=PARTUUID=$ROOT_PARTUUID"
	ROOT_OFFSET=$((1024 * 1024))
	partition_disk "$ROOT_DISK" <<-END
		start=1MiB, type=linux, uuid=$ROOT_PARTUUID
	END
}

# root_with_grub SIZE: the way Debian does it: a BIOS boot partition for GRUB's image,
# and its menu made by update-grub in the running instance.
root_with_grub() {
	root_on_partition "$1"
	ROOT_OFFSET=$((2 * 1024 * 1024))
	partition_disk "$ROOT_DISK" <<-END
		start=1MiB, size=1MiB, type=21686148-6449-6E6F-744E-656564454649
		start=2MiB, type=linux, uuid=$ROOT_PARTUUID
	END
	# shellcheck disable=SC2034 # read by machine.sh
	BOOT_MODE=install
	rm -r "$FILES/boot/loader"
	install_grub
}

# new_root SIZE ARGUMENT: a root volume, filled at the first start, and its boot entry.
new_root() {
	ROOT_DISK=$WORK/root.img
	truncate -s "$1" "$ROOT_DISK"
	VOLUMES=("$ROOT_DISK")
	put "boot/loader/entries/$(<"$BASE/etc/machine-id")-$KERNEL_VERSION.conf" <<-END
		title Debian GNU/Linux 12 (bookworm)
		version $KERNEL_VERSION
		linux /boot/vmlinuz-$KERNEL_VERSION
		options $2 ro $CONSOLE_ARGUMENTS
	END
}

# data_volume TYPE MOUNTPOINT SIZE: one more volume with one partition, a file system
# in it, in /etc/fstab.
data_volume() {
	local uuid
	new_volume "$3"
	uuid=$(volume_partuuid)
	mkfs_partition "$1"
	mkdir -p "$FILES$2"
	add_line etc/fstab "PARTUUID=$uuid $2 $1 defaults 0 0"
	add_line etc/modules "$1"
}

# swap_volume SIZE OPTIONS: one more volume with a swap partition, in /etc/fstab.
swap_volume() {
	new_volume "$1"
	SWAP_PARTUUID=$(volume_partuuid)
	mkfs_partition swap
	add_line etc/fstab "PARTUUID=$SWAP_PARTUUID none swap $2 0 0"
}

# The newest volume is one that loses what it holds when the instance stops.
on_instance_store() {
	add_line etc/lab/instance-store "nvme$((${#VOLUMES[@]} - 1))"
}

# new_volume SIZE: one more volume with one empty partition.
new_volume() {
	local disk=$WORK/volume${#VOLUMES[@]}.img
	truncate -s "$1" "$disk"
	VOLUMES+=("$disk")
	partition_disk "$disk" <<<"start=1MiB, type=linux, uuid=$(volume_partuuid)"
}

volume_partuuid() {
	printf 'ec2000aa-0000-4000-8000-%012d' "${#VOLUMES[@]}"
}

# mkfs_partition TYPE: in the newest volume's partition. Not every mkfs knows an offset:
# made beside it and copied in.
mkfs_partition() {
	local disk=${VOLUMES[-1]} make=mkfs.$1
	[[ $1 != swap ]] || make=mkswap
	(umask 077; : >"$disk.part")
	truncate -s $(($(stat -c %s "$disk") - 2 * 1024 * 1024)) "$disk.part"
	"$make" "$disk.part" >>"$LOG" 2>&1 || fail "$make failed"
	dd if="$disk.part" of="$disk" bs=1M seek=1 conv=sparse,notrunc status=none
	rm "$disk.part"
}

partition_disk() {
	sfdisk --quiet --label gpt "$1" >>"$LOG" 2>&1 || fail "cannot partition $1"
}

# Writes the instance's files into the root volume: once, at the first start.
fill_root() {
	local size
	[[ -d $FILES ]] || return 0
	size=$((($(stat -c %s "$ROOT_DISK") - ROOT_OFFSET) / 1024))
	((ROOT_OFFSET == 0)) || size=$((size - 1024)) # the second GPT is at the end
	mkfs.ext4 -q -F -d "$FILES" \
		-E "offset=$ROOT_OFFSET,assume_storage_prezeroed=1,root_owner=0:0" \
		"$ROOT_DISK" "${size}k" >>"$LOG" 2>&1 || fail "mkfs.ext4 failed"
	rm -rf "$FILES"
}

# The root file system of the first volume, as e2fsprogs name one inside an image.
root_device() {
	printf '%s?offset=%s' "$ROOT_DISK" "$ROOT_OFFSET"
}

# GRUB -----------------------------------------------------------------------------

GRUB_DIR=/usr/lib/grub/i386-pc

# Puts GRUB on the disk as grub-install would, and its tools into the instance.
install_grub() {
	grub_files
	grub_to_disk
}

grub_files() {
	local script
	BASE=$FILES copy_programs grub-mkconfig grub-probe grub-script-check grub-editenv \
		grub-mkrelpath grub-file update-grub
	put usr/share/grub/grub-mkconfig_lib </usr/share/grub/grub-mkconfig_lib
	for script in 00_header 10_linux; do
		put "etc/grub.d/$script" <"/etc/grub.d/$script"
		chmod +x "$FILES/etc/grub.d/$script"
	done
	mkdir -p "$FILES/boot/grub/i386-pc" "$FILES/etc/default/grub.d"
	cp "$GRUB_DIR"/*.{mod,lst} "$FILES/boot/grub/i386-pc/"
	put etc/default/grub <<-END
		GRUB_DEFAULT=0
		GRUB_TIMEOUT=0
		GRUB_DISTRIBUTOR=Debian
		GRUB_CMDLINE_LINUX_DEFAULT="${LAB_QUIET-quiet}"
		GRUB_CMDLINE_LINUX="console=ttyS0 panic=-1 no_timer_check"
		GRUB_TERMINAL=serial
		GRUB_SERIAL_COMMAND="serial --speed=115200"
		# There is no initramfs here, and the kernel itself knows partitions only.
		GRUB_DISABLE_LINUX_UUID=true
		GRUB_DISABLE_LINUX_PARTUUID=false
	END
}

# What grub-bios-setup does: boot.img into the first sector, where it must find the
# core image (sector 2048, the BIOS boot partition), and the core image must find its
# own rest. Offsets from GRUB's include/grub/i386/pc/boot.h and offsets.h.
grub_to_disk() {
	local core=$WORK/core.img
	grub-mkimage -O i386-pc -p '(hd0,gpt2)/boot/grub' -o "$core" \
		biosdisk part_gpt ext2 serial terminal normal linux
	dd if=$GRUB_DIR/boot.img of="$ROOT_DISK" bs=440 count=1 conv=notrunc status=none
	poke "$ROOT_DISK" 0x5c '\x00\x08\x00\x00\x00\x00\x00\x00' # kernel_sector: 2048
	poke "$ROOT_DISK" 0x66 '\x90\x90'                         # trust the BIOS's drive
	poke "$core" 0x1f4 '\x01\x08\x00\x00\x00\x00\x00\x00'     # block list: 2049
	dd if="$core" of="$ROOT_DISK" bs=1M seek=1 conv=notrunc status=none
}

# poke FILE OFFSET BYTES
poke() {
	printf '%b' "$3" | dd of="$1" bs=1 seek=$(($2)) conv=notrunc status=none
}
