"""load() and the model that it gives: the first WordLlama's words."""

from __future__ import annotations

import asyncio
import os
import pickle
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import word_llama
from word_llama import Config, Model, WordLlamaError, load


def test_shapes(model: Model) -> None:
    one = model.embed("I went to the car")
    assert isinstance(one, np.ndarray) and one.shape == (256,) and one.dtype == np.float32
    assert model.embed(["a", "b", "c"]).shape == (3, 256)
    assert model.embed([]).shape == (0, 256) and model.embed("").tolist() == [0.0] * 256
    assert (model.embed(["I went to the car"])[0] == one).all()
    lists = model.embed(["a", "b"], return_np=False)
    assert isinstance(lists, list) and np.array_equal(np.array(lists, dtype=np.float32), model.embed(["a", "b"]))
    assert model.embed("a", return_np=False) == lists[0]


def test_norm_and_bits(model: Model) -> None:
    plain, unit = model.embed(["a cat", ""]), model.embed(["a cat", ""], norm=True)
    assert np.allclose(unit[0], plain[0] / np.linalg.norm(plain[0]), atol=1e-7) and not unit[1].any()
    bits = model.embed(["a cat", "the dog"], binarize=True)
    assert bits.shape == (2, 32) and bits.dtype == np.uint8
    assert np.array_equal(bits, np.packbits(model.embed(["a cat", "the dog"]) > 0, axis=1))
    assert model.embed("a cat", binarize=True).shape == (32,)


def test_similarities(model: Model) -> None:
    a, b = model.embed("I went to the car"), model.embed("I went to the sedan")
    rows = model.embed(["I went to the car", "I went to the park", ""])
    cosine = float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))
    assert model.cosine_similarity(a, b) == pytest.approx(cosine, abs=1e-6)
    assert isinstance(model.cosine_similarity(a, b), float)
    assert model.cosine_similarity(a, rows).shape == (3,) and model.cosine_similarity(rows, rows).shape == (3, 3)
    assert model.cosine_similarity(a, rows)[0] == pytest.approx(1) and model.cosine_similarity(a, rows)[2] == 0
    eight = np.array([232, 109, 141, 180, 130, 170, 177, 144], dtype=np.uint8)
    other = eight ^ np.array([0x81, 0x81, 0x81, 0x81, 0x81, 0x81, 0x81, 0], dtype=np.uint8)  # 14 of 64 bits
    assert model.hamming_similarity(eight, other) == 0.78125
    assert model.hamming_similarity(eight.view(np.uint64), other.view(np.uint64)) == 0.78125
    assert model.cosine_similarity(a.tolist(), b.tolist()) == pytest.approx(cosine, abs=1e-6)
    assert model.cosine_similarity(a.astype(np.float64), b.astype(np.float64)) == pytest.approx(cosine, abs=1e-6)
    assert model.cosine_similarity(rows[::2], rows[::2]).shape == (2, 2)  # not contiguous
    for wrong in (a[:100], a.reshape(1, 1, -1), eight):
        with pytest.raises((ValueError, TypeError)):
            model.cosine_similarity(a, wrong)


def test_sources(model: Model, tmp_path: Path) -> None:
    assert model.path
    folder = Path(model.path)
    expected = model.embed("a cat")
    for path in (folder, str(folder), folder / "model.safetensors"):
        assert np.array_equal(load(path).embed("a cat"), expected)
    assert np.array_equal(load("default").embed("a cat"), expected)
    assert load("wordllama_64_binary").dim == 64 and load("l2_supercat_256").path != model.path
    assert np.array_equal(load(folder, dim=64).embed("a cat"), expected[:64])
    with pytest.raises(FileNotFoundError, match="nowhere"):
        load(tmp_path / "nowhere.safetensors")
    alone = tmp_path / "alone.safetensors"
    shutil.copy(folder / "model.safetensors", alone)
    with pytest.raises(FileNotFoundError, match="tokenizer"):
        load(alone)
    assert np.array_equal(load(alone, tokenizer=folder / "tokenizer.json").embed("a cat"), expected)
    with pytest.raises(ValueError, match="dim"):
        load(folder, dim=257)
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"\x10\0\0\0\0\0\0\0{broken json}   ")
    shutil.copy(folder / "tokenizer.json", tmp_path / "tokenizer.json")
    with pytest.raises(WordLlamaError) as caught:
        load(broken)
    assert caught.value.code == "WL_ERROR_FORMAT" and caught.value.file == str(broken)
    assert isinstance(caught.value.byte, int) and "broken.safetensors" in str(caught.value)


def test_tokenizer_of_config(model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert model.path
    alone = tmp_path / "weights" / "wordllama_64_binary.safetensors"
    alone.parent.mkdir()
    shutil.copy(Path(model.path) / "model.safetensors", alone)
    monkeypatch.setenv("WORDLLAMA_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    for arguments in ((), (Config.wordllama_64,), ("wordllama_64",)):
        with pytest.raises(FileNotFoundError, match="Looked for") as caught:
            load(alone, *arguments)
        assert str(tmp_path / "cache" / "tokenizers") in str(caught.value)
    tokenizers = tmp_path / "cache" / "tokenizers"
    tokenizers.mkdir(parents=True)
    shutil.copy(Path(model.path) / "tokenizer.json", tokenizers / "wordllama_64.tokenizer.json")
    assert np.array_equal(load(alone, Config.wordllama_64).embed("a cat"), model.embed("a cat"))
    assert np.array_equal(load(alone).embed("a cat"), model.embed("a cat"))  # by its name
    (tokenizers / "wordllama_64.tokenizer.json").unlink()
    snapshot = tmp_path / "hub" / "hub" / "models--meta-llama--Meta-Llama-3-70B" / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    shutil.copy(Path(model.path) / "tokenizer.json", snapshot / "tokenizer.json")
    assert np.array_equal(load(alone).embed("a cat"), model.embed("a cat"))


def test_configs() -> None:
    names = Config.list()
    assert names == sorted(names) and {"llama3_8B", "wordllama_64", "l2_supercat", "gemma2_27B"} <= set(names)
    assert Config.llama3_8B is Config["llama3_8B"] and "llama3_8B" in Config and "llama4" not in Config
    assert Config.llama3_8B.model.dim == 4096 and Config.llama3_8B.model.n_vocab == 128256
    assert Config.llama3_8B.config_name == Config.llama3_8B.name == "llama3_8B" and list(Config) == names
    with pytest.raises(AttributeError, match="did you mean 'llama3_8B'"):
        Config.lama3_8B  # noqa: B018
    with pytest.raises(KeyError):
        Config["nothing"]


def test_inputs(model: Model) -> None:
    expected = model.embed(["a cat", "naïve 東京 🙂", ""])
    texts = ["a cat", "naïve 東京 🙂", ""]
    for form in (tuple(texts), iter(texts), (text for text in texts), dict.fromkeys(texts), np.array(texts)):
        assert np.array_equal(model.embed(form), expected)
    many = [text + str(i) for i in range(70000) for text in texts[:1]]
    assert np.array_equal(model.embed(iter(many)), model.embed(many))

    class Name(str):
        pass

    assert np.array_equal(model.embed([Name("a cat")])[0], expected[0])
    assert np.array_equal(model.embed("\ud800a"), model.embed("\ufffd\ufffd\ufffda"))  # what has no UTF-8
    assert np.array_equal(model.embed("a\0b"), model.embed(["a\0b"])[0])


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (None, "NoneType"),
        (3, "int"),
        (b"bytes", "bytes"),
        (["a", b"b"], r"texts\[1\] is bytes"),
        (["a", None], r"texts\[1\] is NoneType"),
        ([["a"]], r"texts\[0\] is list"),
        (["a"] * 100 + [1.5], r"texts\[100\] is float"),
        ((x for x in ["a", 2]), r"texts\[1\] is int"),
    ],
)
def test_wrong_types(model: Model, texts: object, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        model.embed(texts)  # type: ignore[call-overload]


def test_strings_keep_no_copy(model: Model) -> None:
    """What a text that is not ASCII costs in UTF-8 is gone with the call."""
    texts = [f"東京 {i}" for i in range(2000)]
    before = [sys.getsizeof(text) for text in texts]
    model.embed(texts)
    assert [sys.getsizeof(text) for text in texts] == before


def test_tables_are_refused(model: Model) -> None:
    class Table:
        """Like a data frame: iterated by the names of its columns."""

        columns = ("text",)

        def __iter__(self) -> object:
            return iter(self.columns)

    for call in (model.embed, model.deduplicate, model.tokenize):
        with pytest.raises(TypeError, match="Table"):
            call(Table())  # type: ignore[call-overload, arg-type]
    with pytest.raises(TypeError, match="str"):
        next(model.stream("abc"))


def test_iterator_that_fails(model: Model) -> None:
    def failing() -> object:
        yield "a"
        raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        model.embed(failing())  # type: ignore[call-overload]


def test_iterable_that_fails(model: Model) -> None:
    class Broken:
        def __iter__(self) -> object:
            raise TypeError("mine")

    with pytest.raises(TypeError, match="mine"):
        model.embed(Broken())  # type: ignore[call-overload]


def test_list_that_changes(model: Model) -> None:
    """What shrinks or grows between two batches of a call gives what there was, and no crash."""
    texts = ["a cat"] * 200000

    def shrink(done: int, total: int) -> None:
        del texts[100000:]

    assert model.embed(texts, progress=shrink).shape == (100000, 256)

    def grow(done: int, total: int) -> None:
        if len(texts) < 150000:
            texts.extend(["a dog"] * 100000)

    assert model.embed(texts, progress=grow).shape == (200000, 256)


def test_threads_and_progress(model: Model, titles: list[str]) -> None:
    expected = model.embed(titles, threads=1)
    for threads in (2, 3, None):
        assert np.array_equal(model.embed(titles, threads=threads), expected)
    told: list[tuple[int, int]] = []
    assert np.array_equal(model.embed(titles, progress=lambda done, total: told.append((done, total))), expected)
    assert told[-1] == (len(titles), len(titles)) and told == sorted(told)

    def fail(done: int, total: int) -> None:
        raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        model.embed(titles, progress=fail)
    with pytest.raises(KeyboardInterrupt):
        model.embed(titles, progress=lambda done, total: False)
    for threads in (0, -1, 10**9):
        with pytest.raises(ValueError, match="threads"):
            model.embed(titles, threads=threads)
    with pytest.raises(TypeError, match="threads"):
        model.embed(titles, threads="two")  # type: ignore[call-overload]


def test_python_threads(model: Model, titles: list[str]) -> None:
    """One model, many threads at once, single texts and batches."""
    expected = model.embed(titles[:500])
    wrong: list[int] = []

    def work(number: int) -> None:
        for i in range(number, 500, 4):
            if not np.array_equal(model.embed(titles[i]), expected[i]):
                wrong.append(i)
        if not np.array_equal(model.embed(titles[:500], threads=1 + number % 2), expected):
            wrong.append(-number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # that threads are there while forking, which is the point
def test_fork(model: Model, titles: list[str]) -> None:
    expected = model.embed(titles[:2000], threads=2)  # contexts with threads of their own are there now
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        same = all(np.array_equal(model.embed(titles[:2000], threads=threads), expected) for threads in (1, 2, 2))
        same = same and len(model.rank("news", titles[:100])) == 100
        os.write(write, b"1" if same else b"0")
        os._exit(0)
    os.close(write)
    assert os.read(read, 1) == b"1"
    os.waitpid(child, 0)
    os.close(read)
    assert np.array_equal(model.embed(titles[:2000], threads=2), expected)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_fork_in_callback(model: Model, titles: list[str]) -> None:
    """A call that forks leaves its threads to the parent."""
    children: list[int] = []

    def fork(done: int, total: int) -> None:
        if not children:
            children.append(os.fork())
            if not children[0]:
                raise RuntimeError("the child")

    read, write = os.pipe()
    try:
        model.embed(titles, threads=2, progress=fork)
    except RuntimeError:
        os.write(write, b"1" if model.embed(titles[:100], threads=2).any() else b"0")
        os._exit(0)
    os.close(write)
    assert os.read(read, 1) == b"1"
    os.waitpid(children[0], 0)
    os.close(read)


def test_many_thread_counts(model: Model, titles: list[str]) -> None:
    expected = model.embed(titles[:50])
    for threads in [*range(1, 13), 1, 12, 3]:
        assert np.array_equal(model.embed(titles[:50], threads=threads), expected)
        assert np.array_equal(model.embed(titles[0]), expected[0])


def test_subinterpreter(model: Model) -> None:
    """A second interpreter that shares the GIL computes as well: callbacks take it where it was given away."""
    code = f"import word_llama; m = word_llama.load({model.path!r}); m.embed(['a'] * 3); m.deduplicate(['a', 'b'])"
    script = f"""
try:
    import _xxsubinterpreters as interpreters
except ImportError:
    import _interpreters as interpreters
import sys
one = interpreters.create(isolated=False) if sys.version_info < (3, 13) else interpreters.create("legacy")
sys.exit(interpreters.run_string(one, {code!r}) is not None)
"""
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 0, run.stderr


def test_pickle(model: Model) -> None:
    cut = load(model.path, dim=64)
    for one in (model, cut):
        again = pickle.loads(pickle.dumps(one))
        assert type(again) is Model and again.dim == one.dim and np.array_equal(again.embed("a"), one.embed("a"))


def test_async(model: Model) -> None:
    async def both() -> list[np.ndarray]:
        return await asyncio.gather(model.aembed("a cat"), model.aembed(["a dog"], norm=True))

    one, many = asyncio.run(both())
    assert np.array_equal(one, model.embed("a cat")) and np.array_equal(many, model.embed(["a dog"], norm=True))


def test_stream(model: Model, titles: list[str]) -> None:
    parts = list(model.stream(iter(titles[:1000]), batch_size=300, norm=True))
    assert [len(texts) for texts, _ in parts] == [300, 300, 300, 100]
    assert np.array_equal(np.concatenate([rows for _, rows in parts]), model.embed(titles[:1000], norm=True))
    with pytest.raises(ValueError, match="batch_size"):
        next(model.stream(titles, batch_size=0))


def test_result_can_be_written(model: Model) -> None:
    rows = model.embed(["a", "b"])
    rows += 1
    assert rows.flags.writeable and rows.flags.c_contiguous


def test_help(model: Model) -> None:
    text = subprocess.run(
        [sys.executable, "-c", "import word_llama; help(word_llama)"], capture_output=True, text=True, check=True
    ).stdout
    assert "WordLlama.load" in text and "Making and judging models" in text
    for name in word_llama.__all__:
        assert hasattr(word_llama, name), name
    for method in ("embed", "rank", "deduplicate", "cluster", "split", "hamming_similarity", "stream"):
        assert getattr(Model, method).__doc__, method
    assert repr(model).startswith("Model(") and model.info["dim"] == 256


def test_command(model: Model) -> None:
    assert model.path
    run = subprocess.run(
        [sys.executable, "-m", "word_llama", "similarity", "--model", model.path, "a cat", "a dog"],
        capture_output=True,
        text=True,
        check=False,
    )
    if "not part of this build" in run.stderr:
        pytest.skip("the command is not part of this build")
    assert run.returncode == 0 and run.stdout.strip() == f"{model.similarity('a cat', 'a dog'):.6f}"


def test_no_rereading(tmp_path: Path) -> None:
    """No path of a model, no bytes: a directory without a model says what it lacks."""
    with pytest.raises(FileNotFoundError):
        load(tmp_path)
    with pytest.raises(TypeError):
        load(3)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="null"):
        load("a\0b")
    with pytest.raises(TypeError, match="load"):
        Model()
