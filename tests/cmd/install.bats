#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# make install and make uninstall, into a folder of their own; and quickstart without a machine.

load ../lib/helpers

setup() {
	BUILD=$(dirname "$EC2HIB")
	SOURCE=${srcdir:-$top_builddir}
	DEST=$BATS_TEST_TMPDIR/dest
}

# install_with TARGET: of the build's Makefile, with nothing of the make that runs this test.
install_with() {
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -s -C "$BUILD" "$1" DESTDIR="$DEST" \
		prefix=/usr sysconfdir=/etc systemdsystemunitdir=/usr/lib/systemd/system >/dev/null
}

@test "make uninstall takes away what make install brought" {
	[ -e "$BUILD/Makefile" ] || skip "this program was not built here"
	install_with install
	[ -x "$DEST/usr/sbin/ec2hib" ]
	[ -e "$DEST/usr/share/man/man8/ec2hib-status.8" ]
	[ -e "$DEST/usr/share/bash-completion/completions/ec2hib" ]
	[ -e "$DEST/usr/share/zsh/site-functions/_ec2hib" ]
	[ -e "$DEST/usr/share/fish/vendor_completions.d/ec2hib.fish" ]
	[ -e "$DEST/etc/ec2hib.conf" ]
	# The unit file names the program where it is now, whatever configure was told.
	unit=$(find "$DEST" -name ec2hib.service)
	grep -qx 'ExecStart=/usr/sbin/ec2hib watch' "$unit"
	[ -z "$(find "$DEST" -name '*.wants' -o -path '*/init.d/*')" ]
	install_with uninstall
	run find "$DEST" ! -type d -o -name '*ec2hib*'
	echo "$output"
	[ -z "$output" ]
	# Once more is no error.
	install_with uninstall
}

@test "a configuration that somebody changed outlives install and uninstall" {
	[ -e "$BUILD/Makefile" ] || skip "this program was not built here"
	mkdir -p "$DEST/etc"
	echo '# mine' >"$DEST/etc/ec2hib.conf"
	install_with install
	install_with uninstall
	[ "$(cat "$DEST/etc/ec2hib.conf")" = '# mine' ]
}

@test "the script for System V init is installed when it is asked for" {
	[ -e "$BUILD/Makefile" ] || skip "this program was not built here"
	install_with install-sysv-script
	grep -qx 'program=/usr/sbin/ec2hib' "$DEST/etc/init.d/ec2hib"
	[ -x "$DEST/etc/init.d/ec2hib" ]
	install_with uninstall-sysv-script
	[ -z "$(find "$DEST" -type f)" ]
}

@test "quickstart takes one word that it knows, and lists packages" {
	run "$SOURCE/quickstart" --frob
	[ "$status" -eq 2 ]
	run "$SOURCE/quickstart" --list-packages extra
	[ "$status" -eq 2 ]
	run "$SOURCE/quickstart" --list-packages
	[ "$status" -eq 0 ]
	[[ " $output " == *" libjansson-dev "* ]]
}

@test "quickstart without a machine ends with what status says and what to try next" {
	local copy=$BATS_TEST_TMPDIR/copy
	mkdir -p "$copy/tests" "$copy/bin"
	cp "$SOURCE/quickstart" "$copy"
	cp -r "$SOURCE/tests/lab" "$copy/tests"
	chmod -R u+w "$copy"
	# Built already, and a status of its own; apt-get would be asked for what is missing.
	touch "$copy/configure" "$copy/Makefile"
	printf '#!/bin/sh\necho "status was run"\nexit 3\n' >"$copy/ec2hib"
	printf '#!/bin/sh\nexit 0\n' >"$copy/bin/make"
	printf '#!/bin/sh\nexit 1\n' >"$copy/bin/apt-get"
	chmod +x "$copy/ec2hib" "$copy/bin"/*
	run env PATH="$copy/bin:$PATH" LAB_CACHE="$BATS_TEST_TMPDIR/cache" "$copy/quickstart" --no-vm
	[[ $output == *"All of it is here."* ]] || skip "packages are missing"
	[ "$status" -eq 3 ]
	[[ $output == *"status was run"*"ec2hib tui --imds-endpoint"* ]]
}

@test "quickstart says why it cannot write its log" {
	[ "$(id -u)" -ne 0 ] || ! command -v setpriv || as_nobody=1
	mkdir -p "$BATS_TEST_TMPDIR/cache"
	echo "an old log" >"$BATS_TEST_TMPDIR/cache/quickstart-build.log"
	chmod 444 "$BATS_TEST_TMPDIR/cache/quickstart-build.log"
	chmod 755 "$BATS_TEST_TMPDIR" "$BATS_TEST_TMPDIR/cache"
	if [ -n "${as_nobody:-}" ]; then
		cp -r "$SOURCE/quickstart" "$BATS_TEST_TMPDIR"
		mkdir -p "$BATS_TEST_TMPDIR/tests"
		cp -r "$SOURCE/tests/lab" "$BATS_TEST_TMPDIR/tests"
		chmod -R a+rX "$BATS_RUN_TMPDIR"
		run env LAB_CACHE="$BATS_TEST_TMPDIR/cache" setpriv --reuid 65534 --regid 65534 \
			--clear-groups "$BATS_TEST_TMPDIR/quickstart" --no-vm
	else
		run env LAB_CACHE="$BATS_TEST_TMPDIR/cache" "$SOURCE/quickstart" --no-vm
	fi
	echo "$output"
	[ "$status" -eq 1 ]
	[[ "$output" == *"Cannot write $BATS_TEST_TMPDIR/cache/quickstart-build.log"* ]]
	[[ "$output" != *"an old log"* ]]
}
