#!/bin/sh
# A build with Arrow in build/arrow, and what it reads compared (parity_parquet.py).
set -eu
cd "$(dirname "$0")/.."
[ -x build/arrow/venv/bin/python ] || python3 -m venv build/arrow/venv
build/arrow/venv/bin/python -m pip install -q --disable-pip-version-check pyarrow
root=$(build/arrow/venv/bin/python -c 'import pyarrow; pyarrow.create_library_symlinks(); print(*pyarrow.get_library_dirs())')
cmake -S . -B build/arrow/release -G Ninja -DCMAKE_BUILD_TYPE=Release -DWORDLLAMA_ARROW=ON -DWORDLLAMA_TESTS=OFF \
    "-DWORDLLAMA_ARROW_ROOT=$root" >build/arrow/log 2>&1 || { cat build/arrow/log; exit 1; }
cmake --build build/arrow/release
build/arrow/release/wordllama pull
build/arrow/venv/bin/python tools/parity_parquet.py build/arrow/release/wordllama-train l2_supercat_256
