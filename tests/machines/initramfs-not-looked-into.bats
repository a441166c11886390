#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# Whether the next boot resumes is told by the image that it loads, not by configuration files and their
# age: images of each maker, packed in each way, in parts, damaged and hostile.

load machine

setup() {
	need_machine
}

teardown() {
	drop_machine
}

UNITS=usr/lib/systemd/system
GENERATOR=usr/lib/systemd/system-generators/systemd-hibernate-resume-generator
PROGRAM=usr/lib/systemd/systemd-hibernate-resume

# rhel: a RHEL 9 image as a file system; $INITRAMFS is the image that boots next.
rhel() {
	make_machine rhel-9
	INITRAMFS=$(ls "$IMAGE"/boot/initramfs-5*427*)
}

archive() { # NAME TEXT ...
	"$IMAGE/bin/stub-image" cpio "$@"
}

# An image of dracut with systemd 255 that resumes.
dracut_image() {
	archive usr/lib/systemd/systemd x usr/lib/systemd/libsystemd-shared-255.4-1.fc40.so x \
		usr/lib/dracut/modules.txt "$(printf 'systemd\nrootfs-block\nresume\n')" \
		$UNITS/systemd-hibernate-resume.service x $GENERATOR x $PROGRAM x
}

# resumes STATE [TEXT]: what the check says of $INITRAMFS.
resumes() {
	run "$EC2HIB" --root "$IMAGE" status --json initramfs-resume
	echo "$output" | jq -r '.checks[0].state, .checks[0].text'
	[ "$(jq -r '.checks[0].state' <<<"$output")" = "$1" ]
	[ -z "${2:-}" ] || [[ "$(jq -r '.checks[0].text' <<<"$output")" == *"$2"* ]]
}

@test "the configuration asks and the image has it not; and the other way round" {
	rhel
	mkdir -p "$IMAGE/etc/dracut.conf.d"
	echo 'add_dracutmodules+=" resume "' >"$IMAGE/etc/dracut.conf.d/resume.conf"
	touch -d 2024-02-01 "$IMAGE/etc/dracut.conf.d/resume.conf"
	resumes fail "dracut's module resume"
	dracut_image | gzip >"$INITRAMFS"
	touch -d 2024-01-01 "$INITRAMFS"
	resumes pass
	[ "$(state initramfs-rebuild)" = pass ]
	rm "$IMAGE/etc/dracut.conf.d/resume.conf"
	resumes pass
	[ "$(state initramfs-rebuild)" = warn ]
}

@test "packed in any way" {
	rhel
	for tool in gzip xz zstd bzip2 'xz --format=lzma' 'xz --check=crc32' lz4 'lz4 -l'; do
		need_program "${tool%% *}"
		dracut_image | $tool -c >"$INITRAMFS"
		resumes pass
	done
	printf '\211LZO\0\r\n\032\nxxxxxxxx' >"$INITRAMFS"
	resumes unknown
}

@test "in parts: microcode first, zeros between, packed parts one after the other" {
	rhel
	need_program zstd
	need_program lz4
	for tool in 'gzip' 'zstd -q' 'lz4 -q' 'lz4 -l -q'; do
		{
			archive kernel/x86/microcode/GenuineIntel.bin "$(head -c 3000 /dev/zero | tr '\0' m)"
			head -c 1000 /dev/zero
			archive usr/share/firmware x | $tool -c
			head -c 7 /dev/zero
			dracut_image | $tool -c
			head -c 500 /dev/zero
			archive etc/more x
		} >"$INITRAMFS"
		resumes pass
		# the same without what resumes
		{
			archive kernel/x86/microcode/GenuineIntel.bin m
			archive usr/lib/dracut/modules.txt systemd usr/lib/systemd/systemd x | $tool -c
		} >"$INITRAMFS"
		resumes fail
	done
}

@test "two files in an entry are one image" {
	rhel
	dracut_image | gzip >"$IMAGE/boot/main.img"
	archive kernel/x86/microcode/AuthenticAMD.bin m >"$IMAGE/boot/amd-ucode.img"
	archive etc/hostname x >"$IMAGE/boot/extra.img"
	sed -i 's#^initrd .*#initrd /amd-ucode.img /extra.img\ninitrd /main.img#' "$IMAGE"/boot/loader/entries/*.conf
	resumes pass
	rm "$IMAGE/boot/extra.img"
	resumes unknown "not found"
}

@test "a boot configuration may follow" {
	rhel
	{ dracut_image; printf 'kernel.x = 1\0\0\0\0\020\0\0\0\1\2\3\4#BOOTCONFIG\n'; } >"$INITRAMFS"
	resumes pass
}

@test "systemd's three pieces, as its version needs them" {
	rhel
	base=(usr/lib/systemd/systemd x usr/lib/dracut/modules.txt 'systemd resume')
	# dracut 059 with systemd 255: no template there, and the new unit not looked for
	archive "${base[@]}" usr/lib/systemd/libsystemd-shared-255.so x $GENERATOR x $PROGRAM x >"$INITRAMFS"
	resumes fail "lacks systemd-hibernate-resume.service, which its systemd 255 needs"
	archive "${base[@]}" usr/lib/systemd/libsystemd-shared-255.so x $GENERATOR x $PROGRAM x \
		$UNITS/systemd-hibernate-resume@.service x >"$INITRAMFS"
	resumes fail
	archive "${base[@]}" lib/systemd/libsystemd-shared-252.so x $GENERATOR x $PROGRAM x \
		$UNITS/systemd-hibernate-resume@.service x >"$INITRAMFS"
	resumes pass
	archive "${base[@]}" $PROGRAM x $UNITS/systemd-hibernate-resume.service x >"$INITRAMFS"
	resumes fail "lacks systemd-hibernate-resume-generator"
	archive "${base[@]}" $GENERATOR x $UNITS/systemd-hibernate-resume.service x >"$INITRAMFS"
	resumes fail "lacks the program"
	# listed by nobody
	archive usr/lib/systemd/systemd x usr/lib/dracut/modules.txt systemd \
		$UNITS/systemd-hibernate-resume.service x >"$INITRAMFS"
	resumes fail
}

@test "names with ./ and / in front, links, and a masked unit" {
	rhel
	need_program cpio
	dir=$BATS_TEST_TMPDIR/tree
	mkdir -p "$dir"/usr/{bin,lib/dracut,lib/systemd/system,lib/systemd/system-generators,libexec} "$dir/etc/systemd/system"
	ln -s usr/lib "$dir/lib"
	ln -s usr/bin "$dir/bin"
	echo 'systemd resume' >"$dir/usr/lib/dracut/modules.txt"
	echo x >"$dir/usr/lib/systemd/systemd"
	echo x >"$dir/$UNITS/systemd-hibernate-resume.service"
	echo x >"$dir/$PROGRAM"
	echo x >"$dir/usr/libexec/systemd-hibernate-resume-generator"
	ln -s ../../../libexec/systemd-hibernate-resume-generator "$dir/$GENERATOR"
	pack() { (cd "$dir" && find . | cpio -o -H newc --quiet | gzip) >"$INITRAMFS"; }
	pack
	resumes pass
	rm "$dir/usr/libexec/systemd-hibernate-resume-generator"
	pack
	resumes fail generator
	echo x >"$dir/usr/libexec/systemd-hibernate-resume-generator"
	ln -s /dev/null "$dir/etc/systemd/system/systemd-hibernate-resume.service"
	pack
	resumes fail masked
	archive /lib/dracut/modules.txt resume /lib/dracut/resume.sh x \
		/lib/dracut/hooks/cmdline/10-parse-resume.sh x >"$INITRAMFS"
	resumes pass
}

@test "dracut without systemd: its two scripts" {
	rhel
	archive lib/dracut/modules.txt 'base resume' lib/dracut/resume.sh x \
		lib/dracut/hooks/cmdline/10-parse-resume.sh x >"$INITRAMFS"
	resumes pass
	archive lib/dracut/modules.txt 'base resume' lib/dracut/resume.sh x >"$INITRAMFS"
	resumes fail
	archive lib/dracut/modules.txt base >"$INITRAMFS"
	resumes fail
}

@test "initramfs-tools: its script, and the program that this calls" {
	make_machine debian-12
	INITRAMFS=$(ls "$IMAGE"/boot/initrd.img-6.1.0-25*)
	base=(init x scripts/functions x conf/initramfs.conf 'RESUME=none')
	archive "${base[@]}" >"$INITRAMFS"
	resumes fail local-premount
	archive "${base[@]}" scripts/local-premount/resume '/bin/resume "$DEV"' >"$INITRAMFS"
	resumes fail klibc
	archive "${base[@]}" scripts/local-premount/resume '/bin/resume "$DEV"' usr/bin/resume x >"$INITRAMFS"
	resumes pass
	archive "${base[@]}" scripts/local-premount/resume 'echo >/sys/power/resume' >"$INITRAMFS"
	resumes pass
	archive "${base[@]}" scripts/local-premount/resume 'echo >/sys/power/resume' \
		conf/conf.d/x noresume=y >"$INITRAMFS"
	resumes fail noresume
}

@test "mkinitcpio, and makers that are not known" {
	rhel
	archive init_functions x hooks/resume x config 'HOOKS="udev resume"' >"$INITRAMFS"
	resumes pass
	archive init_functions x hooks/udev x config 'HOOKS="udev"' >"$INITRAMFS"
	resumes fail mkinitcpio
	archive init_functions x buildconfig x usr/lib/systemd/systemd x $GENERATOR x $PROGRAM x \
		$UNITS/systemd-hibernate-resume.service x >"$INITRAMFS"
	resumes pass
	archive etc/booster.init.yaml x init x >"$INITRAMFS"
	resumes unknown booster
	archive init x >"$INITRAMFS"
	resumes unknown "does not know"
}

@test "damaged images are unknown with the reason" {
	rhel
	dracut_image | gzip >"$BATS_TEST_TMPDIR/good"
	size=$(stat -c %s "$BATS_TEST_TMPDIR/good")
	for cut in 5 $((size / 2)) $((size - 9)); do
		head -c "$cut" "$BATS_TEST_TMPDIR/good" >"$INITRAMFS"
		resumes unknown
	done
	dracut_image | head -c 700 >"$INITRAMFS"
	resumes unknown damaged
	{ dracut_image; echo text; } >"$INITRAMFS"
	resumes unknown damaged
	{ printf '070701'; head -c 200 /dev/zero | tr '\0' f; } >"$INITRAMFS"
	resumes unknown damaged
	: >"$INITRAMFS"
	resumes unknown "is empty"
	rm "$INITRAMFS"
	mkfifo "$INITRAMFS"
	resumes unknown
}

# 4 GiB and more of zeros take seconds; the memory is bounded.
@test "an endless image costs bounded time and memory" {
	rhel
	need_program zstd
	{ printf '070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08xx\0\0\0' 1 33188 0 0 1 0 \
		4294967295 0 0 0 0 2 0; head -c 4700000000 /dev/zero; } | zstd -q -1 -c >"$INITRAMFS"
	start=$SECONDS
	(ulimit -v 400000; exec "$EC2HIB" --root "$IMAGE" status --json initramfs-resume) >"$BATS_TEST_TMPDIR/out" || :
	[ $((SECONDS - start)) -lt 45 ]
	[ "$(jq -r '.checks[0].state' "$BATS_TEST_TMPDIR/out")" = unknown ]
}

@test "an image that only root may read is unknown to others" {
	rhel
	start_machine
	chmod 600 "$INITRAMFS"
	run chroot --userspec=65534:65534 "$IMAGE" /usr/sbin/ec2hib status --json initramfs-resume
	[ "$(jq -r '.checks[0].state' <<<"$output")" = unknown ]
	[[ "$(jq -r '.checks[0].text' <<<"$output")" == *"Permission denied"* ]]
}

# A Portable Executable with sections, each a NAME and a FILE.
unified() {
	python3 - "$@" <<'PY'
import struct, sys
names, out = sys.argv[1::2], b''
rows, at = b'', 1024
for name, path in zip(sys.argv[1::2], sys.argv[2::2]):
	data = open(path, 'rb').read()
	rows += name.encode().ljust(8, b'\0') + struct.pack('<IIII', len(data), 0, len(data) + 7, at) + bytes(16)
	out += data.ljust(len(data) + 7, b'\0')
	at += len(data) + 7
head = b'MZ'.ljust(60, b'\0') + struct.pack('<I', 128)
pe = b'PE\0\0' + struct.pack('<HHIIIHH', 0x8664, len(names), 0, 0, 0, 0, 0) + rows
sys.stdout.buffer.write((head.ljust(128, b'\0') + pe).ljust(1024, b'\0') + out)
PY
}

@test "a unified kernel image: its sections are looked into" {
	rhel
	need_program python3
	dracut_image | gzip >"$BATS_TEST_TMPDIR/initrd"
	printf '6.12.9-1-unified' >"$BATS_TEST_TMPDIR/uname"
	"$IMAGE/bin/stub-image" kernel "$BATS_TEST_TMPDIR/linux" 6.12.9-2-inner
	unified .uname "$BATS_TEST_TMPDIR/uname" .linux "$BATS_TEST_TMPDIR/linux" .initrd "$BATS_TEST_TMPDIR/initrd" \
		>"$IMAGE/boot/linux.efi"
	sed -i 's#^linux .*#linux /linux.efi#; s#^initrd .*#initrd /linux.efi#' "$IMAGE"/boot/loader/entries/*.conf
	resumes pass
	[ "$(fact '[boot.entries[] | select(.is_default)][0].release' 2>/dev/null ||
		"$EC2HIB" --root "$IMAGE" status --json | jq -r '[.facts.boot.entries[] | select(.is_default)][0].release')" = 6.12.9-1-unified ]
	unified .linux "$BATS_TEST_TMPDIR/linux" .initrd "$BATS_TEST_TMPDIR/initrd" >"$IMAGE/boot/linux.efi"
	[ "$("$EC2HIB" --root "$IMAGE" status --json | jq -r '[.facts.boot.entries[] | select(.is_default)][0].release')" = 6.12.9-2-inner ]
}

@test "a unified kernel image is not replaced by an initramfs" {
	rhel
	need_program python3
	archive usr/lib/dracut/modules.txt base >"$BATS_TEST_TMPDIR/initrd"
	"$IMAGE/bin/stub-image" kernel "$BATS_TEST_TMPDIR/linux" 6.12.9
	unified .linux "$BATS_TEST_TMPDIR/linux" .initrd "$BATS_TEST_TMPDIR/initrd" >"$IMAGE/boot/linux.efi"
	sed -i 's#^linux .*#linux /linux.efi#; s#^initrd .*#initrd /linux.efi#' "$IMAGE"/boot/loader/entries/*.conf
	before=$(sha256sum "$IMAGE/boot/linux.efi")
	resumes fail
	run setup_image --size 20M
	[ "$before" = "$(sha256sum "$IMAGE/boot/linux.efi")" ]
	[[ "$output" == *"part of the kernel's file"* ]]
	run stubs
	[[ "$output" != *dracut* ]]
}

@test "drivers: a module, or built in, or missing" {
	rhel
	base=(usr/lib/dracut/modules.txt resume)
	archive "${base[@]}" usr/lib/modules/5.14.0/kernel/drivers/nvme/host/nvme.ko.xz x >"$INITRAMFS"
	[ "$(fact boot.initramfs_nvme)" = true ]
	archive "${base[@]}" usr/lib/modules/5.14.0/modules.builtin kernel/drivers/nvme/host/nvme.ko >"$INITRAMFS"
	[ "$(fact boot.initramfs_nvme)" = true ]
	[ "$(fact boot.initramfs_xen_blkfront)" = false ]
	archive "${base[@]}" >"$INITRAMFS"
	[[ "$(fact boot.initramfs_nvme)" == *unknown* ]]
	mkdir -p "$IMAGE/lib/modules/5.14.0-427.31.1.el9_4.x86_64"
	echo kernel/drivers/block/virtio_blk.ko >"$IMAGE/lib/modules/5.14.0-427.31.1.el9_4.x86_64/modules.builtin"
	[ "$(fact boot.initramfs_nvme)" = false ]
	[ "$(fact boot.initramfs_virtio_blk)" = true ]
}

@test "what was found is kept by the file's identity, and no one else's record is believed" {
	rhel
	dracut_image | gzip >"$INITRAMFS"
	start_machine
	kept=$IMAGE/var/lib/ec2hib/initramfs.json
	# one that was changed just now is not kept yet
	until [ "$(date +%s)" -gt "$(($(stat -c %Z "$INITRAMFS") + 2))" ]; do sleep 0.2; done
	[ "$(live_state initramfs-resume)" = pass ]
	[ "$(stat -c '%a %u' "$kept")" = '600 0' ]
	# it is used
	sed -i 's/"dracut_modules":"[^"]*"/"dracut_modules":""/; s/"members":[0-9]*/"members":1/' "$kept"
	[ "$(live_state initramfs-resume)" = fail ]
	# not for another file, and not when others can write it
	chmod 666 "$kept"
	[ "$(live_state initramfs-resume)" = pass ]
	chmod 600 "$kept"
	[ "$(live_state initramfs-resume)" = fail ]
	touch -d 2020-01-01 "$INITRAMFS"
	[ "$(live_state initramfs-resume)" = pass ]
	echo nonsense >"$kept"
	[ "$(live_state initramfs-resume)" = pass ]
}
