#!/usr/bin/env zsh
# SPDX-License-Identifier: GPL-3.0-or-later
# complete.zsh FOLDER LINE: what a zsh that finds completions in FOLDER offers at the end of LINE, a
# match a line. It is an interactive zsh at a terminal of its own, whose compadd says what it gets.

if [[ $1 == --inside ]]; then
	PS1= PS2= RPS1=
	stty -echo
	fpath=($2 $fpath)
	autoload -U compinit
	compinit -u -D
	bindkey "^I" complete-word
	capture_begin() { print -r -- "=begin=" }
	capture_end() { print -r -- "=end="; exit }
	compprefuncs=(capture_begin) comppostfuncs=(capture_end)
	compadd() {
		local -a hits prefix
		if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then
			builtin compadd "$@"
			return
		fi
		# A folder that stands in front (-p) is not in the matches.
		zparseopts -E -a prefix p:
		builtin compadd -A hits "$@"
		((!$#hits)) || print -rl -- ${IPREFIX}${prefix[2]}${^hits}
		builtin compadd "$@"
	}
	print -r -- "=ready" "now="
	return
fi

zmodload zsh/zpty || exit 77
zpty shell zsh -f -i
zpty -w shell "source ${(q)0:A} --inside ${(q)1}"
zpty -r shell line '*=ready now=*'
zpty -w -n shell "$2"$'\t'
while zpty -r shell line; do
	line=${line//$'\r'/}
	line=${line%$'\n'}
	case $line in
	*=begin=*) inside=1 ;;
	*=end=*) break ;;
	*) [[ -z $inside ]] || print -r -- "$line" ;;
	esac
done
zpty -d shell
