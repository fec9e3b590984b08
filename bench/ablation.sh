#!/bin/sh
# What each ingredient of recipes/distil.sh gives: the recipe with one thing left out or changed, over several seeds.
#   sh bench/ablation.sh CONFIG [SEEDS]      CONFIG: of a recipe that was run (make model); SEEDS: default 3
# Prints a table of Markdown: for each variant, the mean of the groups of the config's evaluation sets with 256, 128 and
# 64 dimensions and as many bits, mean and standard deviation over the seeds. Half a minute a variant and seed for a
# million texts.
set -eu
seeds=${2:-3}
set -- ${1+"$1"}
recipes=$(cd "$(dirname "$0")/../recipes" && pwd)
# shellcheck source=recipes/steps.sh
. "$recipes/steps.sh"
folder=$output/ablation
mkdir -p "$folder"

static() { # NUMBER: the static teacher of that number, with its weight
    # shellcheck disable=SC2086
    set -- "$1" $static_teachers
    shift "$1"
    printf '%s' "${1##*:}"
}

targets() { # NAME WHITENING TEACHER...
    name=$1 how=$2
    shift 2
    [ -e "$folder/$name.targets" ] ||
        "$wordllama" targets "$@" -o "$folder/$name.targets" --dim 256 --whitening "$how" >"$folder/log"
}

data() { # TEXTS TARGETS
    printf '[{"path": "%s", "targets": "%s"}]' "$(absolute "$1")" "$(absolute "$2")"
}

with_triplets() { # TEXTS TARGETS
    data "$1" "$2" | sed "s|]\$|, {\"path\": \"$(absolute "$output/triplets.safetensors")\", \"weight\": $triplet_weight}]|"
}

# base NAME TEXTS TARGETS TOKENIZER FLAG...: from the mean of the targets to the base, for each seed.
base() {
    name=$1 texts=$2 targets=$3 tokenizer=$4
    shift 4
    "$wordllama" average "$texts" "$targets" -o "$folder/start.safetensors" --tokenizer "$tokenizer" "$@" >"$folder/log"
    for seed in $(seq 0 $((seeds - 1))); do
        [ -e "$folder/$name.$seed/base_256.safetensors" ] ||
            "$wordllama" train "$recipes/base.json" --tokenizer "$tokenizer" --codebook "$folder/start.safetensors" \
                --data "$(data "$texts" "$targets")" --seed "$seed" -o "$folder/$name.$seed" --force >"$folder/log"
    done
    report "$name" base_256
}

rotate() { # of the full base of each seed
    for seed in $(seq 0 $((seeds - 1))); do
        [ ! -e "$folder/rotated.$seed/rotation_256.safetensors" ] || continue
        "$wordllama" train "$recipes/rotation.json" --tokenizer "$output/tokenizer.json" --seed "$seed" \
            --codebook "$folder/full.$seed/base_256.safetensors" -o "$folder/rotated.$seed" --force \
            --data "$(data "$output/texts.safetensors" "$output/targets.safetensors")" >"$folder/log"
        "$wordllama" targets "$output/targets.safetensors" -o "$folder/turned.$seed.targets" \
            --rotation "$folder/rotated.$seed/rotation_rotation.safetensors" >"$folder/log"
    done
    report rotated rotation_256
}

# fine NAME FLAG...: from the rotated base of each seed, or with NAME unrotated from the base itself.
fine() {
    name=$1
    shift
    for seed in $(seq 0 $((seeds - 1))); do
        [ ! -e "$folder/$name.$seed/model_256.safetensors" ] || continue
        from=$folder/rotated.$seed/rotation_256.safetensors targets=$folder/turned.$seed.targets
        [ "$name" != unrotated ] || { from=$folder/full.$seed/base_256.safetensors; targets=$output/targets.safetensors; }
        all=$(with_triplets "$output/texts.safetensors" "$targets")
        [ "$name" != no_triplets ] || all=$(data "$output/texts.safetensors" "$targets")
        "$wordllama" train "$recipes/fine.json" --tokenizer "$output/tokenizer.json" --codebook "$from" --data "$all" \
            --seed "$seed" -o "$folder/$name.$seed" --force "$@" >"$folder/log"
    done
    report "$name" model_256
}

# report NAME FILE: a line of the table.
report() {
    for seed in $(seq 0 $((seeds - 1))); do
        "$wordllama" eval "$folder/$1.$seed/$2.safetensors" "$evaluation" --dims 256,128,64 --binary | sed -n 's/^mean of the groups *//p'
    done | awk -v name="$1" '
        { for (i = 1; i <= NF; i++) { sum[i] += $i; square[i] += $i * $i } }
        END {
            printf "| %s |", name
            for (i = 1; i <= NF; i++) {
                mean = sum[i] / NR; variance = square[i] / NR - mean * mean
                deviation = (NR > 1 && variance > 0) ? sqrt(variance * NR / (NR - 1)) : 0
                printf " %.2f ± %.2f |", mean, deviation
            }
            print ""
        }'
}

transformer=$output/transformer.npy first=$output/static-1.npy:$(static 1) second=$output/static-2.npy:$(static 2)
texts=$output/texts.safetensors tokenizer=$output/tokenizer.json

echo '| variant | 256 | 128 | 64 | 256 bits | 128 bits | 64 bits |'
echo '|---|---|---|---|---|---|---|'
base full "$texts" "$output/targets.safetensors" "$tokenizer"
targets no_whitening 0 "$transformer" "$first" "$second"
base no_whitening "$texts" "$folder/no_whitening.targets" "$tokenizer"
targets transformer_alone "$whitening" "$transformer"
base transformer_alone "$texts" "$folder/transformer_alone.targets" "$tokenizer"
targets no_transformer "$whitening" "$first" "$second"
base no_transformer "$texts" "$folder/no_transformer.targets" "$tokenizer"
targets no_first_static "$whitening" "$transformer" "$second"
base no_first_static "$texts" "$folder/no_first_static.targets" "$tokenizer"
targets no_second_static "$whitening" "$transformer" "$first"
base no_second_static "$texts" "$folder/no_second_static.targets" "$tokenizer"
base no_sif "$texts" "$output/targets.safetensors" "$tokenizer" --sif 0
small=$folder/small.json
"$wordllama" vocab "$output/pool.txt" -o "$small" --size 30000 --pieces "$pieces" >"$folder/log"
"$wordllama" prepare "$output/texts.txt" -o "$folder/small.safetensors" --tokenizer "$small" --keep-duplicates >"$folder/log"
base half_vocabulary "$folder/small.safetensors" "$output/targets.safetensors" "$small"
rotate
fine model
fine unmixed --mix 0
fine halves --save-as f16
fine unrotated
fine no_triplets --losses '[{"kind": "distill_cosine", "dims": [256]}, {"kind": "distill_distributions", "weight": 0.1, "scale": 20, "dims": [256, 128, 64]}]'
fine no_distributions --losses '[{"kind": "distill_cosine", "dims": [256]}, {"kind": "triplet", "weight": 4, "scale": 10, "dims": [256]}]'
