"""ChromaDB: an embedding function, which a collection writes into its configuration and finds again."""

from __future__ import annotations

from typing import Any

from chromadb.api.types import Documents, EmbeddingFunction, Embeddings, Space
from chromadb.utils.embedding_functions import register_embedding_function

from ._model import ModelOrPlace, opened, place_of, rows_of


@register_embedding_function
class WordLlamaEmbeddingFunction(EmbeddingFunction[Documents]):  # type: ignore[misc]
    """Vectors for ChromaDB.

        client.create_collection("texts", embedding_function=WordLlamaEmbeddingFunction("l2_supercat_256"))

    A program that opens the collection again has to import this module before, and needs to name no function then.

    Args:
        model: a model, or its path or name; None: the default model.
        dim: keep the first dim dimensions.
        norm: unit length; a text without tokens has zeros.

    Raises:
        TypeError, ValueError, FileNotFoundError, WordLlamaError: as load().
    """

    def __init__(self, model: ModelOrPlace = None, dim: int | None = None, norm: bool = True) -> None:
        self._model = opened(model, dim)
        self._place = model
        self._dim = dim
        self._norm = norm

    def __call__(self, input: Documents) -> Embeddings:
        """A (dim,) float32 array for each text. TypeError names the place of what is no str."""
        return list(rows_of(self._model, input, self._norm))

    @staticmethod
    def name() -> str:
        return "wordllama"

    def default_space(self) -> Space:
        return "cosine"

    def get_config(self) -> dict[str, Any]:
        """model, dim and norm. ValueError where the model was made of an array."""
        return {"model": place_of(self._place), "dim": self._dim, "norm": self._norm}

    @staticmethod
    def build_from_config(config: dict[str, Any]) -> WordLlamaEmbeddingFunction:
        """The function that get_config() described."""
        return WordLlamaEmbeddingFunction(**config)

    def validate_config_update(self, old_config: dict[str, Any], new_config: dict[str, Any]) -> None:
        """ValueError: another model would not fit the vectors that are there."""
        changed = [name for name in ("model", "dim", "norm") if old_config.get(name) != new_config.get(name)]
        if changed:
            raise ValueError(f"{', '.join(changed)} of a collection cannot change: its vectors are there already")
