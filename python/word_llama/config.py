"""What is known of models: the codebooks of language models (Config), and WordLlama's own models."""

from __future__ import annotations

import os

TYPE_CHECKING = False  # typing is not imported to run: opening a model takes as long as that
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_FOLDER = os.path.join(os.path.dirname(__file__), "configs")


class _Record:
    """Plain data: equal where all of its fields are."""

    __slots__: tuple[str, ...] = ()

    def _fields(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and isinstance(other, _Record) and self._fields() == other._fields()

    def __hash__(self) -> int:
        return hash(repr(self))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self._fields().items())})"


class WordLlamaModel(_Record):
    """Of a language model: columns and rows of its codebook, its name at the hub, its padding token."""

    __slots__ = ("dim", "hf_model_id", "n_vocab", "pad_token")

    def __init__(self, dim: int, n_vocab: int, hf_model_id: str, pad_token: str | None = None) -> None:
        self.dim = dim
        self.n_vocab = n_vocab
        self.hf_model_id = hf_model_id
        self.pad_token = pad_token


class WordLlamaConfig(_Record):
    """A codebook: what `extract` takes, or what a model was made of.

    Attributes:
        name: of the config; config_name is the same.
        model: the language model that it is of.
        tensor: the name of its table; None: found.
        padded: some of its rows are known to stand for no token.
        composed: a concatenation, or a model trained from one: nothing to extract.
        note: what else is known; None: nothing.
    """

    __slots__ = ("composed", "model", "name", "note", "padded", "tensor")

    def __init__(
        self,
        name: str,
        model: WordLlamaModel,
        tensor: str | None = None,
        padded: bool = False,
        composed: bool = False,
        note: str | None = None,
    ) -> None:
        self.name = name
        self.model = model
        self.tensor = tensor
        self.padded = padded
        self.composed = composed
        self.note = note

    @property
    def config_name(self) -> str:
        return self.name


class ModelURI(_Record):
    """Where a model is: the fields of the package `wordllama`."""

    __slots__ = (
        "available_dims",
        "binary_dims",
        "remote_filename",
        "remote_tokenizer_filename",
        "repo_id",
        "tensor_key",
        "tokenizer_config",
        "tokenizer_fallback",
    )

    def __init__(
        self,
        repo_id: str,
        available_dims: list[int],
        binary_dims: list[int],
        tokenizer_config: str | None,
        remote_filename: str | None = None,
        remote_tokenizer_filename: str | None = None,
        tensor_key: str = "embedding.weight",
        tokenizer_fallback: str | None = None,
    ) -> None:
        self.repo_id = repo_id
        self.available_dims = available_dims
        self.binary_dims = binary_dims
        self.tokenizer_config = tokenizer_config
        self.remote_filename = remote_filename
        self.remote_tokenizer_filename = remote_tokenizer_filename
        self.tensor_key = tensor_key
        self.tokenizer_fallback = tokenizer_fallback


# ---- codebooks -------------------------------------------------------------------------------------------------------

_read: dict[str, WordLlamaConfig] = {}  # by path


def _folders() -> list[str]:
    own = os.environ.get("WORDLLAMA_CONFIGS")
    return [own, _FOLDER] if own else [_FOLDER]


def _config(name: str, path: str) -> WordLlamaConfig:
    if path not in _read:
        import json

        with open(path, encoding="utf-8") as file:
            fields = json.load(file)
        model = WordLlamaModel(fields["dim"], fields["vocabulary"], fields["model"], fields.get("pad_token"))
        rest = {field: fields[field] for field in ("tensor", "padded", "composed", "note") if field in fields}
        _read[path] = WordLlamaConfig(name, model, **rest)
    return _read[path]


def nearest(name: str, names: list[str]) -> str:
    """A hint at what was meant, for the end of a message; empty where nothing is near."""
    import difflib

    near = difflib.get_close_matches(name, names, 1)
    return f"; did you mean {near[0]!r}?" if near else ""


class _Configs(type):
    """Makes every config an attribute of the class, read when it is asked for."""

    def __getattr__(cls, name: str) -> WordLlamaConfig:
        if not name.startswith("_"):
            for folder in _folders():
                path = os.path.join(folder, f"{name}.json")
                if os.path.isfile(path):
                    return _config(name, path)
        raise AttributeError(f"there is no config {name!r}{nearest(name, cls.list())}")

    def __getitem__(cls, name: str) -> WordLlamaConfig:
        try:
            return cls.__getattr__(name)
        except AttributeError as error:
            raise KeyError(str(error)) from None

    def __contains__(cls, name: object) -> bool:
        return name in cls.list()

    def __iter__(cls) -> Iterator[str]:
        return iter(cls.list())

    def __dir__(cls) -> list[str]:
        return [*super().__dir__(), *cls.list()]

    def list(cls) -> list[str]:
        """The names of all configs, sorted; those in the folder WORDLLAMA_CONFIGS too."""
        there = [folder for folder in _folders() if os.path.isdir(folder)]
        files = {file for folder in there for file in os.listdir(folder)}
        return sorted(file.removesuffix(".json") for file in files if file.endswith(".json"))


class Config(metaclass=_Configs):
    """Every config of the project: ``Config.llama3_8B``, ``Config["llama3_8B"]``, ``Config.list()``."""


# ---- models ----------------------------------------------------------------------------------------------------------


def _wordllama(repository: str, tokenizer: str, fallback: str) -> ModelURI:
    dims = [64, 128, 256, 512, 1024]
    return ModelURI(repository, dims, list(dims), tokenizer, tokenizer_fallback=fallback)


def _model2vec(repository: str, dim: int, tokenizer: str) -> ModelURI:
    names = ("model.safetensors", "tokenizer.json", "embeddings")
    return ModelURI(repository, [dim], [], tokenizer, *names, tokenizer_fallback=repository)


class _Models:
    """A table of models: attributes that are a ModelURI."""

    @classmethod
    def list_configs(cls) -> list[str]:
        """The names of the models in it."""
        return [name for name, value in vars(cls).items() if isinstance(value, ModelURI)]

    @classmethod
    def find(cls, name: Any) -> ModelURI:
        """The model of a name. ValueError names the nearest one."""
        value = vars(cls).get(name) if isinstance(name, str) else None
        if isinstance(value, ModelURI):
            return value
        names = cls.list_configs()
        raise ValueError(f"there is no model {name!r}, but {', '.join(names)}{nearest(str(name), names)}")


class WordLlamaModels(_Models):
    """The models of the package `wordllama`."""

    l2_supercat = _wordllama(
        "dleemiller/word-llama-l2-supercat", "l2_supercat_tokenizer_config.json", "meta-llama/Llama-2-70b-hf"
    )
    l3_supercat = _wordllama(
        "dleemiller/wordllama-l3-supercat", "l3_supercat_tokenizer_config.json", "meta-llama/Meta-Llama-3.1-405B"
    )


class Model2VecModels(_Models):
    """Models of Model2Vec."""

    potion_base_8m = _model2vec("minishlab/potion-base-8M", 256, "m2v_potion_8m_tokenizer_config.json")
    potion_base_4m = _model2vec("minishlab/potion-base-4M", 128, "m2v_potion_4m_tokenizer_config.json")
    potion_base_2m = _model2vec("minishlab/potion-base-2M", 64, "m2v_potion_2m_tokenizer_config.json")
    m2v_multilingual = _model2vec(
        "minishlab/M2V_multilingual_output", 256, "m2v_multilingual_output_tokenizer_config.json"
    )
    m2v_glove = _model2vec("minishlab/M2V_base_glove", 256, "m2v_glove_tokenizer_config.json")
    m2v_glove_subword = _model2vec("minishlab/M2V_base_glove_subword", 256, "m2v_glove_subword_tokenizer_config.json")
