#!/bin/sh
# The shared library exports wl_ symbols that the header declares and nothing else, and needs libc, libm and threads
# alone. Usage: symbols.sh LIBRARY HEADER
set -eu
failed=0 passed=0
check() { if "$@"; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "failed: $*"; fi; }
declared() { grep -q "\b$1(" "$header"; }
may_need() { case $1 in libc.so.*|libm.so.*|libpthread.so.*|ld-linux*) true ;; *) false ;; esac; }
library=$1 header=$2
symbols=$(nm -D --defined-only "$library" | awk '{print $3}')
for symbol in $symbols; do
    check declared "$symbol"
done
for function in $(sed -n 's/^WL_API.*[ *]\(wl_[a-z0-9_]*\)(.*/\1/p' "$header"); do
    check test -n "$(echo "$symbols" | grep -x "$function")"
done
for needed in $(readelf -d "$library" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'); do
    check may_need "$needed"
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 20 ]
