#!/bin/sh
# proto_fields_have_a_use.sh FILE… - fail when a field does not say who needs it.
#
# A field nobody reads is a question nobody should have asked a frightened child's teacher. Each
# field's line ends in a comment that holds "use: " and a word; a list of reserved numbers or an
# enum's value is no field.
status=0
for file in "$@"; do
        awk -v file="$file" '
                /^[ \t]*(required|optional|repeated)[ \t]/ {
                        fields++
                        if ($0 !~ /;[ \t]*\/\/.*use: [A-Za-z]/) {
                                printf "%s:%d: no \"use:\": %s\n", file, NR, $0
                                bad++
                        }
                }
                END {
                        if (fields == 0) {
                                printf "%s: holds no field at all\n", file
                                bad++
                        }
                        exit bad > 0
                }' "$file" >&2 || status=1
done
exit $status
