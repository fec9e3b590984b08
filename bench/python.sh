#!/bin/sh
# make bench-python: what the Python package costs over the C library, and what it takes against the Python peers.
# Usage: python.sh PYTHON [PART...]   Parts: embed, call, list, start, sentences (default: all).
# PYTHON: of the environment that this fills with our wheel and the peers. WHEEL: another wheel than the one built.
set -eu
cd "$(dirname "$0")/.."
python=$1
shift
work=build/bench/python
data=../shared/data
build=${BUILD:-build/release}
wheel=${WHEEL:-$(ls -t build/python/dist/*.whl 2>/dev/null | head -n 1)}
mkdir -p "$work"
[ -d "$data/speed" ] || { echo "bench: no $data/speed, nothing to embed"; exit 0; }
[ -f "$wheel" ] || { echo "bench: no wheel in build/python/dist, build it first"; exit 1; }

cmake -S . -B "$build" -DWORDLLAMA_BENCH=ON >"$work/cmake.log"
cmake --build "$build" --target bench_embed wordllama_shared >"$work/build.log" || {
    cat "$work/build.log"
    exit 1
}

pip="$python -m pip -q --disable-pip-version-check"
$pip install wordllama==0.4.0.post1 model2vec==0.10.0 >"$work/pip.log" 2>&1 ||
    echo "bench: the peers cannot be installed ($work/pip.log), left out"
$pip install numpy==2.4.6
$pip install --no-deps --force-reinstall "$wheel"

# An environment with nothing but our package: no NumPy, as far as Python is concerned.
[ -x "$work/bare/bin/python" ] || "$python" -m venv --without-pip "$work/bare"
$pip --python "$work/bare/bin/python" install --no-deps --force-reinstall "$wheel"

exec "$python" bench/python.py "$build" "$work" "$data" "$@"
