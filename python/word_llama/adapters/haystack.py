"""Haystack: components for pipelines, of texts and of documents.

A pipeline that was written down is read again where that is allowed: Haystack takes no classes of modules that it does
not know.

    Pipeline.loads(text, allowed_modules=["word_llama.adapters.haystack"])
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from haystack import Document, component, default_from_dict, default_to_dict

from ._model import AnyModel, ModelOrPlace, opened, place_of, row_of, rows_of


class _Embedder:
    """What both components share. A model by its path or name is opened by warm_up(), or by the first run()."""

    _kept: tuple[str, ...] = ("dim", "norm", "prefix", "suffix")

    def __init__(self, model: ModelOrPlace, dim: int | None, norm: bool, prefix: str, suffix: str) -> None:
        self.model = model
        self.dim = dim
        self.norm = norm
        self.prefix = prefix
        self.suffix = suffix
        self._open: AnyModel | None = None

    def warm_up(self) -> None:
        """Opens the model; the errors are those of load()."""
        self._opened()

    def _opened(self) -> AnyModel:
        if self._open is None:
            self._open = opened(self.model, self.dim)
        return self._open

    def to_dict(self) -> dict[str, Any]:
        """The component as JSON's types. ValueError where the model was made of an array."""
        kept = {name: getattr(self, name) for name in self._kept}
        return default_to_dict(self, model=place_of(self.model), **kept)  # type: ignore[no-any-return]


@component
class WordLlamaTextEmbedder(_Embedder):
    """The vector of a text, such as a query.

        pipeline.add_component("embedder", WordLlamaTextEmbedder("l2_supercat_256"))

    Args:
        model: a model, or its path or name; None: the default model.
        dim: keep the first dim dimensions.
        norm: unit length; a text without tokens has zeros.
        prefix, suffix: put around the text.
    """

    def __init__(
        self,
        model: ModelOrPlace = None,
        dim: int | None = None,
        norm: bool = True,
        prefix: str = "",
        suffix: str = "",
    ) -> None:
        _Embedder.__init__(self, model, dim, norm, prefix, suffix)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> WordLlamaTextEmbedder:
        """The component that to_dict() wrote."""
        return default_from_dict(cls, data)  # type: ignore[no-any-return]

    @component.output_types(embedding=list[float])  # type: ignore[misc]
    def run(self, text: str) -> dict[str, Any]:
        """{"embedding": dim floats}. TypeError: text is no str."""
        if not isinstance(text, str):
            raise TypeError(f"text is {type(text).__name__}, expected str: documents are for WordLlamaDocumentEmbedder")
        return {"embedding": row_of(self._opened(), f"{self.prefix}{text}{self.suffix}", self.norm).tolist()}


@component
class WordLlamaDocumentEmbedder(_Embedder):
    """Documents with their vectors.

        pipeline.add_component("embedder", WordLlamaDocumentEmbedder(meta_fields_to_embed=["title"]))

    Args:
        model, dim, norm, prefix, suffix: as for WordLlamaTextEmbedder.
        meta_fields_to_embed: of a document's meta, put before its content where they are there.
        embedding_separator: between them.
    """

    _kept = (*_Embedder._kept, "meta_fields_to_embed", "embedding_separator")

    def __init__(
        self,
        model: ModelOrPlace = None,
        dim: int | None = None,
        norm: bool = True,
        prefix: str = "",
        suffix: str = "",
        meta_fields_to_embed: list[str] | None = None,
        embedding_separator: str = "\n",
    ) -> None:
        _Embedder.__init__(self, model, dim, norm, prefix, suffix)
        self.meta_fields_to_embed = meta_fields_to_embed or []
        self.embedding_separator = embedding_separator

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> WordLlamaDocumentEmbedder:
        """The component that to_dict() wrote."""
        return default_from_dict(cls, data)  # type: ignore[no-any-return]

    def _text(self, document: Document) -> str:
        fields = [document.meta.get(field) for field in self.meta_fields_to_embed]
        parts = [*(str(value) for value in fields if value is not None), document.content or ""]
        return f"{self.prefix}{self.embedding_separator.join(parts)}{self.suffix}"

    @component.output_types(documents=list[Document])  # type: ignore[misc]
    def run(self, documents: list[Document]) -> dict[str, Any]:
        """{"documents": copies with embedding set}. TypeError: they are no list of Document."""
        if not isinstance(documents, list) or not all(isinstance(document, Document) for document in documents):
            raise TypeError("documents are no list of Document: a text is for WordLlamaTextEmbedder")
        rows = rows_of(self._opened(), [self._text(document) for document in documents], self.norm)
        return {"documents": [replace(document, embedding=row.tolist()) for document, row in zip(documents, rows)]}
