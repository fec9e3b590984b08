#!/bin/sh
# The documents' examples, run as they stand.
#   tests/test_readme.sh BINARY MODEL SOURCE BUILD
#     BINARY  the command wordllama
#     MODEL   folder of the model l2_supercat_256, which some examples name
#     SOURCE  the checkout; README.md and docs/manual/*.md are read
#     BUILD   the folder that holds libwordllama.a
# A fenced block marked `console` is a session: each line "$ command" must print the lines that follow it, standard
# error included. A line that ends in \ goes on in the next. The block marked `c` in README.md must compile without a
# warning, and print the block marked `text` that follows it next.
set -u

[ $# -eq 4 ] || { echo "usage: $0 BINARY MODEL SOURCE BUILD" >&2; exit 2; }
absolute() {
    case $1 in
    /*) echo "$1" ;;
    *) echo "$PWD/$1" ;;
    esac
}
binary=$(absolute "$1") model=$(absolute "$2") source=$(absolute "$3") build=$(absolute "$4")

if [ ! -e "$model" ]; then
    echo "skipped: no model at $model (wordllama pull fetches it)"
    exit 77
fi
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

unset WORDLLAMA_MODEL WORDLLAMA_POLICY WORDLLAMA_THREADS NO_COLOR
export WORDLLAMA_CACHE="${model%/models/*}" # the model by its name, as the documents call it
mkdir "$work/bin" "$work/place" "$work/case"
cp -R "$source/demo" "$work/place/demo"
ln -s "$binary" "$work/bin/wordllama"
PATH=$work/bin:$PATH
export PATH

passed=0 failed=0
# check NAME EXPECTED FOUND
check() {
    if cmp -s "$2" "$3"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'FAIL %s\n' "$1"
        diff "$2" "$3" | sed 's/^</  expected: /; s/^>/  found:    /; /^[0-9-]/d'
    fi
}

# Writes DIRECTORY/NNN.{place,command,expected} for each command of a document's sessions.
split_sessions() {
    awk -v directory="$2" -v place="$3" '
        function start(text) {
            base = sprintf("%s/%03d", directory, ++count)
            printf "%s:%d\n", place, FNR > (base ".place")
            printf "" > (base ".expected")
            add(text)
        }
        function add(text) {
            print text > (base ".command")
            more = text ~ /\\$/
        }
        /^```/ {
            inside = !inside && $0 == "```console"
            base = ""
            more = 0
            next
        }
        !inside { next }
        more { add($0); next }
        /^\$ / { start(substr($0, 3)); next }
        base != "" { print > (base ".expected") }
    ' "$1"
}

for document in "$source/README.md" "$source"/docs/manual/*.md; do
    [ -e "$document" ] || continue
    name=${document#"$source"/}
    rm -f "$work"/case/*
    split_sessions "$document" "$work/case" "$name"
    for command in "$work"/case/*.command; do
        [ -e "$command" ] || continue
        case=${command%.command}
        (cd "$work/place" && sh "$command" </dev/null >"$case.found" 2>&1)
        check "$(cat "$case.place"): $(head -n 1 "$command")" "$case.expected" "$case.found"
    done
done

# The C example and what it prints.
awk -v directory="$work" '
    /^```/ {
        if (target != "") { target = ""; next }
        if ($0 == "```c" && !program) { program = 1; target = directory "/example.c"; next }
        if ($0 == "```text" && program && !output) { output = 1; target = directory "/example.expected"; next }
        target = "/dev/null"
        next
    }
    target != "" && target != "/dev/null" { print > target }
' "$source/README.md"
if [ ! -s "$work/example.c" ] || [ ! -s "$work/example.expected" ]; then
    echo "FAIL README.md: no C example with its output"
    failed=$((failed + 1))
elif ! ${CC:-cc} ${CFLAGS-} -std=c11 -Wall -Wextra -Werror -I"$source/include" "$work/example.c" "$build/libwordllama.a" \
    -lpthread -lm -o "$work/example" >"$work/compiler" 2>&1; then
    echo "FAIL README.md: the C example does not compile"
    sed 's/^/  /' "$work/compiler"
    failed=$((failed + 1))
else
    "$work/example" "$source/models" >"$work/example.found" 2>&1
    check "README.md: the C example" "$work/example.expected" "$work/example.found"
fi

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
