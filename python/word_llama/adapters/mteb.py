"""MTEB: a model to be evaluated, by the protocol of mteb 2."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from mteb.models.abs_encoder import AbsEncoder
from mteb.models.model_meta import ModelMeta, ScoringFunction

from ._model import ModelOrPlace, name_of, opened, rows_of


class WordLlamaEncoder(AbsEncoder):  # type: ignore[misc]
    """mteb's EncoderProtocol; made by encoder()."""

    def __init__(self, model_name: ModelOrPlace, revision: str | None = None, **options: Any) -> None:
        """As mteb makes one: by the path or name of a model. options: dim; those of other encoders have no effect."""
        self.model = opened(model_name, options.get("dim"))
        self.mteb_model_meta = _meta(self.model, name_of(model_name), revision)

    def encode(self, inputs: Any, *, prompt_type: Any = None, **options: Any) -> npt.NDArray[np.float32]:
        """Vectors of the texts of batches.

        Args:
            inputs: batches, each a dict with a list of str as "text".
            prompt_type, options: of the task; the model has no prompts.

        Returns:
            (n, dim) float32.

        Raises:
            KeyError: a batch has no "text".
        """
        return rows_of(self.model, [text for batch in inputs for text in batch["text"]])


def _meta(model: Any, name: str, revision: str | None) -> ModelMeta:
    info = model.info
    numbers = info["rows"] * info["dim"]
    known = {
        "loader": WordLlamaEncoder,
        "name": name if "/" in name else f"wordllama/{name}",
        "revision": revision or "local",
        "n_parameters": numbers,
        "n_embedding_parameters": numbers,
        "memory_usage_mb": round(info["bytes"] / 2**20, 1),
        "max_tokens": float(info["max_tokens"] or "inf"),
        "embed_dim": model.dim,
        "framework": ["NumPy"],
        "similarity_fn_name": ScoringFunction.COSINE,
        "use_instructions": False,
        "open_weights": True,
    }
    return ModelMeta.create_empty(known)


def encoder(
    model: ModelOrPlace = None, name: str | None = None, revision: str | None = None, *, dim: int | None = None
) -> WordLlamaEncoder:
    """A model for mteb.

        mteb.evaluate(encoder("l2_supercat_256"), mteb.get_tasks(["STSBenchmark"]))

    Args:
        model: a model, or its path or name; None: the default model.
        name: under which results are kept, "organization/model"; None: "wordllama/" and the name of the file.
        revision: of the model, in the results.
        dim: keep the first dim dimensions.

    Raises:
        TypeError, ValueError, FileNotFoundError, WordLlamaError: as load().
    """
    made = WordLlamaEncoder(model, revision, dim=dim)
    if name is not None:
        made.mteb_model_meta = _meta(made.model, name, revision)
    return made
