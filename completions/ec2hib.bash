# SPDX-License-Identifier: GPL-3.0-or-later
# bash completion for ec2hib. The words come from the program's own command table.

# bash cuts --color=always and http://host at = and : as COMP_WORDBREAKS says. Fills words with
# whole ones up to the cursor, and cut with what of the last one bash does not replace.
_ec2hib_words() {
	local i word rest=${COMP_LINE:0:COMP_POINT}

	words=() cut=
	for ((i = 0; i <= COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		if [[ $rest == [[:blank:]]* || $i == 0 ]]; then
			rest=${rest#"${rest%%[![:blank:]]*}"}
			words+=("$word") cut=
		else
			cut=${words[-1]}
			words[-1]+=$word
			# Behind a break bash completes an empty word.
			[[ $word != [=:]* ]] || cut=${words[-1]}
		fi
		rest=${rest#"$word"}
	done
}

_ec2hib() {
	local current cut line program=${COMP_WORDS[0]}
	local -a words

	_ec2hib_words
	current=${words[-1]}
	# The candidates for --option=value are values.
	[[ $current != --*=* ]] || current=${current#*=}
	[[ $cut != --*=* ]] || cut=${cut#*=}
	COMPREPLY=()
	while IFS=$'\t' read -r line _; do
		case $line in
		:files)
			compopt -o filenames
			mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$current")
			;;
		:folders)
			compopt -o filenames
			mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -d -- "$current")
			;;
		*)
			# A name that a service or a file has is a word, never a command.
			[[ $line != *[^[:alnum:]_./:=,@%+-]* ]] || printf -v line %q "$line"
			COMPREPLY+=("$line")
			# Behind these something has to follow at once.
			[[ $line != *[=/] ]] || compopt -o nospace
			;;
		esac
	done < <("$program" __complete -- "${words[@]:1}" 2>/dev/null)
	COMPREPLY=("${COMPREPLY[@]#"$cut"}")
}

complete -F _ec2hib ec2hib
