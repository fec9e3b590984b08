#!/bin/sh
# What is installed can be used: from CMake (static and shared), from pkg-config, from C++, and from one bare compiler
# line. Usage: install.sh BUILD_DIR SOURCE_DIR
set -eu
build=$1 source=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0
cmake --install "$build" --prefix "$work/root" >/dev/null
library=$(dirname "$(find "$work/root" -name libwordllama.a)")
cat >"$work/main.c" <<'C'
#include <stdio.h>
#include <wordllama.h>
int main(void)
{
    wl_error error;
    if (wl_model_open("/nowhere", NULL, &error)) return 1;
    printf("%s %s\n", wl_version(), wl_status_name(error.code));
    return 0;
}
C
cat >"$work/CMakeLists.txt" <<'C'
cmake_minimum_required(VERSION 3.21)
project(user C)
find_package(wordllama 0.1 REQUIRED)
add_executable(static main.c)
target_link_libraries(static wordllama::wordllama)
add_executable(shared main.c)
target_link_libraries(shared wordllama::wordllama_shared)
C
expect() { # NAME COMMAND...
    name=$1
    shift
    got=$("$@" 2>&1) || true
    if [ "$got" = "0.1.0 WL_ERROR_NOT_FOUND" ]; then passed=$((passed + 1)); else
        echo "failed: $name: $got"
        echo "$passed passed, 1 failed"
        exit 1
    fi
}
cmake -S "$work" -B "$work/build" -DCMAKE_PREFIX_PATH="$work/root" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
cmake --build "$work/build" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
expect "CMake, static" "$work/build/static"
expect "CMake, shared" "$work/build/shared"
flags=$(PKG_CONFIG_PATH="$library/pkgconfig" pkg-config --cflags --libs wordllama)
# shellcheck disable=SC2086
cc -o "$work/pc" "$work/main.c" $flags
expect "pkg-config" env LD_LIBRARY_PATH="$library" "$work/pc"
# The library from its sources with one compiler line: no configure step is needed for the plain C kernels.
cc -std=c11 -D_POSIX_C_SOURCE=200809L -ffp-contract=off -I"$source/include" -I"$source/src" -o "$work/bare" \
    -DWL_PLAIN_KERNELS "$work/main.c" $(ls "$source"/src/base/*.c "$source"/src/format/*.c "$source"/src/text/*.c "$source"/src/text/*/*.c \
    "$source"/src/vector/*.c "$source"/src/model/*.c "$source"/src/algo/*.c | grep -v -e kernels_avx -e kernels_neon) -lm -lpthread
expect "one compiler line" "$work/bare"
if command -v c++ >/dev/null; then
    cp "$work/main.c" "$work/main.cpp"
    c++ -I"$work/root/include" -o "$work/cpp" "$work/main.cpp" "$library/libwordllama.a" -lm -lpthread
    expect "C++" "$work/cpp"
else
    echo "skipped: C++ (no compiler)"
fi
[ -s "$work/root/share/man/man1/wordllama-embed.1" ] || { echo "failed: no manual page"; exit 1; }
echo "$passed passed, 0 failed"
