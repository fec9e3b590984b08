"""sentence-transformers: a model as one of its modules, and an encoder with its methods that does without torch.

torch and sentence-transformers are imported by static_embedding(), and where tensors are asked for.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from ._model import AnyModel, ModelOrPlace, opened

_PRECISIONS = ("float32", "int8", "uint8", "binary", "ubinary")


def _files_of(model: AnyModel) -> tuple[str, str]:
    """Table and tokenizer."""
    if model._source is None:
        raise ValueError("the model was made of an array: save it as a file and open that")
    path, tokenizer, _ = model._source
    weights = os.path.join(path, "model.safetensors") if os.path.isdir(path) else path
    beside = os.path.join(os.path.dirname(weights), "tokenizer.json")
    own = f"{weights.removesuffix('.safetensors')}.tokenizer.json"
    found = next((file for file in (tokenizer, own, beside) if file and os.path.isfile(file)), None)
    if found is None:
        raise ValueError(f"{path} has no tokenizer.json beside it; a packed model has none: open what it was made of")
    return weights, found


def static_embedding(model: ModelOrPlace = None, *, dim: int | None = None) -> Any:
    """A StaticEmbedding of sentence-transformers with the table and tokenizer of a model: to be used, or trained.

        SentenceTransformer(modules=[static_embedding("l2_supercat_256")])

    Args:
        model: a model, or its path or name; None: the default model. Its files are read.
        dim: keep the first dim dimensions.

    Returns:
        The module: a float32 table (rows, dim), which is trainable. Its vectors are those of embed() but for the order
        of additions in float32; follow it by a Normalize module where the model's config says normalize. Of a model
        of Model2Vec, unknown tokens do not count while it is in memory: saved, the module has no place for that.

    Raises:
        ImportError: sentence-transformers or torch is not installed.
        ValueError: the model was made of an array, or is a packed file.
        TypeError, FileNotFoundError, WordLlamaError: as load().
    """
    from safetensors.torch import load_file
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from tokenizers import Tokenizer

    open_model = opened(model, dim)
    weights, tokenizer_file = _files_of(open_model)
    tensors = load_file(weights)
    name = next((name for name in ("embedding.weight", "embeddings") if name in tensors), None)
    tables = [tensor for tensor in tensors.values() if tensor.ndim == 2]
    if name is None and len(tables) != 1:
        raise ValueError(f"{weights} has {len(tables)} tables, and none is called embedding.weight or embeddings")
    table = (tensors[name] if name else tables[0])[:, : open_model.dim].float()
    if "mapping" in tensors:
        table = table[tensors["mapping"].long()]
    if "weights" in tensors:
        table = table * tensors["weights"].float()[:, None]
    tokenizer = Tokenizer.from_file(tokenizer_file)
    tokenizer.no_truncation()
    if open_model.info["max_tokens"]:
        tokenizer.enable_truncation(open_model.info["max_tokens"])
    module = StaticEmbedding(tokenizer, embedding_weights=table.contiguous())
    if open_model.info["policy"] == "model2vec":
        module.embedding.padding_idx = _unknown(tokenizer)
    return module


def _unknown(tokenizer: Any) -> int | None:
    """The number of the token for what is unknown."""
    import json

    described = json.loads(tokenizer.to_str())["model"]
    if isinstance(described.get("unk_id"), int):
        return int(described["unk_id"])
    token = described.get("unk_token")
    return tokenizer.token_to_id(token) if token else None


class Encoder:
    """A model with the methods of SentenceTransformer, for code that takes one.

    Args:
        model: a model, or its path or name; None: the default model.
        truncate_dim: keep the first dimensions.
        prompts: texts by name, put before what is embedded; encode_query() and encode_document() take "query" and
            "document" of them.
        default_prompt_name: the one that encode() takes.

    Raises:
        TypeError, ValueError, FileNotFoundError, WordLlamaError: as load().
    """

    similarity_fn_name = "cosine"
    device = "cpu"
    max_seq_length = None

    def __init__(
        self,
        model: ModelOrPlace = None,
        truncate_dim: int | None = None,
        prompts: dict[str, str] | None = None,
        default_prompt_name: str | None = None,
    ) -> None:
        self.model = opened(model, truncate_dim)
        self.truncate_dim = truncate_dim
        self.prompts = dict(prompts or {})
        self.default_prompt_name = default_prompt_name

    def encode(
        self,
        sentences: str | Iterable[str],
        prompt_name: str | None = None,
        prompt: str | None = None,
        batch_size: int = 32,
        show_progress_bar: bool | None = None,
        output_value: str = "sentence_embedding",
        precision: str = "float32",
        convert_to_numpy: bool = True,
        convert_to_tensor: bool = False,
        device: Any = None,
        normalize_embeddings: bool = False,
        truncate_dim: int | None = None,
        **kwargs: Any,
    ) -> Any:
        """Vectors of texts.

        Args:
            sentences: texts, or one.
            prompt_name, prompt: of the prompts, or itself: put before each text.
            show_progress_bar: a bar on the terminal.
            output_value: "token_embeddings" gives a (tokens, dim) array for each text.
            precision: "float32"; "int8", "uint8" by the range of each dimension in these texts; "binary", "ubinary"
                a bit for each dimension, packed to int8 (less 128) or uint8, the first in the most significant place.
            convert_to_numpy: False gives a list of vectors.
            convert_to_tensor: a tensor of torch.
            normalize_embeddings: unit length; a text without tokens has zeros.
            truncate_dim: keep the first dimensions.
            batch_size, device, kwargs: taken, and of no effect.

        Returns:
            (n, dim) float32; for a str (dim,).

        Raises:
            ValueError: no such prompt, precision, output_value or dimension; a range of one text only.
            TypeError: a text is no str, with its place.
        """
        if precision not in _PRECISIONS:
            raise ValueError(f"precision is {precision!r}, expected one of {', '.join(_PRECISIONS)}")
        if output_value not in ("sentence_embedding", "token_embeddings"):
            raise ValueError(f"output_value is {output_value!r}, expected sentence_embedding or token_embeddings")
        single = isinstance(sentences, str)
        texts: Any = [sentences] if single else sentences
        begin = self._prompt(prompt_name, prompt)
        if begin:
            texts = [begin + text for text in texts]
        model = opened(self.model, truncate_dim)
        if output_value == "token_embeddings":
            rows = [model._token_rows(text, normalize_embeddings, False) for text in texts]
            tokens = [np.frombuffer(row, np.float32).reshape(-1, model.dim) for row in rows]
            return tokens[0] if single else tokens
        vectors = model.embed(texts, norm=normalize_embeddings, progress=bool(show_progress_bar))
        vectors = _quantized(vectors, precision)
        vectors = vectors[0] if single else vectors
        if convert_to_tensor:
            import torch

            return torch.from_numpy(vectors)
        return vectors if convert_to_numpy or single else list(vectors)

    def _prompt(self, name: str | None, prompt: str | None) -> str:
        chosen = name if name is not None else self.default_prompt_name
        if prompt is not None or chosen is None:
            return prompt or ""
        if chosen not in self.prompts:
            raise ValueError(f"there is no prompt {chosen!r}, but {list(self.prompts)}")
        return self.prompts[chosen]

    def encode_query(self, sentences: str | Iterable[str], prompt_name: str | None = None, **options: Any) -> Any:
        """encode(), with the prompt "query" where there is one and none is given."""
        return self.encode(sentences, prompt_name or self._own("query", options), **options)

    def encode_document(self, sentences: str | Iterable[str], prompt_name: str | None = None, **options: Any) -> Any:
        """encode(), with the prompt "document" (or "passage", "corpus") where there is one and none is given."""
        return self.encode(sentences, prompt_name or self._own("document passage corpus", options), **options)

    def _own(self, names: str, options: dict[str, Any]) -> str | None:
        given = options.get("prompt") is not None
        return None if given else next((name for name in names.split() if name in self.prompts), None)

    def similarity(self, embeddings1: Any, embeddings2: Any) -> Any:
        """Cosines of all rows of one and all of the other: (n, m) float32; a tensor where the first is one."""
        return _as(embeddings1, self.model.vector_similarity(_array(embeddings1), _array(embeddings2)))

    def similarity_pairwise(self, embeddings1: Any, embeddings2: Any) -> Any:
        """Cosines of each row and the other's of the same place: (n,) float32; a tensor where the first is one."""
        units = [_unit(np.atleast_2d(_array(vectors))) for vectors in (embeddings1, embeddings2)]
        return _as(embeddings1, (units[0] * units[1]).sum(axis=1, dtype=np.float32))

    def tokenize(self, texts: Iterable[str], **options: Any) -> dict[str, npt.NDArray[np.int64]]:
        """What StaticEmbedding makes of texts: input_ids, all in a row, and offsets, where each text begins."""
        ids, _, starts = self.model._handle.encode(list(texts), False, 0)
        begins = np.frombuffer(starts, np.uintp)[:-1]
        return {"input_ids": np.frombuffer(ids, np.uint32).astype(np.int64), "offsets": begins.astype(np.int64)}

    def get_embedding_dimension(self) -> int:
        """The number of dimensions."""
        return self.model.dim

    get_sentence_embedding_dimension = get_embedding_dimension

    def get_max_seq_length(self) -> int | None:
        """None: texts of any length; else how many tokens count."""
        return self.model.info["max_tokens"] or None

    def to(self, device: Any = None) -> Encoder:
        """Itself: there is no other place."""
        return self

    eval = to


def _quantized(vectors: npt.NDArray[np.float32], precision: str) -> npt.NDArray[Any]:
    """As sentence_transformers.util.quantize_embeddings() does it."""
    if precision == "float32" or not len(vectors):
        return vectors
    if precision.endswith("binary"):
        bits = np.packbits(vectors > 0, axis=-1)
        return bits if precision == "ubinary" else (bits.astype(np.int16) - 128).astype(np.int8)
    if len(vectors) == 1:
        raise ValueError(f"the range that {precision} needs cannot be had of one text")
    least, most = vectors.min(axis=0), vectors.max(axis=0)
    steps = (most - least) / 255
    numbers = np.clip(np.floor((vectors - least) / np.where(steps == 0, 1, steps)), 0, 255)
    packed: npt.NDArray[Any] = numbers.astype(np.uint8) if precision == "uint8" else (numbers - 128).astype(np.int8)
    return packed


def _unit(vectors: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return (vectors / np.where(lengths == 0, 1, lengths)).astype(np.float32, copy=False)


def _array(vectors: Any) -> npt.NDArray[np.float32]:
    """Tensors and lists of vectors, too."""
    if isinstance(vectors, list) and vectors and hasattr(vectors[0], "numpy"):
        vectors = [vector.numpy() for vector in vectors]
    return np.asarray(vectors, dtype=np.float32)


def _as(like: Any, result: npt.NDArray[np.float32]) -> Any:
    first = like[0] if isinstance(like, list) and like else like
    if not hasattr(first, "detach"):
        return result
    import torch

    return torch.from_numpy(result)
