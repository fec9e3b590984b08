#!/bin/sh
# The x86-64 baseline runs without AVX: an emulated Nehalem gives the same bits. Usage: nehalem.sh BINARY MODEL_FOLDER
set -eu
binary=$1 model=$2
if ! command -v qemu-x86_64 >/dev/null; then echo "skipped: no qemu-x86_64"; exit 0; fi
if [ ! -e "$model/model.safetensors" ]; then echo "skipped: no model in $model"; exit 0; fi
cpu=$(qemu-x86_64 -cpu Nehalem "$binary" info "$model" 2>&1 | sed -n 's/^cpu: *//p')
here=$("$binary" embed --model "$model" "I went to the car" "" "Hello, world")
there=$(qemu-x86_64 -cpu Nehalem "$binary" embed --model "$model" "I went to the car" "" "Hello, world")
if [ "$cpu" = generic ] && [ "$here" = "$there" ]; then
    echo "2 passed, 0 failed"
else
    echo "failed: cpu '$cpu', same vectors: $([ "$here" = "$there" ] && echo yes || echo no)"
    exit 1
fi
