#!/bin/sh
# Includes run one way only: a room sees itself and the rooms below it. Usage: includes.sh SOURCE_DIR
set -eu
cd "$1"
allowed() { # the rooms that a room may include
    case $1 in
        base) echo "base" ;;
        format) echo "base format" ;;
        text) echo "base format text" ;;
        vector) echo "base format vector" ;;
        model) echo "base format text vector model" ;;
        algo) echo "base format text vector model algo" ;;
        data) echo "base format text vector model algo data" ;;
        eval) echo "base format text vector model algo matrix data eval" ;;
        train) echo "base format text vector model algo hub matrix data extract eval train" ;;
        hub) echo "base format hub" ;;
        matrix) echo "base matrix" ;;
        extract) echo "base format text vector model algo hub matrix extract" ;;
        *) echo "" ;;
    esac
}
checked=0 failed=0
# Inside text/, the folders that hold one stage each see only the stages before.
stages() {
    case $1 in
        unicode) echo "unicode" ;;
        pattern) echo "unicode pattern" ;;
        normalize) echo "unicode pattern normalize" ;;
        pretokenize) echo "unicode pattern normalize pretokenize" ;;
        models) echo "unicode models" ;;
        *) echo "any" ;;
    esac
}
for file in src/text/*/*.[ch]; do
    stage=${file#src/text/}
    seen=$(stages "${stage%%/*}")
    [ "$seen" = any ] && continue
    for target in $(sed -n 's|^#include "text/\([a-z_/]*\).*|\1|p' "$file"); do
        checked=$((checked + 1))
        case " $seen " in
            *" ${target%%/*} "*) ;;
            *) failed=$((failed + 1)); echo "failed: $file includes text/$target" ;;
        esac
    done
done
for file in src/*/*.[ch] src/*/*/*.[ch]; do
    room=${file#src/}
    room=${room%%/*}
    for target in $(sed -n 's|^#include "\([a-z]*\)/.*|\1|p' "$file"); do
        checked=$((checked + 1))
        case " $(allowed "$room") " in
            *" $target "*) ;;
            *) failed=$((failed + 1)); echo "failed: $file includes from $target/" ;;
        esac
    done
done
echo "$checked passed, $failed failed" | sed "s/^$checked/$((checked - failed))/"
[ "$checked" -gt 50 ] && [ "$failed" -eq 0 ]
