#!/bin/sh
# make bench-tokenizers: our tokenizer and its peers side by side.
#     sh bench/tokenizers.sh [--quick] [--tokenizers A,B] [--corpora X,Y] [--threads 1,2] [--turns N]
# What a peer needs is made in build/bench; a peer that cannot be made is left out with a line that says so.
set -eu
cd "$(dirname "$0")/.."
work=build/bench
data=../shared/data
mkdir -p "$work"

cmake --preset release -DWORDLLAMA_BENCH=ON >"$work/cmake.log"
cmake --build --preset release --target bench_tokenize >"$work/build.log" || {
    cat "$work/build.log"
    exit 1
}
[ -d "$data/speed" ] || { echo "bench: no $data/speed, nothing to tokenize"; exit 0; }

python=$work/tokenizers-venv/bin/python
[ -x "$python" ] || python3 -m venv "$work/tokenizers-venv"
while read -r peer; do
    "$python" -m pip install -q --disable-pip-version-check "$peer" >>"$work/pip.log" 2>&1 ||
        echo "bench: $peer cannot be installed ($work/pip.log), left out"
done <bench/tokenizers.txt

exec "$python" bench/compare_tokenizers.py --work "$work" --build build/release --data "$data" "$@"
