"""Finding the files of a model, and opening them."""

from __future__ import annotations

import os

from . import _core
from .config import Config, Model2VecModels, ModelURI, WordLlamaConfig, WordLlamaModels
from .inference import WordLlamaInference
from .model import Model

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

    StrPath = str | os.PathLike[str]

DEFAULT = "default"


def _usual_cache() -> str:
    return os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")


def cache_directory() -> str:
    """$WORDLLAMA_CACHE, else wordllama in $XDG_CACHE_HOME, else ~/.cache/wordllama."""
    return os.environ.get("WORDLLAMA_CACHE") or os.path.join(_usual_cache(), "wordllama")


def _first(paths: list[str]) -> str | None:
    return next((path for path in paths if os.path.isfile(path)), None)


# ---- the first WordLlama's way ---------------------------------------------------------------------------------------


def _snapshot_files(repository: str, name: str) -> list[str]:
    """A file in the hub's own cache, in any revision that is there, the main one first."""
    home = os.environ.get("HF_HOME") or os.path.join(_usual_cache(), "huggingface")
    root = os.environ.get("HF_HUB_CACHE") or os.path.join(home, "hub")
    folder = os.path.join(root, f"models--{repository.replace('/', '--')}")
    snapshots, main = os.path.join(folder, "snapshots"), os.path.join(folder, "refs", "main")
    if not os.path.isdir(snapshots):
        return []
    revisions = sorted(os.listdir(snapshots))
    if os.path.isfile(main):
        with open(main, encoding="utf-8") as file:
            revisions.insert(0, file.read().strip())
    return [os.path.join(snapshots, revision, name) for revision in revisions]


def _tokenizer_of(config: WordLlamaConfig) -> list[str]:
    """Where the tokenizer of a config may be."""
    folder = os.path.join(cache_directory(), "tokenizers")
    names = [f"{config.name}.tokenizer.json", f"{config.name}_tokenizer_config.json", f"{config.name}.json"]
    hub = _snapshot_files(config.model.hf_model_id, "tokenizer.json")
    return [*(os.path.join(folder, name) for name in names), *hub]


def _config_of(path: str) -> WordLlamaConfig | None:
    """The config that a file's name says: wordllama_64_binary.safetensors is of wordllama_64."""
    name = os.path.basename(path).removesuffix(".safetensors").removesuffix("_binary")
    return Config[name] if name in Config else None


def _find_tokenizer(path: str, config: WordLlamaConfig | None) -> str | None:
    """None where the one beside the file will do, or the file holds it."""
    beside = [
        f"{path.removesuffix('.safetensors')}.tokenizer.json",
        os.path.join(os.path.dirname(path), "tokenizer.json"),
    ]
    config = config or _config_of(path)
    if not os.path.isfile(path) or not config or _first(beside):
        return None
    places = _tokenizer_of(config)
    found = _first(places)
    if found or _is_packed(path):
        return found
    looked = "\n  ".join([*beside, *places])
    raise FileNotFoundError(
        f"{path} has no tokenizer beside it, and that of {config.name} is not in the cache. Looked for:\n  {looked}"
    )


def _is_packed(path: str) -> bool:
    """Whether a file holds its tokenizer; most of a header is enough to tell."""
    with open(path, "rb") as file:
        return b'"tokenizer.' in file.read(1 << 20)


def load(
    path: StrPath | None = None,
    config: WordLlamaConfig | str | None = None,
    *,
    tokenizer: StrPath | None = None,
    dim: int | None = None,
    disable_download: bool = False,
) -> Model:
    """Opens a model.

    Args:
        path: a .safetensors file, a folder that holds one and tokenizer.json, a packed model; or the name of a model
            that comes with the package ("default", "wordllama_64_binary"), of a known one ("l2_supercat_256"), or of
            one at the hub ("minishlab/potion-base-8M"), which are fetched where they are not in the cache. None: the
            default model.
        config: what the file was made of, such as Config.wordllama_64: its tokenizer is taken out of the cache where
            none lies beside the file. None: what the file's name says.
        tokenizer: the tokenizer.json.
        dim: keep the first dim dimensions.
        disable_download: fetch nothing.

    Returns:
        The model; it may be shared by threads, pickled (by its path), and used after fork().

    Raises:
        FileNotFoundError: says where it looked.
        WordLlamaError: a file is broken, or model and tokenizer do not belong together.
    """
    if isinstance(config, str):
        config = Config[config]
    if path is None and config is not None:
        raise ValueError("a config alone is no model: give the path of a file that was made of it, too")
    place = os.fsdecode(path if path is not None else DEFAULT)
    if path is None or not os.path.exists(place):
        place = included(place) or _fetched(place, disable_download) or place
    return Model.open(place, tokenizer or _find_tokenizer(place, config), dim=dim)


load_model = load


def _parts(name: str) -> tuple[str, int, bool] | None:
    """l2_supercat_256, or l2_supercat_64_binary, taken apart; l2_supercat alone is that of 256 dimensions."""
    stem = name.removesuffix("_binary")
    if stem in WordLlamaModels.list_configs():
        return stem, 256, stem != name
    model, _, dim = stem.rpartition("_")
    return (model, int(dim), stem != name) if model in WordLlamaModels.list_configs() and dim.isdigit() else None


def _check_dim(dim: int, uri: ModelURI) -> None:
    if dim not in uri.available_dims:
        raise ValueError(f"Model dimension must be one of {uri.available_dims}")


def included(name: str) -> str | None:
    """The folder or file of a model that comes with the package; None where none has that name."""
    if name == DEFAULT:
        return _core.included_model(None)
    try:
        return None if "/" in name else _core.included_model(name)
    except FileNotFoundError:
        return None


def _fetched(name: str, disable_download: bool) -> str | None:
    """The folder or file of a model that has a name; None where it is none."""
    known = _parts(name)
    if known:
        uri = WordLlamaModels.find(known[0])
        _check_dim(known[1], uri)
        return _wordllama_files(known[0], uri, known[1], known[2], None, disable_download)[0]
    if name.count("/") != 1 or name.startswith((".", "/", "~")) or name.endswith((".safetensors", "/")):
        return None
    from . import codebooks

    try:
        return os.fspath(codebooks.hub_fetch_model(name, offline=disable_download))
    except OSError as error:
        raise FileNotFoundError(
            f"there is no file or folder {name!r} here, and no such model at the hub: {error}"
        ) from error


# ---- the package `wordllama`'s way -----------------------------------------------------------------------------------


def _own_files(folder: str, weights: str, tokenizer: str | None) -> tuple[str, str] | None:
    """In the layout of the package `wordllama`: weights/ and tokenizers/."""
    files = (os.path.join(folder, "weights", weights), os.path.join(folder, "tokenizers", tokenizer or ""))
    return files if os.path.isfile(files[0]) and os.path.isfile(files[1]) else None


def _installed() -> list[str]:
    """The folder of the package `wordllama`, where it is installed: its files serve as well."""
    import importlib.util

    found = importlib.util.find_spec("wordllama")
    return [os.path.dirname(found.origin)] if found and found.origin else []


def _wordllama_files(
    name: str, uri: ModelURI, dim: int, binary: bool, cache: str | None, disable_download: bool
) -> tuple[str, str | None]:
    """Weights and tokenizer; or a folder that holds both, and None."""
    weights = WordLlama.get_filename(name, dim, binary)
    root = cache or cache_directory()
    folder = os.path.join(root, "models", weights.removesuffix(".safetensors"))
    found = _own_files(root, weights, uri.tokenizer_config)
    if found:
        return found
    if all(os.path.isfile(os.path.join(folder, file)) for file in ("model.safetensors", "tokenizer.json")):
        return folder, None
    for place in _installed():
        found = _own_files(place, weights, uri.tokenizer_config)
        if found:
            return found
    if disable_download:
        looked = ", ".join([os.path.join(root, "weights"), os.path.join(root, "tokenizers"), folder])
        raise FileNotFoundError(
            f"Weights file '{weights}' and tokenizer '{uri.tokenizer_config}' not found, and downloads are disabled. "
            f"Looked in {looked}"
        )
    return _download(name, uri, weights, root)


def _download(name: str, uri: ModelURI, weights: str, root: str) -> tuple[str, str | None]:
    from . import codebooks

    stem = weights.removesuffix(".safetensors")
    if stem in codebooks.known_models():
        return os.fspath(codebooks.pull(stem, cache=root)), None
    tokenizer = uri.remote_tokenizer_filename or uri.tokenizer_config or "tokenizer.json"
    try:
        files = [codebooks.hub_fetch(uri.repo_id, file) for file in (uri.remote_filename or weights, tokenizer)]
    except OSError as error:
        raise FileNotFoundError(f"Failed to download '{weights}' of {name} from {uri.repo_id}: {error}") from error
    return os.fspath(files[0]), os.fspath(files[1])


class _Home:
    """~/.cache/wordllama as a Path, made where somebody asks for it."""

    def __get__(self, instance: object, owner: type) -> Path:
        from pathlib import Path

        return Path(cache_directory())


class WordLlama:
    """Opens models by name: what ``from wordllama import WordLlama`` gives, from here.

    Files are looked for in the cache, in the layouts of both packages, and where the package `wordllama` is
    installed, in that; then they are fetched.
    """

    DEFAULT_CACHE_DIR = _Home()

    @classmethod
    def list_configs(cls) -> dict[str, list[str]]:
        """The names of models that load() and load_m2v() know."""
        return {"wordllama": WordLlamaModels.list_configs(), "model2vec": Model2VecModels.list_configs()}

    @staticmethod
    def get_filename(config_name: str, dim: int, binary: bool = False) -> str:
        """What the file of a model is called: "l2_supercat_64_binary.safetensors"."""
        return f"{config_name}_{dim}{'_binary' if binary else ''}.safetensors"

    @classmethod
    def load(
        cls,
        config: str | ModelURI | None = "l2_supercat",
        cache_dir: StrPath | None = None,
        binary: bool = False,
        dim: int = 256,
        trunc_dim: int | None = None,
        disable_download: bool = False,
    ) -> WordLlamaInference:
        """Opens a WordLlama model.

        Args:
            config: its name ("l2_supercat", "l3_supercat"), or where it is; of the latter nothing is fetched.
            cache_dir: the cache; None: $WORDLLAMA_CACHE, else ~/.cache/wordllama.
            binary: the weights that were trained for bits; vectors are bits.
            dim: which of its files: one of available_dims.
            trunc_dim: keep the first of its dimensions: one of available_dims, at most dim.
            disable_download: fetch nothing.

        Raises:
            ValueError: no such model or dimension.
            FileNotFoundError: a file is not there, and is not fetched or cannot be; says where it looked.
        """
        if isinstance(config, ModelURI):
            name, uri, disable_download = "custom", config, True
        else:
            name = config or "l2_supercat"
            known = _parts(name) if isinstance(name, str) else None
            if known and known[0] != name:  # its whole name, as load() takes it
                name, dim, binary = known[0], known[1], binary or known[2]
            if isinstance(name, str) and (os.sep in name or os.path.exists(name)):
                raise ValueError(f"{name!r} is a path: word_llama.load() opens it")
            uri = WordLlamaModels.find(name)
        _check_dim(dim, uri)
        if trunc_dim is not None and trunc_dim > dim:
            raise ValueError(f"Cannot truncate to a higher dimension ({trunc_dim} > {dim})")
        if trunc_dim is not None and trunc_dim not in uri.available_dims:
            raise ValueError(f"Truncated dimension must be one of {uri.available_dims}")
        weights, tokenizer = _wordllama_files(name, uri, dim, binary, _cache(cache_dir), disable_download)
        return WordLlamaInference.open(weights, tokenizer, dim=trunc_dim, binary=binary, policy="wordllama")

    @classmethod
    def load_m2v(
        cls, config: str, cache_dir: StrPath | None = None, disable_download: bool = False
    ) -> WordLlamaInference:
        """Opens a model of Model2Vec, with the tokens that the package `wordllama` gives it.

        Args:
            config: its name, see list_configs().
            cache_dir, disable_download: as for load().

        Raises:
            ValueError, FileNotFoundError: as load().
        """
        uri = Model2VecModels.find(config)
        root = _cache(cache_dir) or cache_directory()
        weights = cls.get_filename(config, uri.available_dims[0])
        found = _own_files(root, weights, uri.tokenizer_config)
        return WordLlamaInference.open(
            *(found or (_hub_folder(uri, weights, root, disable_download),)), policy="wordllama"
        )


def _hub_folder(uri: ModelURI, weights: str, root: str, disable_download: bool) -> str:
    from . import codebooks

    try:
        return os.fspath(codebooks.hub_fetch_model(uri.repo_id, offline=disable_download))
    except OSError as error:
        raise FileNotFoundError(
            f"'{weights}' and '{uri.tokenizer_config}' are not in {root}, and {uri.repo_id} cannot be had: {error}"
        ) from error


def _cache(cache_dir: StrPath | None) -> str | None:
    return os.path.abspath(os.path.expanduser(os.fspath(cache_dir))) if cache_dir else None
