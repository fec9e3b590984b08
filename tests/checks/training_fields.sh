#!/bin/sh
# The documents name every field of a training run, with its default, and no other. Usage: training_fields.sh SOURCE_DIR
set -eu
cd "$1"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# FIELD(KIND, name, "flag", "default", ...
sed -n 's/^FIELD([A-Z]*, \([a-z0-9_]*\), "\([^"]*\)", "\([^"]*\)",.*/\1\t\2\t\3/p' src/train/config_fields.def >"$work/fields"
[ "$(wc -l <"$work/fields")" -eq "$(grep -c '^FIELD(' src/train/config_fields.def)" ] ||
    { echo "config_fields.def has a field that is written in another way"; exit 1; }

# name TAB default, sorted
cut -f 1,3 "$work/fields" | sort >"$work/wanted"
sed -n '/^## All fields/,$s/^| `\([a-z0-9_]*\)` | \([^|]*\)|.*/\1\t\2/p' docs/training.md | sed 's/ *$//' | sort >"$work/guide"
# flag TAB default; what is no field of a run is left out
cut -f 2,3 "$work/fields" | sort >"$work/wanted_flags"
sed -n '/^## Options/,/^## Examples/p' docs/manual/train.md |
    sed -n 's/^| .*`--\([a-z0-9-]*\).*(default \([^)]*\)) |$/\1\t\2/p; t
            s/^| .*`--\([a-z0-9-]*\).*|$/\1\t/p' |
    grep -v -e '^resume	' -e '^force	' -e '^plot	' -e '^help	' | sort >"$work/manual"

failed=0
compare() { # DOCUMENT WANTED FOUND
    diff "$2" "$3" >"$work/difference" && return
    failed=1
    echo "$1 and src/train/config_fields.def differ:"
    sed -n 's/^</  missing or other:/p; s/^>/  found:/p' "$work/difference"
}
compare docs/training.md "$work/wanted" "$work/guide"
compare docs/manual/train.md "$work/wanted_flags" "$work/manual"
exit "$failed"
