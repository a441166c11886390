# shellcheck shell=bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# A real Debian for the lab: made by debootstrap once and kept, put on a GPT disk, GRUB
# installed by itself, started with its own initramfs and systemd. What is not Debian's
# in it: the service that runs the lab's steps, and what a cloud image would set.

# shellcheck disable=SC2034 # much here is read by machine.sh and the scenario

# What making one needs besides LAB_NEEDS, in the same form.
DEBIAN_NEEDS="
	debootstrap		debootstrap		debootstrap
	unshare			util-linux		util-linux
	file:/usr/share/keyrings/debian-archive-keyring.gpg	debian-archive-keyring	debian-keyring
"

# Who makes the initramfs: initramfs-tools or dracut.
: "${DEBIAN_INITRAMFS:=initramfs-tools}"

# Packages that only this machine has.
: "${DEBIAN_MORE:=}"

DEBIAN_PACKAGES=systemd,systemd-sysv,udev,dbus,kmod,iproute2,initramfs-tools,zstd
DEBIAN_PACKAGES+=,libjansson4,libmount1,libblkid1
# Names that a release has given to what the program loads, and the loader.
DEBIAN_PACKAGES_bookworm=grub-pc,libcurl4,libmicrohttpd12,libarchive13
DEBIAN_PACKAGES_trixie=libcurl4t64,libmicrohttpd12t64,libarchive13t64

# What /etc/initramfs-tools/conf.d/resume names.
DEBIAN_GONE_SWAP=ec2000bb-0000-4000-8000-000000000002

# systemd's own way off, instead of the lab's short one.
LAB_POWER_OFF='systemctl poweroff; sleep infinity'

# Emulated, systemd and an initramfs take their time.
LAB_TIMEOUT=600

# debian_machine RELEASE KERNEL_PACKAGE SIZE: a machine with this Debian on its disk,
# which has not booted by itself yet.
debian_machine() {
	debian_tree "$1" "$2"
	debian_files
	debian_grub_settings
	debian_disk "$3"
	debian_install_grub
}

# Makes the folder of files that every such machine starts from. Sets DEBIAN to it, and
# the kernel that the lab starts to the one in it.
debian_tree() {
	local missing of_release=DEBIAN_PACKAGES_$1 packages
	packages=$DEBIAN_PACKAGES,${!of_release},$2
	missing=$(missing_packages "$DEBIAN_NEEDS" 2)
	[[ -z $missing ]] || fail "missing on this machine: $missing"
	DEBIAN=$LAB_CACHE/debian-$1-$2-$DEBIAN_INITRAMFS${DEBIAN_MORE:+-${DEBIAN_MORE// /-}}
	if [[ ! -e $DEBIAN.packages || $(<"$DEBIAN.packages") != "$packages" ]]; then
		rm -rf "$DEBIAN" "$DEBIAN.packages"
		note "debootstrap $1 with $packages"
		# A name space of its own: what debootstrap mounts goes away with it.
		unshare --mount debootstrap --variant=minbase --include="$packages" \
			"$1" "$DEBIAN" "$LAB_DEBIAN_MIRROR" >>"$LOG" 2>&1 ||
			fail "debootstrap failed"
		[[ $DEBIAN_INITRAMFS == initramfs-tools ]] || debian_install "$DEBIAN_INITRAMFS"
		# shellcheck disable=SC2086 # one word a package
		[[ -z $DEBIAN_MORE ]] || debian_install $DEBIAN_MORE
		rm -rf "$DEBIAN"/var/cache/apt/archives/*.deb "$DEBIAN"/var/lib/apt/lists/*
		echo "$packages" >"$DEBIAN.packages"
	fi
	KERNEL=$DEBIAN
	KERNEL_VERSION=$(ls "$DEBIAN/lib/modules")
}

# debian_install PACKAGE...: with apt, which knows what debootstrap does not: that one package may
# stand for another, and that one may be in the way of another.
debian_install() {
	# shellcheck disable=SC2016 # for the shell below
	unshare --mount sh -ec 'tree=$1
		shift
		mount -t proc proc "$tree/proc"
		chroot "$tree" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
			--no-install-recommends "$@"' sh "$DEBIAN" "$@" >>"$LOG" 2>&1 ||
		fail "apt-get cannot install $*"
}

# The machine's files: Debian's, with the lab's own.
debian_files() {
	rm -rf "$FILES"
	cp -al "$DEBIAN" "$FILES"
	echo ip-10-0-0-10 | put etc/hostname
	echo 127.0.0.1 localhost | put etc/hosts
	echo ec2a1b2c3d4e5f60718293a4b5c6d7e8 | put etc/machine-id
	echo "PARTUUID=$ROOT_PARTUUID / ext4 rw,discard,errors=remount-ro 0 1" | put etc/fstab
	"debian_initramfs_${DEBIAN_INITRAMFS//-/_}"
	debian_put_program usr/sbin/ec2hib "$EC2HIB"
	debian_put_program usr/local/sbin/counter "$LAB/guest/counter"
	debian_put_program usr/local/sbin/agent "$LAB/guest/agent"
	debian_put_program usr/local/bin/nc "$(command -v busybox)"
	put lib/systemd/system/ec2hib.service < <(
		sed 's|@sbindir@|/usr/sbin|g' "$TOP/data/ec2hib.service.in")
	debian_lab_service
}

# debian_grub_settings [ARGUMENT...]: as Debian's cloud images do it: files of their own beside
# /etc/default/grub.
debian_grub_settings() {
	put etc/default/grub.d/10_cloud.cfg <<-END
		GRUB_CMDLINE_LINUX="console=ttyS0,115200 panic=-1${1:+ $*}"
		GRUB_TERMINAL=serial
		GRUB_SERIAL_COMMAND="serial --speed=115200"
	END
	echo GRUB_TIMEOUT=0 | put etc/default/grub.d/15_timeout.cfg
}

# As Debian's installer leaves it: the initramfs knows its swap partition, which is gone since, and
# has the drivers of this machine only. (Emulated, an initramfs with all drivers takes three minutes.)
debian_initramfs_initramfs_tools() {
	put etc/initramfs-tools/conf.d/resume <<<"RESUME=UUID=$DEBIAN_GONE_SWAP"
	put etc/initramfs-tools/conf.d/driver-policy <<<MODULES=dep
}

# Also what this machine needs only, which leaves the module resume out: there was no swap.
debian_initramfs_dracut() {
	put etc/dracut.conf.d/lab.conf <<<'hostonly="yes"'
}

debian_put_program() {
	put "$1" <"$2"
	chmod 755 "$FILES/$1"
}

# The steps are served by what the lab's small instance has for it: its first process,
# without that which systemd does here.
debian_lab_service() {
	put usr/local/sbin/lab-service < <(
		sed '/^mount_kernel_file_systems$/,$d' "$LAB/guest/init"
		cat "$LAB/long/guest/serve"
	)
	chmod 755 "$FILES/usr/local/sbin/lab-service"
	put etc/lab/imds.json <"$LAB/guest/imds.json"
	printf '%s\n' qemu_fw_cfg evdev | put etc/modules-load.d/lab.conf
	put etc/systemd/system/lab.service <"$LAB/long/guest/lab.service"
	mkdir -p "$FILES/etc/systemd/system/multi-user.target.wants"
	ln -s ../lab.service "$FILES/etc/systemd/system/multi-user.target.wants/"
	# The serial line is the lab's, no login there.
	ln -s /dev/null "$FILES/etc/systemd/system/serial-getty@ttyS0.service"
}

debian_disk() {
	ROOT_DISK=$WORK/root.img
	ROOT_OFFSET=$((2 * 1024 * 1024))
	truncate -s "$1" "$ROOT_DISK"
	VOLUMES=("$ROOT_DISK")
	partition_disk "$ROOT_DISK" <<-END
		start=1MiB, size=1MiB, type=21686148-6449-6E6F-744E-656564454649
		start=2MiB, type=linux, uuid=$ROOT_PARTUUID
	END
}

# Started once without a boot loader, as an installer does it.
debian_install_grub() {
	BOOT_MODE=direct_to_installation
	boot
	guest 'grub-install /dev/nvme0n1; update-grub'
	power_off
	BOOT_MODE=grub
}

# hibernates through systemd, which answers at once: the step waits until the machine
# has been off (its power-on number is another), and ends as systemd's job does.
# shellcheck disable=SC2016 # for the guest's shell
DEBIAN_SYSTEMCTL_HIBERNATE='
number=/sys/firmware/qemu_fw_cfg/by_name/opt/lab/power-on/raw
before=$(cat $number)
systemctl hibernate
while [ "$(cat $number)" = "$before" ]; do
	! systemctl is-failed --quiet systemd-hibernate.service || break
	sleep 0.2
done
while systemctl list-jobs --no-legend | grep -q hibernate; do sleep 0.2; done
systemctl show -P Result systemd-hibernate.service | grep -x success
'
