#!/bin/sh
# Extraction from a checkpoint of the shape of a model of 70 billion parameters: 128256 x 8192 in BF16, 2.1 GB, in the
# first of 30 shards, from the page cache, to the same file system and to memory; beside it what copying costs (dd), and
# what the seed does, with safetensors and torch. Usage: extract.sh PYTHON
set -eu
here=$(cd "$(dirname "$0")" && pwd)
command=$here/../build/release/wordllama-train
python=$1
folder=$(mktemp -d "$here/../build/extract.XXXXXX")
memory=$(mktemp -d /dev/shm/extract.XXXXXX 2>/dev/null || mktemp -d "$folder/memory.XXXXXX")
trap 'rm -rf "$folder" "$memory"' EXIT
python3 - "$folder" <<'PYTHON'
import json, struct, sys

folder, rows, dim, rest = sys.argv[1], 128256, 8192, 1 << 30
table = rows * dim * 2
header = json.dumps({
    "model.embed_tokens.weight": {"dtype": "BF16", "shape": [rows, dim], "data_offsets": [0, table]},
    "model.layers.0.rest": {"dtype": "BF16", "shape": [rest], "data_offsets": [table, table + 2 * rest]},
}).encode()
header += b" " * (-len(header) % 8)
shard = "model-00001-of-00030.safetensors"
with open(f"{folder}/{shard}", "wb") as file:
    file.write(struct.pack("<Q", len(header)) + header)
    file.truncate(8 + len(header) + table + 2 * rest)
with open(f"{folder}/model.safetensors.index.json", "w") as file:
    json.dump({"weight_map": {"model.embed_tokens.weight": shard, "model.layers.0.rest": shard,
                              "lm_head.weight": "model-00030-of-00030.safetensors"}}, file)
PYTHON
shard=$folder/model-00001-of-00030.safetensors
head -c 2200000000 "$shard" >/dev/null # into the page cache
python3 - "$command" "$python" "$here/extract_peer.py" "$folder" "$shard" "$memory" <<'PYTHON'
import os, subprocess, sys, time

command, python, peer, folder, shard, memory = sys.argv[1:]
size = 128256 * 8192 * 2


def run(arguments, out):
    begun = time.perf_counter()
    process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begun
    if status:
        sys.exit(f"failed: {' '.join(arguments)}")
    os.unlink(out)
    return seconds, usage.ru_maxrss / 1024


ways = {}
for name, place in (("to memory", memory), ("to disk, synced", folder)):
    out = f"{place}/out.safetensors"
    copy = ["dd", f"if={shard}", f"of={out}", "bs=1M", f"count={size >> 20}"] + (["conv=fsync"] if "disk" in name else [])
    ways[f"dd of as many bytes, {name}"] = (copy, out)
    ways[f"wordllama, {name}"] = ([command, "extract", folder, out], out)
    ways[f"wordllama --dtype bf16, {name}"] = ([command, "extract", folder, out, "--dtype", "bf16"], out)
    if name == "to memory" and os.path.exists(python):
        ways[f"safetensors and torch, {name}"] = ([python, peer, shard, "model.embed_tokens.weight", out], out)
for name, (arguments, out) in ways.items():
    figures = [run(arguments, out) for _ in range(3)]
    seconds = min(figure[0] for figure in figures)
    print(f"{name:42} {seconds:7.2f} s  {size / seconds / 1e9:5.2f} GB/s  {max(f[1] for f in figures):8.1f} MB peak")
if not os.path.exists(python):
    print("skipped: safetensors and torch, for there is no such Python (make parity-extract makes it)")
PYTHON
