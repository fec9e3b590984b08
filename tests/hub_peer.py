"""The Python package huggingface_hub 2.4 on a cache that the C client shares with it, for the tests of the hub.

    hub_peer.py file REPOSITORY FILE [REVISION]   prints the path of a file, fetched or (HF_HUB_OFFLINE=1) cached
    hub_peer.py missing REPOSITORY FILE           ends well where the cache knows that there is no such file
    hub_peer.py check COUNT                       offline: the cache is whole, and holds at least COUNT repositories
                                                  owner/random-SEED, with the bytes that hub_server.py made of SEED

The cache and the hub are those of the environment (HF_HUB_CACHE, HF_ENDPOINT).
"""

import sys
from pathlib import Path

import hub_server
from huggingface_hub import hf_hub_download, scan_cache_dir, try_to_load_from_cache
from huggingface_hub.file_download import _CACHED_NO_EXIST


def check(least: int) -> None:
    cache = scan_cache_dir()
    assert not cache.warnings, cache.warnings
    repositories = [repository for repository in cache.repos if repository.repo_id.startswith("owner/random-")]
    assert len(repositories) >= least, (len(repositories), least)
    for repository in repositories:
        seed = int(repository.repo_id.rpartition("-")[2])
        versions = [hub_server.random_files(seed, version) for version in (0, 1)]
        (revision,) = repository.revisions
        assert revision.refs == {"main"} and revision.files, repository.repo_id
        for file in revision.files:
            name = str(file.file_path.relative_to(revision.snapshot_path))
            path = hf_hub_download(repository.repo_id, name)
            assert Path(path).read_bytes() in [files[name] for files in versions], path


def main() -> None:
    verb, arguments = sys.argv[1], sys.argv[2:]
    if verb == "file":
        print(hf_hub_download(arguments[0], arguments[1], revision=arguments[2] if len(arguments) > 2 else None))
    elif verb == "missing":
        sys.exit(try_to_load_from_cache(arguments[0], arguments[1]) is not _CACHED_NO_EXIST)
    else:
        check(int(arguments[0]))


main()
