"""The official model, and texts. Nothing goes over the network."""

from __future__ import annotations

import os

for name in ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "TRANSFORMERS_OFFLINE"):
    os.environ[name] = "1"
os.environ["HAYSTACK_TELEMETRY_ENABLED"] = "False"
os.environ["ANONYMIZED_TELEMETRY"] = "False"

import numpy as np  # noqa: E402
import pytest  # noqa: E402
from word_llama import Model, WordLlama, WordLlamaInference, load  # noqa: E402

TEXTS = [
    "The cat sleeps on the sofa all day.",
    "Stock markets fell sharply on Monday.",
    "How do I bake sourdough bread at home?",
    "Die Katze schläft. 猫が寝ている。 \N{CAT FACE}",
    "",
]


@pytest.fixture(scope="session")
def wl() -> Model:
    return load("l2_supercat_256", disable_download=True)


@pytest.fixture(scope="session")
def inference() -> WordLlamaInference:
    return WordLlama.load(disable_download=True)


@pytest.fixture(scope="session")
def array_model(wl: Model) -> WordLlamaInference:
    """One that has no file."""
    return WordLlamaInference(np.ones((32000, 4), np.float32), os.path.join(wl.path or "", "tokenizer.json"))


@pytest.fixture
def texts() -> list[str]:
    return list(TEXTS)
