#!/bin/sh
# The adapters (python/word_llama/adapters) with the libraries of tools/adapters.txt, in build/adapters/venv.
# Usage: tools/test_adapters.sh [ARGUMENT OF PYTEST...]
# WORD_LLAMA_PATH: the folder that holds a built word_llama; unset: pip builds and installs it. WORDLLAMA_CACHE: where
# the default model is, or is fetched to (build/cache). A library that cannot be installed is skipped.
set -eu
cd "$(dirname "$0")/.."
work=build/adapters
python=$work/venv/bin/python
export WORDLLAMA_CACHE="${WORDLLAMA_CACHE:-$PWD/build/cache}"

# The oldest that there is: new ones lack wheels for a while. Shims of pyenv may be there and refuse to start.
first=
for name in python3.11 python3.12 python3.13 python3; do
    "$name" -c 'import sys, venv, ssl; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue
    first=$name
    break
done
[ -n "$first" ] || { echo "skipped: there is no CPython 3.11 or later"; exit 0; }

install() {
    "$python" -m pip install -q --disable-pip-version-check "$@"
}

[ -x "$python" ] || "$first" -m venv "$work/venv"
if ! install -r tools/adapters.txt 2>"$work/pip.log"; then
    while read -r library; do
        install "$library" 2>>"$work/pip.log" || echo "skipped: $library cannot be installed ($work/pip.log)"
    done <tools/adapters.txt
fi
if [ -n "${WORD_LLAMA_PATH:-}" ]; then
    export PYTHONPATH="$WORD_LLAMA_PATH"
else
    install --force-reinstall --no-deps .
fi
"$python" -c 'import word_llama; word_llama.load()'
"$python" -m pytest -q -rs -p no:cacheprovider python/tests_adapters "$@"
