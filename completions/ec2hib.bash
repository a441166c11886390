# SPDX-License-Identifier: GPL-3.0-or-later
# bash completion for ec2hib. The words come from the program's own command table.

_ec2hib() {
	local current=${COMP_WORDS[COMP_CWORD]} line program=${COMP_WORDS[0]}
	local -a words=("${COMP_WORDS[@]:1:COMP_CWORD}")

	COMPREPLY=()
	while IFS=$'\t' read -r line _; do
		case $line in
		:files)
			compopt -o filenames
			mapfile -t COMPREPLY < <(compgen -f -- "$current")
			;;
		:folders)
			compopt -o filenames
			mapfile -t COMPREPLY < <(compgen -d -- "$current")
			;;
		*)
			COMPREPLY+=("$line")
			;;
		esac
	done < <("$program" __complete -- "${words[@]}" 2>/dev/null)
}

complete -F _ec2hib ec2hib
