#!/bin/sh
# A model of nothing but texts and teachers: a vocabulary, a table that learns what the teachers say, a rotation so that
# it can be cut, and a second table for 64 bits.
#   sh recipes/distil.sh CONFIG
set -eu
recipes=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=recipes/steps.sh
. "$recipes/steps.sh"
mkdir -p "$output/models"

# train NAME CONFIG FLAG...: in the folder NAME of the output. Where there are no triplets nothing learns from them.
train() {
    name=$1 config=$2
    shift 2
    if [ -n "$triplets" ]; then cat "$recipes/$config"; else grep -v '"triplet"' "$recipes/$config"; fi >"$output/$config"
    "$wordllama" train "$output/$config" --tokenizer "$output/tokenizer.json" -o "$output/$name" --force "$@"
}

with_targets() {
    printf '{"path": "%s", "targets": "%s"}' "$(absolute "$output/texts.safetensors")" "$(absolute "$output/$1")"
}

# ---- texts -----------------------------------------------------------------------------------------------------------

# What is long is left out, measured by a tokenizer that is there before the model's own.
find_texts() {
    find_files "$texts"
    # shellcheck disable=SC2086
    "$wordllama" prepare $files -o "$output/pool.safetensors" --sentences "$sentences" --max-tokens 64 \
        --model l2_supercat_256 --evaluation "$evaluation" --texts "$output/pool.txt"
    rm "$output/pool.safetensors"
}

prepare_texts() {
    "$wordllama" prepare "$output/pool.txt" -o "$output/texts.safetensors" --tokenizer "$output/tokenizer.json" \
        --texts "$output/texts.txt"
}

prepare_triplets() {
    "$wordllama" prepare "$triplets" -o "$output/triplets.safetensors" --tokenizer "$output/tokenizer.json" \
        --evaluation "$evaluation"
}

step pool.txt find_texts
step tokenizer.json "$wordllama" vocab "$output/pool.txt" -o "$output/tokenizer.json" --size "$vocabulary" --pieces "$pieces"
step texts.safetensors prepare_texts

# ---- teachers --------------------------------------------------------------------------------------------------------

ask_transformer() {
    find_python
    if [ -z "$teacher" ]; then
        find_minilm
        teacher=$minilm
    fi
    "$python" "$recipes/teacher.py" "$teacher" "$output/texts.txt" "$output/transformer.npy" --precision "$precision" \
        --max-tokens 64
}

ask_static() {
    number=0
    for static in $static_teachers; do
        number=$((number + 1))
        "$wordllama" embed --model "${static%:*}" --input "$output/texts.txt" --norm --format npy \
            --output "$output/static-$number.npy"
    done
}

join_teachers() {
    number=0
    set -- "$output/transformer.npy"
    for static in $static_teachers; do
        number=$((number + 1))
        set -- "$@" "$output/static-$number.npy:${static##*:}"
    done
    "$wordllama" targets "$@" -o "$output/targets.safetensors" --dim 256 --whitening "$whitening"
}

step transformer.npy ask_transformer
[ -z "$static_teachers" ] || step static-1.npy ask_static
step targets.safetensors join_teachers

# ---- the table -------------------------------------------------------------------------------------------------------

rotate_targets() {
    "$wordllama" targets "$output/targets.safetensors" -o "$output/turned.safetensors" \
        --rotation "$output/rotation/rotation_rotation.safetensors"
}

fine_data() {
    printf '[%s' "$(with_targets turned.safetensors)"
    [ -z "$triplets" ] || printf ', {"path": "%s", "weight": %s}' "$(absolute "$output/triplets.safetensors")" "$triplet_weight"
    printf ']'
}

step start.safetensors "$wordllama" average "$output/texts.safetensors" "$output/targets.safetensors" \
    -o "$output/start.safetensors" --tokenizer "$output/tokenizer.json"
step "base/base_256.safetensors" train base base.json --codebook "$output/start.safetensors" \
    --data "[$(with_targets targets.safetensors)]"
step "rotation/rotation_256.safetensors" train rotation rotation.json \
    --codebook "$output/base/base_256.safetensors" --data "[$(with_targets targets.safetensors)]"
step turned.safetensors rotate_targets
[ -z "$triplets" ] || step triplets.safetensors prepare_triplets

step model/model_256.safetensors train model fine.json --codebook "$output/rotation/rotation_256.safetensors" \
    --data "$(fine_data)"
step bits/wordllama_64_binary.safetensors train bits bits.json \
    --codebook "$output/rotation/rotation_256.safetensors" --data "$(fine_data)"

# ---- what is handed out ----------------------------------------------------------------------------------------------

for file in model.safetensors tokenizer.json config.json modules.json; do
    cp "$output/model/model/$file" "$output/models/$file"
done
cp "$output/bits/wordllama_64_binary.safetensors" "$output/models/"
echo "$output/models:"
ls -l "$output/models"
