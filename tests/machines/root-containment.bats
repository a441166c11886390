#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# --root stays below the root: absolute links and ".." of an image lead to places within it.

load ../lib/helpers
bats_require_minimum_version 1.5.0

setup() {
	IMAGE=$BATS_TEST_TMPDIR/image OUTSIDE=$BATS_TEST_TMPDIR/outside
	mkdir -p "$IMAGE" "$OUTSIDE"
}

# fact NAME: of the image, as JSON.
fact() {
	"$EC2HIB" --root "$IMAGE" status --json | jq -c ".facts.$1"
}

@test "a link of an image to a folder of the host is looked up in the image" {
	# A folder of the host that lies elsewhere, and one of the same name in the image.
	[ "$(stat -f -c %T /dev/shm)" = tmpfs ] || skip "/dev/shm is no tmpfs here"
	[ "$(stat -f -c %T "$IMAGE")" != tmpfs ] || skip "the image is in memory"
	mkdir -p "$IMAGE/dev/shm" "$IMAGE/etc"
	ln -s /dev/shm "$IMAGE/data"
	printf '[swap]\nswapfile = /data/swap\n' >"$IMAGE/etc/ec2hib.conf"
	[ "$(fact area.path)" = '"/data/swap"' ]
	[ "$(fact area.filesystem)" != '"tmpfs"' ]
}

@test "nothing of the host is read through the links of an image" {
	[ -e /usr/lib/os-release ] || skip "this host has no /usr/lib/os-release"
	mkdir -p "$IMAGE/etc"
	for target in /usr/lib/os-release ../../../../../../../../../../usr/lib/os-release; do
		ln -sfn "$target" "$IMAGE/etc/os-release"
		fact system.name
		[[ "$(fact system.name)" != *"$(. /usr/lib/os-release && echo "$NAME")"* ]]
	done
}

@test "nothing of the host is written through the links of an image" {
	need_root
	printf 'keep\n' >"$OUTSIDE/fstab"
	mkdir "$OUTSIDE/grub.d" "$OUTSIDE/tmpfiles.d"
	ln -s "$OUTSIDE" "$IMAGE/etc"
	ln -s "$OUTSIDE" "$IMAGE/var"
	ln -s "$OUTSIDE/boot" "$IMAGE/boot"
	run "$EC2HIB" --root "$IMAGE" setup --yes --size 20M
	run "$EC2HIB" --root "$IMAGE" teardown --yes
	[ "$(cat "$OUTSIDE/fstab")" = keep ]
	[ "$(find "$OUTSIDE" -mindepth 1 | sort | xargs -n 1 basename | xargs)" = "fstab grub.d tmpfiles.d" ]
}
