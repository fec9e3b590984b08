"""Training, codebooks and evaluation from Python."""

from __future__ import annotations

import gzip
import io
import json
import math
import os
import random
import signal
import struct
import sys
import threading
from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest

_train = pytest.importorskip("word_llama._train", reason="word_llama was built without its training part")

from word_llama.extract import extract_from_hf, extract_hf, extract_safetensors  # noqa: E402
from word_llama import _native, codebooks, evaluation, training  # noqa: E402
from word_llama._progress import reporter  # noqa: E402

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
WORDS = "car road tree leaf sea ship bird wing cat paw dog tail sun sky rain cloud".split()
ROWS, DIM = len(WORDS) + 1, 8

# ---- small files -----------------------------------------------------------------------------------------------------


def write_safetensors(path: Path, tensors: dict[str, tuple[str, list[int], bytes]]) -> None:
    header, blob = {}, b""
    for name, (dtype, shape, data) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(blob), len(blob) + len(data)]}
        blob += data
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + blob)


def read_safetensors(path: Path) -> dict[str, tuple[str, list[int], bytes]]:
    data = path.read_bytes()
    (size,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8 : 8 + size])
    blob = data[8 + size :]
    return {
        name: (entry["dtype"], entry["shape"], blob[slice(*entry["data_offsets"])])
        for name, entry in header.items()
        if name != "__metadata__"
    }


def write_tokenizer(path: Path, words: Sequence[str] = WORDS) -> None:
    vocabulary = {word: i for i, word in enumerate(["[UNK]", *words])}
    tokenizer: dict[str, object] = {
        "version": "1.0",
        "added_tokens": [],
        "normalizer": None,
        "pre_tokenizer": {"type": "Whitespace"},
        "post_processor": None,
        "decoder": None,
        "model": {"type": "WordLevel", "vocab": vocabulary, "unk_token": "[UNK]"},
    }
    path.write_text(json.dumps(tokenizer))


def numbers(seed: int, count: int) -> array[float]:
    draw = random.Random(seed)
    return array("f", (draw.gauss(0, 1) for _ in range(count)))


def write_codebook(folder: Path, seed: int = 1, name: str = "embedding.weight") -> Path:
    folder.mkdir()
    write_tokenizer(folder / "tokenizer.json")
    path = folder / "model.safetensors"
    write_safetensors(path, {name: ("F32", [ROWS, DIM], numbers(seed, ROWS * DIM).tobytes())})
    return path


def write_lines(path: Path, records: Sequence[object]) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def write_pairs(path: Path, count: int = 200) -> Path:
    draw = random.Random(7)
    texts = [" ".join(draw.choices(WORDS, k=5)) for _ in range(2 * count)]
    texts += ["car", "car"]  # is dropped, which a message says
    return write_lines(path, [{"anchor": a, "positive": b} for a, b in zip(texts[::2], texts[1::2], strict=True)])


@pytest.fixture
def codebook(tmp_path: Path) -> Path:
    return write_codebook(tmp_path / "codebook")


@pytest.fixture
def settings(tmp_path: Path, codebook: Path) -> dict[str, Any]:
    """A run of 40 small steps."""
    data = write_pairs(tmp_path / "pairs.jsonl")
    return {
        "codebook": codebook,
        "data": [data],
        "output": tmp_path / "out",
        "name": "tiny",
        "dim": 4,
        "batch_size": 16,
        "steps": 40,
        "epochs": 100,
        "evaluate_every": 0,
        "unique_texts": False,
        "threads": 1,
    }


# ---- fetching --------------------------------------------------------------------------------------------------------


def test_known_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "l2_supercat_256" in codebooks.known_models()
    monkeypatch.setenv("WORDLLAMA_CACHE", str(tmp_path))
    assert codebooks.cache_directory() == tmp_path
    with pytest.raises(FileNotFoundError):
        codebooks.pull("l2_supercat_256", offline=True)
    with pytest.raises(FileNotFoundError, match="l2_supercat_256"):
        codebooks.pull("l3_supercat", offline=True)


def test_hub_offline(tmp_path: Path) -> None:
    with pytest.raises(OSError):
        _train.hub_fetch("owner/name", "file", cache=tmp_path, offline=True)
    with pytest.raises(OSError):
        _train.hub_fetch_model("owner/name", cache=tmp_path, offline=True)


def test_arguments() -> None:
    with pytest.raises(ValueError, match="null"):
        _train.pull("a\0b")
    with pytest.raises(TypeError):
        _train.pull(5)
    with pytest.raises(TypeError, match="callable"):
        _train.pull("a", progress=5)
    with pytest.raises(TypeError, match="sequence"):
        _train.concat("one", "out")
    with pytest.raises(ValueError, match="4294967295"):
        _train.concat(["one"], "out", threads=-1)
    with pytest.raises(ValueError, match="'bf16'"):
        _train.extract("source", "out", stored_as="f64")
    with pytest.raises(TypeError, match="tuple"):
        _train.train(None, ["steps"])


def test_missing_library() -> None:
    reason = ImportError("libopenblas.so.0: cannot open shared object file")
    missing = _native._Missing(reason)  # type: ignore[attr-defined]
    with pytest.raises(ImportError, match=r"train needs \(libopenblas.*libopenblas-dev.*pip install"):
        missing.train  # noqa: B018
    assert not hasattr(missing, "__wrapped__")


# ---- codebooks -------------------------------------------------------------------------------------------------------


def test_extract(tmp_path: Path) -> None:
    source = write_codebook(tmp_path / "model", name="model.embed_tokens.weight")
    told: list[tuple[int, int]] = []
    result = codebooks.extract(
        source.parent,
        tmp_path / "out.safetensors",
        stored_as="f32",
        progress=lambda done, total: told.append((done, total)),
    )
    assert (result.rows, result.dim, result.vocabulary) == (ROWS, DIM, ROWS)
    assert (result.tensor, result.stored, result.revision) == ("model.embed_tokens.weight", "F32", "")
    assert result.tokenizer == tmp_path / "tokenizer.json" and result.tokenizer.exists()
    dtype, shape, data = read_safetensors(result.path)["embedding.weight"]
    assert (dtype, shape) == ("F32", [ROWS, DIM])
    assert data == numbers(1, ROWS * DIM).tobytes()
    assert told[-1][0] == told[-1][1] > 0
    folder = codebooks.extract(source, str(tmp_path / "new") + "/")
    assert folder.path == tmp_path / "new" / "model.safetensors"
    assert read_safetensors(folder.path)["embedding.weight"][0] == "F16"


def test_extract_failures(tmp_path: Path, codebook: Path) -> None:
    target = tmp_path / "out.safetensors"
    with pytest.raises(FileNotFoundError):
        codebooks.extract(codebook, target, tensor="no.such")
    with pytest.raises(_train.WordLlamaError, match="expects 128256") as caught:
        codebooks.extract(codebook, target, config="llama3_8B")
    assert caught.value.code == "WL_ERROR_MISMATCH"
    assert caught.value.file == str(codebook)
    with pytest.raises(RuntimeError, match="from the callback"):
        codebooks.extract(codebook, target, progress=raise_it)
    with pytest.raises(KeyboardInterrupt):
        codebooks.extract(codebook, target, progress=lambda done, total: False)
    assert not target.exists()


def test_extract_by_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The names of the seed and of the reference, with a config and a hub's cache made here."""
    config = {"model": "owner/tiny", "dim": DIM, "vocabulary": ROWS, "pad_token": "[UNK]"}
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "tiny.json").write_text(json.dumps(config))
    repository = tmp_path / "hub" / "models--owner--tiny"
    commit = "0123456789abcdef0123456789abcdef01234567"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text(commit)
    (repository / "snapshots").mkdir()
    write_codebook(repository / "snapshots" / commit, name="model.embed_tokens.weight")
    monkeypatch.setenv("WORDLLAMA_CONFIGS", str(tmp_path / "configs"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.chdir(tmp_path)
    assert extract_hf(SimpleNamespace(name="tiny"), "first.safetensors").revision == commit
    assert extract_hf("tiny", tmp_path / "second.safetensors").rows == ROWS
    assert extract_from_hf("tiny", "third").path == Path("third.safetensors")
    table = repository / "snapshots" / commit / "model.safetensors"
    assert extract_safetensors("tiny", table).dim == DIM
    written = [read_safetensors(Path(f"{name}.safetensors")) for name in ("first", "second", "third", "tiny")]
    assert all(tensors == written[0] for tensors in written)
    with pytest.raises(TypeError, match="config"):
        extract_hf(5, "out")  # type: ignore[arg-type]


def test_concat(tmp_path: Path, codebook: Path) -> None:
    other = write_codebook(tmp_path / "other", seed=2)
    result = codebooks.concat([codebook, other], tmp_path / "both.safetensors", stored_as="f32")
    assert (result.rows, result.dim) == (ROWS, 2 * DIM)
    assert [source.matched for source in result.sources] == [ROWS, ROWS]
    row = array("f", read_safetensors(result.path)["embedding.weight"][2])[: 2 * DIM]
    assert row == numbers(1, DIM) + numbers(2, DIM)
    scaled = codebooks.concat([codebook, other], tmp_path / "scaled.safetensors", scale=["none", "variance"])
    assert scaled.sources[0].factor == 1 != scaled.sources[1].factor
    write_tokenizer(other.parent / "tokenizer.json", WORDS[::-1])
    with pytest.raises(_train.WordLlamaError):
        codebooks.concat([codebook, other], tmp_path / "both.safetensors")
    assert codebooks.concat([codebook, other], tmp_path / "aligned.safetensors", align=True).rows == ROWS
    with pytest.raises(ValueError, match="'norm'"):
        codebooks.concat([codebook, other], tmp_path / "both.safetensors", scale="size")  # type: ignore[arg-type]


def test_reduce(tmp_path: Path, codebook: Path) -> None:
    result = codebooks.reduce(codebook, tmp_path / "small.safetensors", dim=3, remove=1, counts=range(ROWS))
    assert (result.rows, result.dim, result.sif) == (ROWS, 3, 1e-3)
    assert 0 < result.removed < 1 and 0 < result.kept < 1
    assert codebooks.reduce(codebook, tmp_path / "all.safetensors").dim == DIM
    with pytest.raises(ValueError, match=f"each of the {ROWS} rows"):
        codebooks.reduce(codebook, tmp_path / "small.safetensors", counts=[1, 2])
    with pytest.raises(ValueError):
        codebooks.reduce(codebook, tmp_path / "small.safetensors", dim=DIM + 1)
    with pytest.raises(ValueError, match="dim is 0"):
        codebooks.reduce(codebook, tmp_path / "small.safetensors", dim=0)
    with pytest.raises(TypeError, match="64-bit"):
        _train.reduce(codebook, tmp_path / "small.safetensors", counts=array("f", [1.0] * ROWS))


# ---- preparing -------------------------------------------------------------------------------------------------------


def test_prepare(tmp_path: Path, codebook: Path) -> None:
    records = [
        {"anchor": "car road", "positive": "sea ship"},
        {"anchor": "car road", "positive": "sea ship"},
        {"anchor": "bird", "positive": "bird"},
        {"anchor": "", "positive": "cat"},
        {"anchor": "dog tail", "positive": "sun sky rain"},
        {"anchor": "tree leaf", "positive": "cloud"},
    ]
    data = write_lines(tmp_path / "pairs.jsonl", records)
    (tmp_path / "triplet").mkdir()
    held = {"anchor": "tree leaf", "positive": "paw", "negative": "wing"}
    write_lines(tmp_path / "triplet" / "held.jsonl", [held])
    result = training.prepare(
        data,
        codebook.parent,
        tmp_path / "texts.safetensors",
        evaluation=tmp_path / "triplet",
        texts=tmp_path / "texts.txt",
    )
    assert (result.records, result.kept, result.texts, result.tokens) == (6, 2, 4, 9)
    found = {reason: count for reason, count in result.removed.items() if count}
    assert found == {"empty": 1, "equal_sides": 1, "in_evaluation": 1, "duplicate": 1}
    assert (tmp_path / "texts.txt").read_text().splitlines() == ["car road", "sea ship", "dog tail", "sun sky rain"]
    assert read_safetensors(result.path)["ids"][1] == [9]
    with pytest.raises(ValueError, match="near_model"):
        training.prepare(data, codebook.parent, tmp_path / "texts.safetensors", near=0.5)
    broken = tmp_path / "broken.jsonl"
    broken.write_text('{"anchor": "car"}\n{"anchor": \n')
    with pytest.raises(_train.WordLlamaError) as caught:
        training.prepare(broken, codebook.parent, tmp_path / "texts.safetensors")
    assert caught.value.code == "WL_ERROR_FORMAT" and caught.value.line == 2


def test_make_targets(tmp_path: Path) -> None:
    def teacher(name: str, rows: int, dim: int) -> Path:
        header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {dim}), }}"
        header = header.ljust(117) + "\n"
        data = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode()
        (tmp_path / name).write_bytes(data + numbers(rows + dim, rows * dim).tobytes())
        return tmp_path / name

    first, second = teacher("first.npy", 20, 4), teacher("second.npy", 20, 6)
    whole = training.make_targets([first, (second, 0.5)], tmp_path / "whole.safetensors")
    assert read_safetensors(whole)["targets"][:2] == ("F32", [20, 10])
    alone = training.make_targets((first, 2.0), tmp_path / "alone.safetensors")
    assert read_safetensors(alone)["targets"][1] == [20, 4]
    few = training.make_targets([first, second], tmp_path / "few.safetensors", dim=3, whitening=0.5)
    rows = array("f", read_safetensors(few)["targets"][2])
    assert all(math.isclose(sum(x * x for x in rows[i : i + 3]), 1, rel_tol=1e-5) for i in range(0, 60, 3))
    with pytest.raises(_train.WordLlamaError):
        training.make_targets([first, teacher("third.npy", 19, 4)], tmp_path / "bad.safetensors")
    with pytest.raises(ValueError, match="whitening"):
        training.make_targets([first], tmp_path / "bad.safetensors", whitening=0.5)


# ---- training --------------------------------------------------------------------------------------------------------


def raise_it(*unused: object) -> NoReturn:
    raise RuntimeError("from the callback")


def test_train(settings: dict[str, Any]) -> None:
    states: list[training.TrainState] = []
    messages: list[str] = []
    result = training.train(settings, progress=states.append, message=messages.append)
    assert result.model == settings["output"] / "tiny_4.safetensors" and result.model.exists()
    assert read_safetensors(result.model)["embedding.weight"][1] == [ROWS, 4]
    assert (result.steps, result.best_step, result.score) == (40, 40, None)
    assert result.loss is not None and result.loss > 0
    assert [state.step for state in states if state.step][-1] == states[-1].steps == 40
    assert any("200 of 201 records" in message for message in messages)
    lines = [json.loads(line) for line in result.log.read_text().splitlines()]
    assert lines[-1]["step"] == 40


def test_resume_gives_the_same_bytes(tmp_path: Path, settings: dict[str, Any]) -> None:
    whole = training.train(settings)
    settings["output"] = tmp_path / "cut"
    with pytest.raises(KeyboardInterrupt, match="progress"):
        training.train(settings, progress=lambda state: state.step < 15)
    assert (tmp_path / "cut" / "checkpoint.safetensors").exists()
    assert not (tmp_path / "cut" / "tiny_4.safetensors").exists()
    steps: list[int] = []
    rest = training.train(settings, resume=True, progress=lambda state: steps.append(state.step))
    assert [step for step in steps if step][0] in (15, 16)
    assert rest.model.read_bytes() == whole.model.read_bytes()
    again = training.train(settings, resume=True)
    assert again.loss is None and again.model.read_bytes() == whole.model.read_bytes()


def test_settings(tmp_path: Path, settings: dict[str, Any]) -> None:
    file = tmp_path / "run.json"
    plain = {name: str(value) if isinstance(value, Path) else value for name, value in settings.items()}
    file.write_text("// a run\n" + json.dumps({**plain, "data": [str(settings["data"][0])]}))
    first = training.train(file, steps=3)
    second = training.train({"extends": file, "steps": 2}, steps=3, output=tmp_path / "second", seed=None)
    assert first.steps == second.steps == 3
    assert first.model.read_bytes() == second.model.read_bytes()
    odd = write_pairs(tmp_path / "a,b:2.jsonl", 50)
    third = training.train(
        settings,
        steps=3,
        data=odd,
        output=tmp_path / "third",
        losses=[{"kind": "contrast", "scale": 10, "dims": None}, "symmetric"],
        matryoshka=(4, 2),
        matryoshka_weights=[1, 0.5],
        bias=False,
        learning_rate=1e-2,
    )
    assert read_safetensors(third.model.with_name("tiny_2.safetensors"))["embedding.weight"][1] == [ROWS, 2]
    weighted = {"path": settings["data"][0], "weight": 2, "targets": None}
    assert training.train(settings, steps=1, data=[odd, weighted], output=tmp_path / "fourth").steps == 1


def test_wrong_settings(tmp_path: Path, settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="did you mean 'batch_size'"):
        training.train(settings, batch_sise=4)
    with pytest.raises(ValueError, match="batch_size is 'many', expected a whole number"):
        training.train(settings, batch_size="many")
    with pytest.raises(ValueError, match="output is missing"):
        training.train(settings, output="")
    with pytest.raises(TypeError, match="object is no value"):
        training.train(settings, steps=object())
    with pytest.raises(ValueError, match="null"):
        training.train(settings, name="a\0b")
    file = tmp_path / "run.json"
    file.write_text('{\n  "dimm": 4\n}')
    with pytest.raises(_train.WordLlamaError, match='did you mean "dim"') as caught:
        training.train(file)
    assert caught.value.line == 2 and caught.value.file == str(file)


def test_exceptions_in_callbacks(settings: dict[str, Any]) -> None:
    with pytest.raises(RuntimeError, match="from the callback"):
        training.train(settings, progress=lambda state: raise_it() if state.step == 5 else None)
    assert (settings["output"] / "checkpoint.safetensors").exists()
    with pytest.raises(RuntimeError, match="from the callback"):
        training.train(settings, message=raise_it)


def test_interrupt(settings: dict[str, Any]) -> None:
    def interrupt(state: training.TrainState) -> None:
        if state.step == 5:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        training.train(settings, progress=interrupt)
    assert training.train(settings, resume=True).steps == 40


def test_interrupt_without_callback(settings: dict[str, Any]) -> None:
    timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        timer.start()
        training.train(settings, steps=10_000_000, epochs=1_000_000)
    timer.join()
    assert (settings["output"] / "checkpoint.safetensors").exists()


def test_other_threads_run_meanwhile(settings: dict[str, Any]) -> None:
    """The GIL is free: a thread of Python counts on while the run lasts."""
    counts: list[int] = []
    done = threading.Event()

    def count() -> None:
        while not done.is_set():
            counts.append(1)
            done.wait(0.001)

    thread = threading.Thread(target=count)
    thread.start()
    training.train(settings, steps=2000, epochs=1000)
    done.set()
    thread.join()
    assert len(counts) > 5


def test_train_on_shared_data(tmp_path: Path) -> None:
    data = SHARED / "train" / "snli-triplets.jsonl.gz"
    if not data.exists():
        pytest.skip("../shared/data is not here")
    try:
        codebooks.pull("l2_supercat_256", offline=True)
    except OSError as reason:
        pytest.skip(f"l2_supercat_256 is not in the cache: {reason}")
    result = training.train(
        codebook="l2_supercat_256",
        data=[data],
        output=tmp_path / "out",
        dim=64,
        steps=30,
        batch_size=64,
        evaluation=[SHARED / "eval" / "sts" / "stsb-dev.jsonl.gz"],
        learning_rate=0.001,
        message=lambda text: None,
    )
    assert result.score is not None and result.score > 0.6
    assert result.model.name == "model_64.safetensors"


# ---- evaluation ------------------------------------------------------------------------------------------------------


def embed(texts: list[str]) -> list[list[float]]:
    """Counts of letters."""
    return [[float(text.count(letter)) for letter in "abcdefgh"] for text in texts]


def cosine(a: Sequence[float], b: Sequence[float]) -> float:
    dot = sum(x * y for x, y in zip(a, b, strict=True))
    return dot / math.sqrt(sum(x * x for x in a) * sum(x * x for x in b))


def ranks(values: Sequence[float]) -> list[float]:
    return [sum(y < x for y in values) + (sum(y == x for y in values) + 1) / 2 for x in values]


def spearman(a: Sequence[float], b: Sequence[float]) -> float:
    first, second = ranks(a), ranks(b)
    middle = (len(a) + 1) / 2
    centred = [x - middle for x in first], [y - middle for y in second]
    return cosine(*centred)


PAIRS = [
    ("aab", "aab", 5.0),
    ("aabbc", "abbbd", 3.0),
    ("abc", "cdefg", 2.0),
    ("hhg", "abh", 1.0),
    ("defgh", "aabd", 0.5),
    ("ccd", "abcc", 4.0),
]


@pytest.fixture
def sets(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "sets"
    for group in ("sts", "triplet"):
        (folder / group).mkdir(parents=True)
    with gzip.open(folder / "sts" / "letters.jsonl.gz", "wt") as file:
        file.writelines(json.dumps({"text1": a, "text2": b, "score": s}) + "\n" for a, b, s in PAIRS)
    triplets = [("aab", "aabb", "hh"), ("cd", "ef", "ccd")]
    write_lines(
        folder / "triplet" / "letters.jsonl",
        [dict(zip(("anchor", "positive", "negative"), triplet, strict=True)) for triplet in triplets],
    )
    yield folder


def test_evaluate(sets: Path) -> None:
    told: list[tuple[int, int]] = []
    result = evaluation.evaluate(embed, sets, dims=[8, 4], progress=lambda done, total: told.append((done, total)))
    assert [(s.group, s.name, s.dim) for s in result.scores] == [
        ("sts", "letters", 8), ("triplet", "letters", 8), ("sts", "letters", 4), ("triplet", "letters", 4)
    ]  # fmt: skip
    by_hand = spearman([cosine(embed([a])[0], embed([b])[0]) for a, b, _ in PAIRS], [s for _, _, s in PAIRS])
    first = result.scores[0]
    assert math.isclose(first.score, by_hand, rel_tol=1e-6)
    assert (first.task, first.metric, first.items, first.recall) == ("similarity", "Spearman", 6, None)
    assert result.scores[1].score == 0.5
    assert math.isclose(result.mean(), (by_hand + 0.5) / 2, rel_tol=1e-6)
    assert result.mean("sts", 8) == first.score
    with pytest.raises(KeyError):
        result.mean("pair")
    with pytest.raises(KeyError):
        result.mean(dim=5)
    table = str(result).splitlines()
    assert table[0].split() == ["8", "4"] and table[-1].startswith("mean")
    assert f"{100 * by_hand:.2f}" in table[1]
    assert told[-1][0] == told[-1][1] > 0


def test_evaluate_other_models(sets: Path) -> None:
    plain = evaluation.evaluate(embed, sets, only="sts")
    assert [score.group for score in plain.scores] == ["sts"]
    numpy = pytest.importorskip("numpy")
    doubles = evaluation.evaluate(lambda texts: numpy.array(embed(texts)), sets, only="sts")
    assert doubles == plain
    own = SimpleNamespace(dim=8, _float_vectors=lambda texts: numpy.array(embed(texts), numpy.float32))
    assert evaluation.evaluate(own, sets, only=["sts"]) == plain
    assert evaluation.evaluate(SimpleNamespace(embed=embed), sets, only=["sts"]) == plain
    both = evaluation.evaluate(own, sets, binary=(False, True))
    assert both.variants == ((8, False), (8, True))
    assert "8 bits" in str(both)


def test_evaluate_without_numpy(sets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = evaluation.evaluate(embed, sets)
    monkeypatch.setitem(sys.modules, "numpy", None)
    assert evaluation.evaluate(embed, sets) == expected
    with pytest.raises(ValueError, match="different numbers"):
        evaluation.evaluate(lambda texts: [[1.0] * (1 + i) for i, _ in enumerate(texts)], sets)


def test_evaluate_failures(sets: Path) -> None:
    with pytest.raises(RuntimeError, match="from the callback"):
        _train.evaluate(raise_it, 8, [sets])
    with pytest.raises(RuntimeError, match="from the callback"):
        evaluation.evaluate(embed, sets, progress=raise_it)
    with pytest.raises(KeyboardInterrupt):
        evaluation.evaluate(embed, sets, progress=lambda done, total: False)
    with pytest.raises(TypeError, match="format 'd'"):
        _train.evaluate(lambda texts: array("d", [0.0] * 8 * len(texts)), 8, [sets])
    with pytest.raises(TypeError):
        _train.evaluate(lambda texts: None, 8, [sets])
    with pytest.raises(ValueError, match=r"expected \(\d+, 8\)"):
        _train.evaluate(lambda texts: array("f", [0.0] * 7 * len(texts)), 8, [sets])
    with pytest.raises(_train.WordLlamaError, match="finite"):
        evaluation.evaluate(lambda texts: [[math.nan] * 8 for _ in texts], sets)
    with pytest.raises(ValueError):
        evaluation.evaluate(embed, sets, dims=9)
    with pytest.raises(FileNotFoundError):
        evaluation.evaluate(embed, sets / "none")
    with pytest.raises(TypeError, match="no model"):
        evaluation.evaluate(5, sets)


def test_evaluate_interrupt(sets: Path) -> None:
    def interrupted(texts: list[str]) -> list[list[float]]:
        signal.raise_signal(signal.SIGINT)
        return embed(texts)

    with pytest.raises(KeyboardInterrupt):
        evaluation.evaluate(interrupted, sets)


# ---- progress --------------------------------------------------------------------------------------------------------


def test_reporter_calls() -> None:
    told: list[tuple[int, int]] = []
    with reporter(lambda done, total: told.append((done, total)), 10, "texts") as report:
        assert report(3) is None
        report(4, 20)
    assert told == [(3, 10), (4, 20)]
    with reporter(lambda done, total: False, 10) as report:
        assert report(1) is False
    with reporter(None, 10, "texts") as report:
        assert report(1) is None


@pytest.mark.parametrize("terminal", [False, True])
def test_reporter_line(monkeypatch: pytest.MonkeyPatch, terminal: bool) -> None:
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    stream = io.StringIO()
    stream.isatty = lambda: terminal  # type: ignore[method-assign]
    monkeypatch.setattr(sys, "stderr", stream)
    with reporter(True, 10, "texts") as report:
        report(5)
        report(10, note="all")
    line = stream.getvalue()
    assert line.endswith("\n") and "100%  10/10 texts" in line and "all" in line
    assert line.startswith("\r") is terminal


def test_reporter_bar(capsys: pytest.CaptureFixture[str], settings: dict[str, Any]) -> None:
    pytest.importorskip("tqdm")
    with reporter(True, 10, "texts") as report:
        report(5)
        report(2)  # another file
        report(10)
    assert "10/10" in capsys.readouterr().err
    training.train(settings, progress=True)
    assert "40/40" in capsys.readouterr().err
