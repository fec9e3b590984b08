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
if [ ! -x build/lint/bin/ruff ] || [ ! -x build/lint/bin/mypy ]; then
    python3 -m venv build/lint
    build/lint/bin/pip install --quiet --disable-pip-version-check ruff==0.14.5 mypy==1.18.2
fi
scripts=$(git ls-files '*.py')
if [ -n "$scripts" ]; then
    # shellcheck disable=SC2086
    build/lint/bin/ruff check --quiet --line-length 120 $scripts || failed=1
    # shellcheck disable=SC2086
    build/lint/bin/mypy --ignore-missing-imports --no-error-summary --scripts-are-modules $scripts || failed=1
fi
[ "$failed" -eq 0 ] && echo "lint: clean"
exit "$failed"
