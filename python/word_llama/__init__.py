"""WordLlama: text to vectors from recycled token embeddings, at the speed of C.

A model is one table of token vectors; the vector of a text is the mean of its tokens'. No neural network runs.

    >>> from word_llama import WordLlama
    >>> wl = WordLlama.load()                        # the default model, 256 dimensions; fetched once
    >>> wl.embed(["the quick brown fox", "and all that jazz"]).shape
    (2, 256)
    >>> wl.rank("I went to the car", ["I went to the park", "I went to the vehicle"])[0][0]
    'I went to the vehicle'

Opening
    load(path)             any model file or folder; embed() of one text is a vector
    WordLlama.load(name)   a model by its name, with the shapes of the package `wordllama`
    WordLlama.load_m2v     models of Model2Vec
    Config                 codebooks of language models: Config.llama3_8B, Config.list()
What models do (see help(word_llama.Model) and help(word_llama.WordLlamaInference))
    embed, aembed, stream, tokenize, similarity, rank, topk, filter, key, deduplicate, cluster, split, explain,
    vector_similarity
Making and judging models
    pull, extract, concat, reduce, prepare, make_targets, train, evaluate
Errors
    WordLlamaError for files that are broken or do not belong together, else Python's own
Other libraries
    word_llama.adapters has their interfaces: sentence-transformers, LangChain, LlamaIndex, Haystack, ChromaDB, ...
"""

from __future__ import annotations

from ._core import WordLlamaError, __version__, cpu_name
from .config import Config, ModelURI, WordLlamaConfig
from .inference import WordLlamaInference
from .loading import WordLlama, load
from .model import Model

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .codebooks import concat, pull, reduce
    from .evaluation import evaluate
    from .extract import extract
    from .training import make_targets, prepare, train

# The way to a model, by the module that has it; loaded when it is first wanted, for its libraries take a while.
_MODULES = {
    "codebooks": ("concat", "pull", "reduce"),
    "evaluation": ("evaluate",),
    "training": ("make_targets", "prepare", "train"),
}

__all__ = [
    "Config",
    "Model",
    "ModelURI",
    "WordLlama",
    "WordLlamaConfig",
    "WordLlamaError",
    "WordLlamaInference",
    "__version__",
    "concat",
    "cpu_name",
    "evaluate",
    "extract",
    "load",
    "make_targets",
    "prepare",
    "pull",
    "reduce",
    "train",
]


def __getattr__(name: str) -> Any:
    import importlib

    for module, names in _MODULES.items():
        if name in names:
            return getattr(importlib.import_module(f".{module}", __name__), name)
    if name in ("adapters", "extract"):
        return importlib.import_module(f".{name}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *(name for names in _MODULES.values() for name in names), "adapters", "extract"])
