"""The seed's own way to take a codebook out of a shard: safetensors and torch. Usage: extract_peer.py SHARD NAME OUT"""

import sys

from safetensors.torch import safe_open, save_file

shard, name, out = sys.argv[1:]
with safe_open(shard, "pt") as file:
    table = file.get_tensor(name)
save_file({"embedding.weight": table.half()}, out)
