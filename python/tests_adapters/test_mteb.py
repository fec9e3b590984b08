from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("mteb")

import mteb
from datasets import Dataset, DatasetDict
from mteb.abstasks.sts import AbsTaskSTS
from mteb.abstasks.task_metadata import TaskMetadata
from mteb.mocks.mock_tasks.retrieval import MockRetrievalTask
from mteb.models.models_protocols import EncoderProtocol
from scipy.stats import spearmanr
from torch.utils.data import DataLoader
from word_llama.adapters.mteb import WordLlamaEncoder, encoder

PAIRS = [
    ("A cat sleeps.", "The cat is sleeping.", 5.0),
    ("A man plays a guitar.", "Someone is playing an instrument.", 3.5),
    ("The stock market fell.", "A woman is baking bread.", 0.2),
    ("It rains today.", "Rain is falling today.", 4.6),
    ("A dog runs.", "The train is late.", 0.4),
]


class ToySTS(AbsTaskSTS):
    metadata = TaskMetadata(
        name="ToySTS",
        description="Pairs of sentences with scores.",
        reference="https://github.com/embeddings-benchmark/mteb",
        type="STS",
        category="t2t",
        modalities=["text"],
        eval_splits=["test"],
        eval_langs=["eng-Latn"],
        main_score="cosine_spearman",
        dataset={"path": "NA", "revision": "NA"},
        date=("2020-01-01", "2020-01-01"),
        domains=[],
        task_subtypes=[],
        license="cc-by-4.0",
        annotations_creators="derived",
        dialect=[],
        sample_creation="found",
        bibtex_citation="",
    )
    min_score, max_score = 0, 5

    def load_data(self, num_proc: int | None = None, **options: Any) -> None:
        first, second, score = zip(*PAIRS)
        rows = {"sentence1": list(first), "sentence2": list(second), "score": list(score)}
        self.dataset = DatasetDict({"test": Dataset.from_dict(rows)})
        self.data_loaded = True


def test_encode(wl: Any, texts: list[str]) -> None:
    model = encoder(wl)
    assert isinstance(model, EncoderProtocol)
    batches = DataLoader([{"text": text} for text in texts], batch_size=2)
    options: Any = {"task_metadata": ToySTS.metadata, "hf_split": "test", "hf_subset": "default"}
    found = model.encode(batches, **options, batch_size=2)
    assert np.array_equal(found, wl.embed(texts))
    assert np.allclose(model.similarity(found, found)[:4, :4], wl.vector_similarity(found[:4], found[:4]), atol=1e-6)
    assert np.allclose(
        model.similarity_pairwise(found[:3], found[1:4]),
        np.diag(wl.vector_similarity(found[:3], found[1:4])),
        atol=1e-6,
    )


def test_meta(wl: Any) -> None:
    meta = encoder(wl, dim=64).mteb_model_meta
    assert (meta.name, meta.revision, meta.embed_dim) == ("wordllama/l2_supercat_256", "local", 64)
    assert meta.n_parameters == 32000 * 256 and meta.max_tokens == float("inf")
    meta = encoder("l2_supercat_256", name="me/mine", revision="1").mteb_model_meta
    assert (meta.name, meta.revision) == ("me/mine", "1")
    assert WordLlamaEncoder("l2_supercat_256", "2", device="cpu").mteb_model_meta.revision == "2"


def test_evaluate(wl: Any) -> None:
    result = mteb.evaluate(encoder(wl), ToySTS(), cache=None, show_progress_bar=False, co2_tracker=False)
    score = result.task_results[0].scores["test"][0]["cosine_spearman"]
    expected = spearmanr([wl.similarity(one, other) for one, other, _ in PAIRS], [score for *_, score in PAIRS])
    assert score == pytest.approx(expected.statistic, abs=1e-6) and score > 0.8
    assert result.model_name == "wordllama/l2_supercat_256"


def test_evaluate_retrieval(wl: Any) -> None:
    result = mteb.evaluate(encoder(wl), MockRetrievalTask(), cache=None, show_progress_bar=False, co2_tracker=False)
    assert 0 < result.task_results[0].scores["val"][0]["ndcg_at_10"] <= 1
