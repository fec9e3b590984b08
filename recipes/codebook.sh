#!/bin/sh
# A model of the token embeddings of a language model, and one for bits.
#   sh recipes/codebook.sh CONFIG
set -eu
recipes=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=recipes/steps.sh
. "$recipes/steps.sh"

extract_all() {
    if [ -z "$source" ]; then
        find_minilm
        source=$minilm
    fi
    number=0
    for one in "$source" $more_sources; do
        number=$((number + 1))
        mkdir -p "$output/source-$number"
        "$wordllama" extract "$one" "$output/source-$number/" --allow-padding
    done
    if [ "$number" -gt 1 ]; then
        "$wordllama" concat "$output"/source-* -o "$output/codebook.safetensors"
    else
        cp "$output/source-1/model.safetensors" "$output/codebook.safetensors"
    fi
    cp "$output/source-1/tokenizer.json" "$output/tokenizer.json"
}

prepare_texts() {
    find_files "$texts"
    # shellcheck disable=SC2086
    "$wordllama" prepare $files -o "$output/texts.safetensors" --tokenizer "$output/tokenizer.json" \
        --evaluation "$evaluation"
}

# learn FOLDER CONFIG
learn() {
    "$wordllama" train "$recipes/$2" --name "$name" --codebook "$output/codebook.safetensors" \
        --tokenizer "$output/tokenizer.json" --data "$output/texts.safetensors" --evaluation "$evaluation" \
        -o "$output/$1" --force
}

step codebook.safetensors extract_all
step texts.safetensors prepare_texts
step "dense/${name}_256.safetensors" learn dense codebook.json
step "bits/${name}_256_binary.safetensors" learn bits codebook_bits.json
