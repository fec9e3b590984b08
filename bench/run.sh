#!/bin/sh
# make bench-embed: our library and its peers side by side, on one core.
#     sh bench/run.sh [MODEL]      MODEL: a folder (default build/cache/models/l2_supercat_256)
# What a peer needs is made in build/bench; a peer that cannot be made is left out with a line that says so.
set -eu
cd "$(dirname "$0")/.."
model=${1:-build/cache/models/l2_supercat_256}
work=build/bench
data=../shared/data
mkdir -p "$work"

cmake --preset release -DWORDLLAMA_BENCH=ON >"$work/cmake.log"
cmake --build --preset release --target bench_embed wordllama_cli >"$work/build.log" || {
    cat "$work/build.log"
    exit 1
}
[ -d "$data/speed" ] || { echo "bench: no $data/speed, nothing to embed"; exit 0; }
[ -f "$model/model.safetensors" ] || { echo "bench: no model in $model, run make bench-embed"; exit 0; }

[ -x "$work/venv/bin/python" ] || python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install -q --disable-pip-version-check -r bench/requirements.txt >"$work/pip.log" 2>&1 ||
    echo "bench: the Python peers cannot be installed ($work/pip.log), left out"

if ! command -v cargo >/dev/null; then
    echo "bench: no cargo, model2vec-rs left out"
elif ! CARGO_TARGET_DIR=$work/target cargo build -q --release \
    --manifest-path bench/model2vec_rs/Cargo.toml >"$work/cargo.log" 2>&1; then
    echo "bench: model2vec-rs cannot be built ($work/cargo.log), left out"
fi

exec python3 bench/compare.py --model "$model" --data "$data" --work "$work" --build build/release
