#!/bin/sh
# make bench-toolkit: ranking, deduplication, search, clustering and splitting, ours and the peers' side by side.
#     sh bench/toolkit.sh [--jobs A,B] [--tools ours,A] [--threads N] [--turns N]
# Jobs: dedup-10k, dedup-100k, rank, split, top-k, one, hamming, cluster. Without the shared data nothing runs.
set -eu
cd "$(dirname "$0")/.."
model=build/cache/models/l2_supercat_256
work=build/bench/toolkit
data=../shared/data
mkdir -p "$work"

cmake --preset release -DWORDLLAMA_BENCH=ON >"$work/cmake.log"
cmake --build --preset release --target bench_toolkit wordllama_cli >"$work/build.log" || {
    cat "$work/build.log"
    exit 1
}
[ -d "$data/train" ] && [ -d "$data/speed" ] || { echo "bench: no $data/train and speed, nothing to work on"; exit 0; }
[ -f "$model/model.safetensors" ] || { echo "bench: no model in $model, run make bench"; exit 0; }

python=build/toolkit/venv/bin/python
if [ ! -x "$python" ]; then
    python3 -m venv build/toolkit/venv
    "$python" -m pip install -q --disable-pip-version-check -r bench/toolkit.txt
fi

exec python3 bench/compare_toolkit.py --model "$model" --data "$data" --work "$work" --build build/release \
    --python "$python" "$@"
