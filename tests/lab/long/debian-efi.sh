# shellcheck shell=bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# A Debian whose firmware is UEFI, with systemd-boot: a GPT disk with an EFI system partition on
# /boot/efi, kernels put there by kernel-install. DEBIAN_LAYOUT is kernel-install's: bls (a kernel, an
# initramfs and an entry file with the arguments) or uki (one unified kernel image with all three).

# shellcheck disable=SC2034 # much here is read by debian.sh and machine.sh

DEBIAN_NEEDS+="
	file:/usr/share/OVMF/OVMF_CODE_4M.fd	ovmf	edk2-ovmf
	mkfs.vfat		dosfstools		dosfstools
"
DEBIAN_MORE="systemd-boot systemd-boot-efi systemd-ukify dosfstools"
ESP_PARTUUID=ec2000ee-0000-4000-8000-000000000001
ESP_MIB=256

# debian_efi_machine RELEASE KERNEL_PACKAGE SIZE: a machine with this Debian on its disk.
debian_efi_machine() {
	debian_tree "$1" "$2"
	debian_files
	debian_efi_files
	debian_efi_disk "$3"
	debian_efi_firmware
	debian_install_systemd_boot
}

# As images of the cloud have it: an initramfs for any machine, which names no swap area.
debian_efi_files() {
	rm -f "$FILES"/etc/default/grub "$FILES"/etc/initramfs-tools/conf.d/resume
	INITRAMFS=$WORK/initramfs
	cp "$FILES/boot/initrd.img-$KERNEL_VERSION" "$INITRAMFS"
	add_line etc/fstab "PARTUUID=$ESP_PARTUUID /boot/efi vfat umask=0077 0 1"
	mkdir -p "$FILES/boot/efi"
	put etc/kernel/cmdline <<<"root=PARTUUID=$ROOT_PARTUUID ro $CONSOLE_ARGUMENTS"
	put etc/kernel/install.conf <<-END
		layout=$DEBIAN_LAYOUT
		uki_generator=ukify
	END
}

debian_efi_disk() {
	ROOT_DISK=$WORK/root.img
	ROOT_OFFSET=$(((1 + ESP_MIB) << 20))
	truncate -s "$1" "$ROOT_DISK"
	VOLUMES=("$ROOT_DISK")
	partition_disk "$ROOT_DISK" <<-END
		start=1MiB, size=${ESP_MIB}MiB, type=uefi, uuid=$ESP_PARTUUID
		type=linux, uuid=$ROOT_PARTUUID
	END
	truncate -s "${ESP_MIB}M" "$WORK/esp"
	mkfs.vfat -F 32 "$WORK/esp" >>"$LOG" 2>&1 || fail "mkfs.vfat failed"
	dd if="$WORK/esp" of="$ROOT_DISK" bs=1M seek=1 conv=sparse,notrunc status=none
	rm "$WORK/esp"
}

# The firmware keeps its variables in a file of this machine's.
debian_efi_firmware() {
	local folder=/usr/share/OVMF
	cp "$folder/OVMF_VARS_4M.fd" "$WORK/variables.img"
	MORE_DEVICES=(-drive "if=pflash,format=raw,unit=0,readonly=on,file=$folder/OVMF_CODE_4M.fd"
		-drive "if=pflash,format=raw,unit=1,file=$WORK/variables.img")
}

# Started once by the lab, as an installer does it.
debian_install_systemd_boot() {
	BOOT_MODE=direct_to_installation
	boot
	# shellcheck disable=SC2016 # for the guest's shell
	guest 'bootctl install
echo timeout 0 >/boot/efi/loader/loader.conf
kernel-install add $(uname -r) /boot/vmlinuz-$(uname -r) /boot/initrd.img-$(uname -r)
find /boot/efi -type f'
	power_off
	BOOT_MODE=grub # as with GRUB, the disk is all that the machine gets
}
