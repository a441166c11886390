# shellcheck shell=bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# systemd for the lab's small instance: the packages of this machine's distribution, unpacked and
# kept like the kernel, and of them only the manager and what hibernates. No udev, no journal, no
# generators: the service that runs the lab's steps does what they would do.

# What a machine without systemd may not have of its libraries comes along.
SYSTEMD_PACKAGES="systemd libsystemd-shared libapparmor1 libip4tc2 libkmod2 libseccomp2"

# systemd's own way off, instead of the lab's short one.
# shellcheck disable=SC2034 # read by machine.sh
LAB_POWER_OFF='systemctl poweroff; sleep infinity'

# Fetches and unpacks the packages once. Sets SYSTEMD (the folder).
systemd_tree() {
	local package
	SYSTEMD=$LAB_CACHE/systemd
	[[ ! -e $SYSTEMD/complete ]] || return 0
	rm -rf "$SYSTEMD"
	mkdir -p "$SYSTEMD/packages"
	# shellcheck disable=SC2086 # words
	(
		cd "$SYSTEMD/packages"
		apt-get download -qq -o APT::Sandbox::User="$(id -un)" $SYSTEMD_PACKAGES
	) >>"$LOG" 2>&1 || fail "cannot download $SYSTEMD_PACKAGES"
	for package in "$SYSTEMD"/packages/*.deb; do
		dpkg-deb -x "$package" "$SYSTEMD"
	done
	rm -r "$SYSTEMD/packages"
	touch "$SYSTEMD/complete"
}

# The instance of lab_machine() has systemd for its first process.
with_systemd() {
	systemd_tree
	systemd_files
	systemd_lab_service
	rm "$FILES/usr/sbin/init"
	ln -s /usr/lib/systemd/systemd "$FILES/usr/sbin/init"
}

systemd_files() {
	local from=$SYSTEMD/lib/systemd to=$FILES/usr/lib/systemd name
	local libraries=$SYSTEMD/usr/lib/x86_64-linux-gnu
	[[ -d $from ]] || from=$SYSTEMD/usr/lib/systemd
	mkdir -p "$to/system"
	for name in systemd systemd-executor systemd-shutdown systemd-sleep; do
		[[ ! -e $from/$name ]] || systemd_put "$from/$name" "usr/lib/systemd/$name"
	done
	for name in "$SYSTEMD"/{usr/,}bin/systemctl; do
		[[ ! -e $name ]] || systemd_put "$name" usr/bin/systemctl
	done
	for name in "$libraries"/systemd/*.so; do
		[[ ! -e $name ]] || systemd_put "$name" "${name#"$SYSTEMD/"}"
	done
	for name in "$from"/system/*.{target,slice} \
		"$from"/system/systemd-{hibernate,poweroff}.service; do
		[[ -L $name ]] || put "usr/lib/systemd/system/${name##*/}" <"$name"
	done
}

# systemd_put FILE PATH: with the libraries it wants.
systemd_put() {
	local libraries=$SYSTEMD/usr/lib/x86_64-linux-gnu
	put "$2" <"$1"
	chmod 755 "$FILES/$2"
	BASE=$FILES LD_LIBRARY_PATH=$libraries:$libraries/systemd:$SYSTEMD/lib/x86_64-linux-gnu \
		systemd_copy_libraries "$1"
}

systemd_copy_libraries() {
	local name path
	while read -r name path; do
		[[ -e $FILES/lib/x86_64-linux-gnu/$name || $path == */systemd/*.so ]] ||
			put "usr/lib/x86_64-linux-gnu/$name" <"$path"
	done < <(ldd "$1" | awk '$2 == "=>" { print $1, $3 }')
}

# The steps are served by what the small instance has for it: its first process, without what
# systemd has done by then.
systemd_lab_service() {
	put usr/local/sbin/lab-service < <(
		sed -e '/^mount_kernel_file_systems$/d' \
			-e 's/^give_files_to_root$/mount -o remount,rw \/; mkdir -p \/run\/lab; &/' \
			"$LAB/guest/init"
	)
	chmod 755 "$FILES/usr/local/sbin/lab-service"
	put etc/systemd/system/lab.service <<-END
		[Unit]
		Description=Steps that arrive on the serial line
		DefaultDependencies=no
		[Service]
		ExecStart=/usr/local/sbin/lab-service
		SendSIGHUP=yes
	END
	put etc/systemd/system/default.target <<-END
		[Unit]
		Description=The lab
		Requires=basic.target lab.service
		After=basic.target
		AllowIsolate=yes
	END
}
