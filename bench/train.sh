#!/bin/sh
# make bench-train: steps of training against the reference's way in torch, memory, large batches; and whole runs, from
# a codebook to scored models. Minutes. Usage: train.sh PYTHON [PART...]
# Parts: steps, large, memory, table, batch, runs, full (default: all). PYTHON: with torch, sentence-transformers and
# NumPy, as the make target installs them. OPENBLAS_CORETYPE chooses OpenBLAS's kernels, as always; where it is set, the
# steps are also timed without it.
set -eu
cd "$(dirname "$0")/.."
python=$1
shift
work=build/bench/training
data=../shared/data
mkdir -p "$work"
build=${BUILD:-build/release}
cmake -S . -B "$build" -DWORDLLAMA_BENCH=ON >"$work/cmake.log"
cmake --build "$build" --target bench_train_step wordllama_cli wordllama_train_cli >"$work/build.log" || {
    cat "$work/build.log"
    exit 1
}
exec "$python" bench/train.py "$build" "$work" "$data" "$@"
