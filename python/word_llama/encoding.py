"""Tokens of a text, as the older package gives them: the members of an Encoding of the library `tokenizers`."""

from __future__ import annotations

from . import _core

PAD_ID, PAD_TOKEN = 0, "[PAD]"


class Encoding:
    """The tokens of one text. All lists have the same length; what is padding has attention_mask 0.

    Attributes:
        ids: numbers in the vocabulary.
        tokens: as they stand in the vocabulary.
        offsets: (begin, end) of each in the text, in characters.
        attention_mask: 1 for tokens of the text.
        special_tokens_mask: 1 for padding.
        type_ids: 0.
    """

    __slots__ = ("_core", "_ids", "_length", "_spans")

    def __init__(self, core: _core.Model, ids: memoryview[int], spans: memoryview[int], length: int) -> None:
        self._core = core
        self._ids = ids
        self._spans = spans
        self._length = length

    def __len__(self) -> int:
        return self._length

    @property
    def _missing(self) -> int:
        return self._length - len(self._ids)

    @property
    def ids(self) -> list[int]:
        return [*self._ids.tolist(), *[PAD_ID] * self._missing]

    @property
    def tokens(self) -> list[str]:
        return [*(self._core.piece(number) or "" for number in self._ids), *[PAD_TOKEN] * self._missing]

    @property
    def offsets(self) -> list[tuple[int, int]]:
        flat = self._spans.tolist()
        return [*zip(flat[::2], flat[1::2]), *[(0, 0)] * self._missing]

    @property
    def attention_mask(self) -> list[int]:
        return [1] * len(self._ids) + [0] * self._missing

    @property
    def special_tokens_mask(self) -> list[int]:
        return [0] * len(self._ids) + [1] * self._missing

    @property
    def type_ids(self) -> list[int]:
        return [0] * self._length

    def __repr__(self) -> str:
        return f"Encoding(num_tokens={self._length}, tokens={self.tokens[:8]}{'...' if self._length > 8 else ''})"


def make_encodings(core: _core.Model, parts: list[tuple[bytearray, bytearray, bytearray]]) -> list[Encoding]:
    """Of batches of texts, padded to the longest text of all: padding is counted, not stored."""
    made = []
    longest = 0
    for ids, spans, starts in parts:
        numbers, places = memoryview(ids).cast("I"), memoryview(spans).cast("I")
        begins = memoryview(starts).cast("Q").tolist()  # size_t
        for begin, end in zip(begins, begins[1:]):
            longest = max(longest, end - begin)
            made.append((numbers[begin:end], places[2 * begin : 2 * end]))
    return [Encoding(core, own, spans_of_it, longest) for own, spans_of_it in made]
