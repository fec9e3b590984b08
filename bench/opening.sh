#!/bin/sh
# make bench-opening: how long each tokenizer takes to open, from its tokenizer.json and packed.
#     sh bench/opening.sh [TOKENIZER...]
# Prints for each file: best and median in milliseconds, page faults, the file.
set -eu
cd "$(dirname "$0")/.."
work=build/bench/opening
data=../shared/data/tokenizers
mkdir -p "$work"
cmake --preset release -DWORDLLAMA_BENCH=ON >"$work/cmake.log"
cmake --build --preset release --target bench_open wordllama_cli >"$work/build.log" || {
    cat "$work/build.log"
    exit 1
}
[ -d "$data" ] || { echo "bench: no $data, nothing to open"; exit 0; }
[ $# -gt 0 ] || set -- l2_supercat gpt2 llama3 t5-small xlm-roberta-base bert-base-uncased
echo "best ms	median	faults	file"
for name; do
    gzip -dc "$data/$name.json.gz" >"$work/$name.json"
    build/release/wordllama convert "$work/$name.json" "$work/$name.safetensors"
    build/release/bench/bench_open 30 "$work/$name.json"
    build/release/bench/bench_open 200 "$work/$name.safetensors"
done
