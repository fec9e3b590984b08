#!/bin/sh
# The NEON kernels on an emulated AArch64: the library without its command, and the tests of the rooms that have inner
# loops or stand on them. Usage: neon.sh SOURCE_FOLDER BUILD_FOLDER
set -eu
source=$1 folder=$2/neon
compiler=aarch64-linux-gnu-gcc machine=qemu-aarch64
for tool in $compiler $machine; do
    if ! command -v $tool >/dev/null; then echo "skipped: no $tool"; exit 0; fi
done
rm -rf "$folder"
mkdir -p "$folder/objects"
cd "$source"

# As CMakeLists.txt has them, at less optimization: compiling is most of the time.
flags="-std=c11 -O1 -Wall -Wextra -Wpedantic -Wshadow -Wconversion -ffp-contract=off -D_POSIX_C_SOURCE=200809L"
flags="$flags -Isrc -Iinclude -Itests"
export compiler flags folder
# shellcheck disable=SC2016
find src/base src/format src/text src/vector src/model src/algo -name '*.c' ! -name 'kernels_avx*' |
    xargs -P "$(nproc)" -n 4 sh -c '
        for file; do
            $compiler $flags -c "$file" -o "$folder/objects/$(echo "$file" | tr / _).o" || exit 255
        done' compile

# What emulation makes minutes of is left out; test_digests looks whether whole answers are those of other machines.
slow="test_top test_deduplicate test_cluster"
for call in $slow; do slow_calls="${slow_calls:-}/^    $call();/d;"; done
data="-DWL_TEST_DATA=\"$source/tests\" -DWL_SHARED_DATA=\"\" -DWL_TEST_MODELS=\"\""
for test in test_vector test_screen test_algo; do
    sed "$slow_calls" tests/$test.c >"$folder/$test.c"
    faults=
    if grep -q '"fault.h"' tests/$test.c; then faults="-Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc"; fi
    # shellcheck disable=SC2086
    $compiler $flags -Wno-unused-function $data $faults -static "$folder/$test.c" "$folder"/objects/*.o -lm -pthread \
        -o "$folder/$test"
    echo "$test:"
    $machine "$folder/$test"
done
echo "skipped: of test_algo $slow, which take minutes here"
