#!/usr/bin/env python3
"""Writes small checkpoints as transformers and PyTorch write them, and what their token embeddings are.

    pip install transformers==5.24.0 torch==2.15.0 safetensors==0.8.0       (Python 3.11, NumPy 2.4)
    python3 tools/golden_checkpoints.py                   the golden data, tests/golden/checkpoints
    python3 tools/golden_checkpoints.py --all FOLDER      every architecture, format, division and type, 280 folders

A folder ARCHITECTURE-FORMAT-DIVISION-TYPE holds a model with random weights: config.json, tokenizer.json (one word for
each id), the weights, and expected.f32, model.get_input_embeddings().weight as F32, little-endian, with expected.json:
{"tensor", "rows", "dim", "scale"}, scale naming the tensor by which the numbers were multiplied, or null.
    FORMAT      safetensors, or bin: torch.save of the state_dict under the names that transformers used before 5
    DIVISION    whole or sharded
    TYPE        F64, F32, F16, BF16, F8_E4M3 (cast, without a scale), F8_E5M2 (one scale), I8 (a scale for each row)
The golden data also hold
    cases/*.pt                  PyTorch files that are special; tests/test_checkpoint.c says what is expected of each
    cases/numbers.safetensors   numbers of each type, and as NAME.expected what PyTorch's .float() makes of them
"""

import argparse
import collections
import json
import os
import shutil
import sys
from pathlib import Path

import torch
import transformers
from huggingface_hub import split_torch_state_dict_into_shards
from safetensors.torch import save_file
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

GOLDEN = Path("tests/golden/checkpoints")
CHOSEN = [
    "bert-bin-whole-F32",
    "deberta-v2-safetensors-sharded-F16",
    "gemma-safetensors-whole-F32",
    "gpt2-safetensors-whole-F64",
    "llama-bin-whole-I8",
    "llama-safetensors-sharded-BF16",
    "mistral-bin-sharded-F16",
    "mistral-safetensors-whole-I8",
    "phi3-bin-whole-F8_E5M2",
    "phi3-safetensors-whole-F16",
    "qwen2-bin-whole-BF16",
    "qwen2-bin-whole-F64",
    "qwen3-bin-whole-F8_E4M3",
    "qwen3-safetensors-whole-F8_E4M3",
    "t5-bin-sharded-F32",
    "t5-safetensors-sharded-F8_E5M2",
]
TYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "F8_E4M3": torch.float8_e4m3fn,
    "F8_E5M2": torch.float8_e5m2,
    "I8": torch.int8,
}
Tensors = dict[str, torch.Tensor]


# ---- models


def decoder(kind: str, vocabulary: int) -> transformers.PreTrainedModel:
    """One layer of what Llama and its relatives are."""
    config = transformers.AutoConfig.for_model(
        kind, vocab_size=vocabulary, hidden_size=8, intermediate_size=12, num_hidden_layers=1, num_attention_heads=2,
        num_key_value_heads=1, head_dim=4, max_position_embeddings=16, bos_token_id=1, eos_token_id=2, pad_token_id=0,
    )
    return transformers.AutoModelForCausalLM.from_config(config)


def gpt2() -> transformers.PreTrainedModel:
    return transformers.GPT2LMHeadModel(
        transformers.GPT2Config(vocab_size=50, n_embd=8, n_layer=1, n_head=2, n_positions=16, bos_token_id=1,
                                eos_token_id=2)
    )


def bert() -> transformers.PreTrainedModel:
    return transformers.BertForMaskedLM(
        transformers.BertConfig(vocab_size=60, hidden_size=12, num_hidden_layers=1, num_attention_heads=2,
                                intermediate_size=12, max_position_embeddings=16)
    )


def deberta() -> transformers.PreTrainedModel:
    return transformers.DebertaV2Model(
        transformers.DebertaV2Config(vocab_size=70, hidden_size=8, num_hidden_layers=1, num_attention_heads=2,
                                     intermediate_size=12, max_position_embeddings=16)
    )


def t5() -> transformers.PreTrainedModel:
    return transformers.T5ForConditionalGeneration(
        transformers.T5Config(vocab_size=80, d_model=8, d_kv=4, d_ff=12, num_layers=1, num_heads=2)
    )


MODELS = {
    "llama": lambda: decoder("llama", 64),
    "mistral": lambda: decoder("mistral", 48),
    "gemma": lambda: decoder("gemma", 96),
    "qwen2": lambda: decoder("qwen2", 56),
    "qwen3": lambda: decoder("qwen3", 72),
    "phi3": lambda: decoder("phi3", 40),
    "gpt2": gpt2,
    "bert": bert,
    "deberta-v2": deberta,
    "t5": t5,
}


def write_tokenizer(vocabulary: int, path: Path) -> None:
    words = {"[UNK]": 0} | {f"w{i}": i for i in range(1, vocabulary)}
    tokenizer = Tokenizer(WordLevel(words, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.save(str(path), pretty=False)


# ---- files


def quantize(tensors: Tensors, kind: str) -> Tensors:
    """The tensors with matrices in a type of 8 bits, and their scales beside them."""
    made = {}
    for name, tensor in tensors.items():
        if tensor.dim() != 2 or kind == "F8_E4M3":
            made[name] = tensor.to(TYPES[kind]) if tensor.dim() == 2 else tensor
            continue
        if kind == "I8":
            scale = tensor.abs().amax(1, keepdim=True).clamp_min(1e-6) / 127
            made[name] = (tensor / scale).round().to(torch.int8)
        else:
            scale = tensor.abs().amax().reshape(1) / 30000
            made[name] = (tensor / scale).to(torch.float8_e5m2)
        made[name + "_scale"] = scale
    return made


def shard_size(tensors: Tensors, sharded: bool) -> int:
    """For about three shards, or one."""
    return sum(tensor.nbytes for tensor in tensors.values()) * 2 // 5 if sharded else 10**9


def save_shards(tensors: Tensors, folder: Path, form: str, sharded: bool) -> None:
    """What save_pretrained does, for state_dicts that it would not write."""
    pattern = "model{suffix}.safetensors" if form == "safetensors" else "pytorch_model{suffix}.bin"
    plan = split_torch_state_dict_into_shards(
        tensors, filename_pattern=pattern, max_shard_size=shard_size(tensors, sharded)
    )
    for file, names in plan.filename_to_tensors.items():
        part = collections.OrderedDict((name, tensors[name]) for name in names)
        if form == "safetensors":
            save_file({name: tensor.contiguous() for name, tensor in part.items()}, folder / file, {"format": "pt"})
        else:
            torch.save(part, folder / file)
    if plan.is_sharded:
        index = {"metadata": plan.metadata, "weight_map": plan.tensor_to_filename}
        path = folder / (pattern.format(suffix="") + ".index.json")
        path.write_text(json.dumps(index, indent=2, sort_keys=True) + "\n")


def write_folder(parent: Path, name: str) -> None:
    architecture, form, division, kind = name.rsplit("-", 3)
    folder = parent / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    torch.manual_seed(sum(architecture.encode()))
    model = MODELS[architecture]().eval()
    table = model.get_input_embeddings().weight
    tensor = next(key for key, value in model.named_parameters() if value is table)
    model.config.save_pretrained(folder)
    write_tokenizer(table.shape[0], folder / "tokenizer.json")
    sharded = division == "sharded"
    scale = None
    if TYPES[kind].itemsize > 1:
        model.to(TYPES[kind])
        if form == "safetensors":
            model.save_pretrained(folder, max_shard_size=shard_size(model.state_dict(), sharded))
            (folder / "generation_config.json").unlink(missing_ok=True)
        else:
            save_shards(model.state_dict(), folder, form, sharded)
        loaded = type(model).from_pretrained(folder, dtype="auto", use_safetensors=form == "safetensors")
        expected = loaded.get_input_embeddings().weight.detach()
        assert expected.dtype == TYPES[kind] and torch.equal(expected, model.get_input_embeddings().weight)
        expected = expected.float()
    else:
        tensors = quantize({key: value.detach().clone() for key, value in model.state_dict().items()}, kind)
        save_shards(tensors, folder, form, sharded)
        expected = tensors[tensor].float()
        if tensor + "_scale" in tensors:
            scale = tensor + "_scale"
            expected = expected * tensors[scale]
    assert (len(list(folder.glob("*.index.json"))) == 1) == sharded
    (folder / "expected.f32").write_bytes(expected.numpy().astype("<f4").tobytes())
    about = {"tensor": tensor, "rows": expected.shape[0], "dim": expected.shape[1], "scale": scale}
    (folder / "expected.json").write_text(json.dumps(about) + "\n")


# ---- special files


class Command:
    """Pickles as a call of a function; the readers must refuse it."""

    def __init__(self, function: object, *arguments: object) -> None:
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


def write_cases(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    table = torch.arange(12, dtype=torch.float32).reshape(3, 4)
    trained = {
        "epoch": 3,
        "global_step": 10**30,
        "loss": -0.5,
        "best": None,
        "state_dict": collections.OrderedDict(table=table, tied=table),
        "optimizer_states": [{"state": {0: {"momentum": table.clone()}}, "groups": [{"betas": (0.9, 1)}]}],
        "seen": {1, 2},
        "rng": bytearray(b"\1\2"),
        "note": b"bytes",
        "device": torch.device("cpu"),
        "shape": torch.Size([3, 4]),
        "dtype": torch.bfloat16,
        "milestones": collections.Counter([2, 2, 5]),
        "negative": [-1, -200, -70000, -(2**40), 2**40, 300, True, False],
    }
    torch.save(trained, folder / "nested.pt")
    torch.save(trained, folder / "nested_protocol4.pt", pickle_protocol=4)
    torch.save(trained, folder / "nested_protocol5.pt", pickle_protocol=5)
    for name in ("model", "module"):
        torch.save({"args": {"state_dict": 1}, name: {"table": table}}, folder / f"{name}.pt")
    torch.save({"model": {"table": table}, "best_val_loss": torch.tensor(1.5)}, folder / "beside.pt")
    torch.save({"table": torch._neg_view(table)}, folder / "negated.pt")
    marked = torch.nn.Parameter(table.clone())
    marked.shard = 1  # type: ignore[attr-defined]
    torch.save({"table": torch.nn.Parameter(table), "marked": marked}, folder / "parameter.pt")
    views = {
        "whole": table,
        "rows": table[1:],
        "row": table[2],
        "one_row": table[1:2],
        "columns": table[:, 1:3],
        "transposed": table.T,
        "expanded": table[0].expand(2, 4),
        "empty": torch.zeros(0, 5),
        "number": torch.tensor(7.0),
    }
    torch.save(views, folder / "views.pt")
    kinds = [
        "float64", "float32", "float16", "bfloat16", "float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz",
        "float8_e5m2fnuz", "float8_e8m0fnu", "int64", "int32", "int16", "int8", "uint64", "uint32", "uint16", "uint8",
        "bool", "complex64", "complex128",
    ]  # fmt: skip
    torch.save({kind: torch.ones(2).to(getattr(torch, kind)) for kind in kinds}, folder / "types.pt")
    torch.save({"table": table}, folder / "legacy.pt", _use_new_zipfile_serialization=False)
    torch.save(table, folder / "bare.pt")
    torch.save(torch.nn.Linear(2, 2), folder / "module_object.pt")
    torch.save({"model": {"table": table}, "args": argparse.Namespace(x=1)}, folder / "namespace.pt")
    torch.save({"table": table, "run": Command(os.system, "echo never")}, folder / "system.pt")
    torch.save({"table": table, "run": Command(eval, "print('never')")}, folder / "eval.pt")
    torch.jit.script(torch.nn.Linear(2, 2)).save(str(folder / "script.pt"))
    tiny = torch.randint(0, 2**62, (512,), generator=torch.Generator().manual_seed(1))
    # Exponents around those of float32, half of them with a fraction that lies between two float32.
    doubles = ((tiny % 300 + 870) << 52 | tiny >> 10 << 28 & 0xFFFFFF0000000 | (tiny & 1) << 28).view(torch.float64)
    # 2048, of all kinds: where the count is no multiple of PyTorch's vectors, a NaN among the last few gets another
    # payload than those before.
    halves = (torch.arange(-1024, 1024) * 32 + torch.arange(2048) % 23).to(torch.int16)
    doubles[:4] = torch.tensor([0.0, -0.0, float("inf"), -float("inf")])
    numbers = {
        "F64": torch.cat([doubles, -doubles]),
        "F32": table,
        "F16": halves.view(torch.float16),
        "BF16": halves.view(torch.bfloat16),
        "F8_E4M3": torch.arange(-128, 128, dtype=torch.int8).view(torch.float8_e4m3fn),
        "F8_E5M2": torch.arange(-128, 128, dtype=torch.int8).view(torch.float8_e5m2),
        "I8": torch.arange(-128, 128, dtype=torch.int8),
    }
    expected = {f"{name}.expected": tensor.float() for name, tensor in numbers.items()}
    save_file({name: tensor.clone() for name, tensor in (numbers | expected).items()}, folder / "numbers.safetensors")


# ---- main


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--all", type=Path, metavar="FOLDER", help="write every combination there")
    options = parser.parse_args()
    versions = (transformers.__version__, torch.__version__.split("+")[0])
    if versions != ("5.24.0", "2.15.0"):
        sys.exit(f"expected transformers 5.24.0 and torch 2.15.0, found {versions}")
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    if options.all:
        names = [
            f"{architecture}-{form}-{division}-{kind}"
            for architecture in MODELS
            for form in ("safetensors", "bin")
            for division in ("whole", "sharded")
            for kind in TYPES
        ]
        for name in names:
            write_folder(options.all, name)
        print(f"{len(names)} folders in {options.all}")
        return
    shutil.rmtree(GOLDEN, ignore_errors=True)
    for name in CHOSEN:
        write_folder(GOLDEN, name)
    write_cases(GOLDEN / "cases")
    print(f"{sum(file.stat().st_size for file in GOLDEN.rglob('*') if file.is_file())} bytes in {GOLDEN}")


if __name__ == "__main__":
    main()
