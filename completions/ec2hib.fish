# SPDX-License-Identifier: GPL-3.0-or-later
# fish completion for ec2hib. The words come from the program's own command table.

function __ec2hib_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    # fish replaces the whole of --option=value.
    set -l option (string match -r -- '^--[^=]*=' $current)
    set -l program $words[1]
    set -e words[1]

    for line in ($program __complete -- $words "$current" 2>/dev/null)
        switch $line
            case ':files'
                __ec2hib_files "$option" "$current"
            case ':folders'
                __ec2hib_files "$option" "$current" | string match -r '^.*/(?=\t|$)'
            case '*'
                echo "$option$line"
        end
    end
end

# Names of files, each with the option in front that stands there.
function __ec2hib_files -a option current
    set -l typed (string replace -- "$option" '' "$current")
    for name in (complete -C "'' $typed")
        echo "$option$name"
    end
end

complete -c ec2hib -f -a '(__ec2hib_complete)'
