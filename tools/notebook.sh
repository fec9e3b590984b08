#!/bin/sh
# Executes docs/word_llama.ipynb from top to bottom and holds its outputs against those that are stored (notebook.py).
# Usage: tools/notebook.sh [--write]; --write stores the outputs instead.
# The package is installed from this checkout, or with WORD_LLAMA_PATH=FOLDER taken from there as it is.
set -eu
cd "$(dirname "$0")/.."
venv=build/notebook/venv
if ! cmp -s tools/notebook.txt build/notebook/installed.txt || [ ! -x $venv/bin/python ]; then
    python3 -m venv --clear $venv
    $venv/bin/python -m pip install -q --disable-pip-version-check -r tools/notebook.txt
    cp tools/notebook.txt build/notebook/installed.txt
fi
if [ -n "${WORD_LLAMA_PATH:-}" ]; then
    PYTHONPATH=$(cd "$WORD_LLAMA_PATH" && pwd)
    export PYTHONPATH
else
    unset PYTHONPATH
    $venv/bin/python -m pip install -q --disable-pip-version-check .
fi
WORDLLAMA_CACHE=${WORDLLAMA_CACHE:-build/cache}
mkdir -p "$WORDLLAMA_CACHE"
WORDLLAMA_CACHE=$(cd "$WORDLLAMA_CACHE" && pwd)
export WORDLLAMA_CACHE
$venv/bin/python -c 'import word_llama; word_llama.pull("l2_supercat_256")'
$venv/bin/python tools/notebook.py "$@" docs/word_llama.ipynb
