#!/bin/sh
# make fuzz-short: each target for SECONDS (default 20), from its corpus and from what earlier runs added to it.
#     sh fuzz/short.sh FOLDER_OF_TARGETS [SECONDS]
# Prints the executions of each target; what is found is left in build/fuzz/found. Exit status 1 on a finding.
set -eu
cd "$(dirname "$0")/.."
targets=$1
seconds=${2:-20}
work=build/fuzz
mkdir -p "$work/found"
total=0
status=0
for target in gguf json npy pickle records safetensors tokenizer packed text split train_config; do
    mkdir -p "$work/new/$target"
    # Long inputs are slow and find little that short ones do not.
    set -- -max_len=4096
    case $target in
    text) set -- -max_len=256 ;;
    tokenizer) set -- -max_len=4096 -dict=fuzz/tokenizer.dict ;;
    esac
    if ! "$targets/fuzz_$target" -max_total_time="$seconds" "$@" -timeout=20 -print_final_stats=1 \
        -artifact_prefix="$work/found/$target-" "$work/new/$target" "fuzz/corpus/$target" >"$work/$target.log" 2>&1; then
        tail -40 "$work/$target.log"
        status=1
    fi
    count=$(sed -n 's/^stat::number_of_executed_units: *//p' "$work/$target.log")
    total=$((total + ${count:-0}))
    echo "fuzz_$target: ${count:-0} executions in $seconds s"
done
echo "$total executions"
exit $status
