#!/bin/sh
# Formatting and static checks of everything that git knows. Usage: tools/lint.sh
set -eu
cd "$(dirname "$0")/.."
failed=0
sources=$(git ls-files '*.c' '*.h' | grep -v _tables.c)
# shellcheck disable=SC2086
clang-format --dry-run -Werror $sources || failed=1
cmake --preset clang >/dev/null
git ls-files 'src/*.c' 'cli/*.c' | grep -v -e _tables.c |
    xargs -P "$(nproc)" -n 4 clang-tidy --quiet -p build/clang 2>/dev/null || failed=1
# The extension modules are built by pip: they have no database of compile commands.
headers=$(python3 -c 'import sysconfig; print(sysconfig.get_paths()["include"])')
if [ -f "$headers/Python.h" ]; then
    # shellcheck disable=SC2046
    clang-tidy --quiet $(git ls-files 'python/src/*.c') -- -std=c11 -D_POSIX_C_SOURCE=200809L -Iinclude -Isrc -Ipython/src \
        -isystem "$headers" 2>/dev/null || failed=1
else
    echo "skipped: no Python.h in $headers: the extension modules are not checked"
fi
if [ ! -x build/lint/bin/ruff ] || [ ! -x build/lint/bin/mypy ]; then
    python3 -m venv build/lint
    build/lint/bin/pip install --quiet --disable-pip-version-check ruff==0.14.5 mypy==1.18.2 numpy==2.4.6 pytest==9.0.1 hypothesis==6.148.2
fi
# shellcheck disable=SC2046
build/lint/bin/ruff check --quiet --line-length 120 $(git ls-files '*.py') || failed=1
# shellcheck disable=SC2046
build/lint/bin/ruff format --quiet --check --line-length 120 $(git ls-files 'python/*.py') || failed=1
build/lint/bin/mypy --no-error-summary python/word_llama || failed=1
for folder in bench recipes python/tests python/tests_plain python/tests_reference python/tests_adapters tools; do
    scripts=$(git ls-files "$folder/*.py")
    # shellcheck disable=SC2086
    [ -z "$scripts" ] || MYPYPATH=python build/lint/bin/mypy --config-file= --ignore-missing-imports --no-error-summary \
        --scripts-are-modules $scripts || failed=1
done
[ "$failed" -eq 0 ] && echo "lint: clean"
exit "$failed"
