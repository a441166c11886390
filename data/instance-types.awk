# SPDX-License-Identifier: GPL-3.0-or-later
# From data/instance-types.tsv, the rows of its families and its date as C. What is not of that form
# ends the build.
BEGIN {
	FS = "\t"
	print "/* Made from data/instance-types.tsv. */"
}

function fail(why) {
	print FILENAME ":" FNR ": " why >"/dev/stderr"
	failed = 1
	exit 1
}

$1 == "# date" {
	if (date || $2 !~ /^[0-9][0-9][0-9][0-9]-[0-9][0-9]$/)
		fail("not one date as 2026-08")
	date = $2
	print "#define INSTANCE_TYPES_DATE \"" date "\""
	print "static const struct family families[] = {"
	next
}
/^#/ {
	next
}
!date || NF != 3 || $1 !~ /^[a-z0-9-]+$/ || $2 !~ /^[a-z0-9 -]+$/ || $3 !~ /^[a-z0-9 -]+$/ {
	fail("not a date, then rows of a family and its two lists of sizes")
}
{
	rows++
	print "\t{ \"" $1 "\", \"" $2 "\", \"" $3 "\" },"
}

END {
	if (failed)
		exit 1
	if (!rows)
		fail("no families")
	print "};"
}
