from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from word_llama import load
from word_llama.adapters.sentence_transformers import Encoder, static_embedding

# ---- without torch ---------------------------------------------------------------------------------------------------


def test_encode(wl: Any, texts: list[str]) -> None:
    encoder = Encoder(wl)
    rows = wl.embed(texts)
    assert np.array_equal(encoder.encode(texts, batch_size=2, device="cpu", show_progress_bar=False), rows)
    assert np.array_equal(encoder.encode(texts[0]), rows[0]) and encoder.encode(texts[0]).shape == (256,)
    assert np.array_equal(encoder.encode(texts, normalize_embeddings=True), wl.embed(texts, norm=True))
    assert np.array_equal(encoder.encode(texts, truncate_dim=64), rows[:, :64])
    assert np.array_equal(Encoder("l2_supercat_256", truncate_dim=64).encode(texts), rows[:, :64])
    listed = encoder.encode(texts, convert_to_numpy=False)
    assert isinstance(listed, list) and np.array_equal(np.stack(listed), rows)
    assert encoder.encode([]).shape == (0, 256)
    assert encoder.get_sentence_embedding_dimension() == encoder.get_embedding_dimension() == 256
    assert encoder.get_max_seq_length() is None and encoder.to("cpu").eval() is encoder


def test_tokens(wl: Any, texts: list[str]) -> None:
    encoder = Encoder(wl)
    tokens = encoder.encode(texts[:4], output_value="token_embeddings")
    assert np.allclose([rows.mean(axis=0) for rows in tokens], wl.embed(texts[:4]), atol=1e-6)
    assert encoder.encode("cat", output_value="token_embeddings").ndim == 2
    features = encoder.tokenize(texts)
    lengths = np.diff(features["offsets"], append=len(features["input_ids"]))
    assert lengths.tolist() == [sum(encoding.attention_mask) for encoding in wl.tokenize(texts)]
    assert features["input_ids"][: lengths[0]].tolist() == wl.tokenize(texts[0])[0].ids


def test_prompts(wl: Any, texts: list[str]) -> None:
    encoder = Encoder(wl, prompts={"query": "query: ", "passage": "text: "}, default_prompt_name="passage")
    with_query, with_text = ([begin + text for text in texts] for begin in ("query: ", "text: "))
    assert np.array_equal(encoder.encode_query(texts), wl.embed(with_query))
    assert np.array_equal(encoder.encode_document(texts), wl.embed(with_text))
    assert np.array_equal(encoder.encode(texts), wl.embed(with_text))
    assert np.array_equal(encoder.encode(texts, prompt=""), wl.embed(texts))
    assert np.array_equal(encoder.encode_query(texts[0], prompt="a: "), wl.embed("a: " + texts[0]))
    assert np.array_equal(encoder.encode(texts, prompt_name="query"), wl.embed(with_query))
    assert np.array_equal(Encoder(wl).encode_query(texts), wl.embed(texts))


def test_similarity(wl: Any, texts: list[str]) -> None:
    encoder = Encoder(wl)
    rows = encoder.encode(texts)
    scores = encoder.similarity(rows, rows[:2])
    assert scores.shape == (5, 2) and scores[1, 0] == pytest.approx(wl.similarity(texts[1], texts[0]), abs=1e-6)
    assert scores[4].tolist() == [0, 0]
    assert np.allclose(
        encoder.similarity_pairwise(rows[:4], rows[1:]), np.diag(encoder.similarity(rows[:4], rows[1:])), atol=1e-6
    )


def test_errors(wl: Any, array_model: Any) -> None:
    encoder = Encoder(wl)
    for options, words in (
        ({"precision": "float16"}, "precision is 'float16'"),
        ({"output_value": "tokens"}, "output_value is"),
        ({"prompt_name": "query"}, "there is no prompt 'query'"),
        ({"truncate_dim": 257}, "dim is 257"),
        ({"precision": "int8"}, "of one text"),
    ):
        with pytest.raises(ValueError, match=words):
            encoder.encode(["a"], **options)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"texts\[0\] is int"):
        encoder.encode([1])  # type: ignore[list-item]


def test_torch_is_not_imported() -> None:
    code = (
        "import sys; from word_llama.adapters.sentence_transformers import Encoder; Encoder().encode(['a']); "
        "assert not {'torch', 'sentence_transformers'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# ---- with it ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def library() -> Any:
    pytest.importorskip("torch")
    return pytest.importorskip("sentence_transformers")


def test_precisions_are_those_of_the_library(library: Any, wl: Any, texts: list[str]) -> None:
    encoder = Encoder(wl)
    rows = encoder.encode(texts * 30)
    for precision in ("float32", "int8", "uint8", "binary", "ubinary"):
        found = encoder.encode(texts * 30, precision=precision)
        expected = library.util.quantize_embeddings(rows, precision=precision)
        assert found.dtype == expected.dtype and np.array_equal(found, expected)
    assert np.array_equal(encoder.encode(texts, precision="ubinary"), wl.embed(texts, binarize=True))


def test_tensors(library: Any, wl: Any, texts: list[str]) -> None:
    import torch

    encoder = Encoder(wl)
    tensor = encoder.encode(texts, convert_to_tensor=True)
    assert isinstance(tensor, torch.Tensor) and np.array_equal(tensor.numpy(), wl.embed(texts))
    scores = encoder.similarity(tensor, tensor)
    assert isinstance(scores, torch.Tensor)
    assert torch.allclose(scores, library.util.cos_sim(tensor, tensor), atol=1e-6)
    pairs = encoder.similarity_pairwise(tensor, tensor.flip(0))
    assert torch.allclose(pairs, library.util.pairwise_cos_sim(tensor, tensor.flip(0)), atol=1e-6)
    found = library.util.semantic_search(encoder.encode(["share prices"], convert_to_tensor=True), tensor[:4], top_k=1)
    assert found[0][0]["corpus_id"] == 1


@pytest.mark.parametrize("dim", [None, 64])
def test_static_embedding(library: Any, wl: Any, texts: list[str], dim: int | None, tmp_path: Path) -> None:
    transformer = library.SentenceTransformer(modules=[static_embedding(wl, dim=dim)], device="cpu")
    expected = wl.embed(texts)[:, :dim]
    assert transformer.get_embedding_dimension() == (dim or 256)
    assert np.abs(transformer.encode(texts) - expected).max() < 1e-6
    transformer.save(str(tmp_path / "saved"))
    again = library.SentenceTransformer(str(tmp_path / "saved"), device="cpu")
    assert np.abs(again.encode(texts) - expected).max() < 1e-6
    ours = load(tmp_path / "saved")
    assert np.abs(ours.embed(texts) - expected).max() < 1e-6


def test_static_embedding_trains(library: Any, wl: Any) -> None:
    import torch

    module = static_embedding(wl, dim=8)
    transformer = library.SentenceTransformer(modules=[module], device="cpu")
    before = module.embedding.weight.detach().clone()
    loss = transformer(transformer.preprocess(["a cat", "a dog"]))["sentence_embedding"].pow(2).sum()
    loss.backward()
    torch.optim.SGD(transformer.parameters(), lr=1.0).step()
    assert not torch.equal(before, module.embedding.weight)


def write_model2vec(folder: Path, dtype: Any) -> None:
    """Words a to f of two columns, with mapping and weights, as Model2Vec saves what is quantized."""
    from safetensors.numpy import save_file
    from tokenizers import Tokenizer, models, pre_tokenizers

    folder.mkdir()
    tokenizer = Tokenizer(
        models.WordPiece({word: place for place, word in enumerate(["[UNK]", *"abcdef"])}, unk_token="[UNK]")
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    table = np.random.default_rng(0).normal(size=(4, 8)).astype(dtype)
    mapping, weights = np.array([0, 1, 2, 3, 1, 2, 3], np.int32), np.linspace(0.5, 2, 7)
    save_file({"embeddings": table, "mapping": mapping, "weights": weights}, str(folder / "model.safetensors"))
    (folder / "config.json").write_text('{"normalize": false}')


def test_static_embedding_of_model2vec(library: Any, tmp_path: Path) -> None:
    write_model2vec(tmp_path / "model", np.float32)
    model = load(tmp_path / "model")
    assert model.info["policy"] == "model2vec"
    transformer = library.SentenceTransformer(modules=[static_embedding(model)], device="cpu")
    words = ["a b c", "d unknown e f", "f", "unknown", "", "a " * 600]
    assert np.abs(transformer.encode(words) - model.embed(words)).max() < 1e-5


def test_static_embedding_errors(library: Any, array_model: Any, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="made of an array"):
        static_embedding(array_model)
