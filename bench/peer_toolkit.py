"""The peers of `make bench-toolkit`, each job in a process of its own; called by compare_toolkit.py.

    peer_toolkit.py TOOL JOB [--model DIR] [--texts FILE] [--count N] [--query TEXT] [--rows FILE] [--queries FILE]
                    [--asked N] [--threads T] [--rounds R] [--seconds S] [--results FILE]

Prints one line a round, as bench_toolkit does: seconds, tab, a number of the result. Texts are in memory, models and
indexes ready: none of that is timed. Rounds end early after S seconds. --results writes what the job found, in the
form that bench_toolkit writes it.

    TOOL       JOB                      what is timed
    wordllama  dedup, rank, split       WordLlamaInference.deduplicate, .rank, .split
    whole      dedup                    the same deduplicate with batch_size=count: with less it passes pairs over
    semhash    dedup                    SemHash.from_records and self_deduplicate, the same table in a StaticModel
    faiss      top-k, hamming, cluster  IndexFlatIP.search, IndexBinaryFlat.search, Kmeans.train
    sklearn    cluster                  KMeans.fit
    numpy      dedup, cluster           no peer: all pairs, and the inertia of the centroids in --results, to check with
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

DIM = 256
TOP = 10
CLUSTERS = 256
ITERATIONS = 25
THRESHOLD = 0.9
DOUBT = 1e-6  # a pair this near to the threshold may fall on either side of it
BLOCK = 2000  # rows compared at a time


@dataclass
class Job:
    run: Callable[[], Any]  # what is timed
    number: Callable[[Any], float]  # of its result, for the line
    lines: Callable[[Any], list[str]] | None = None  # of its result, for --results


# ---- inputs


def read_text(options: argparse.Namespace) -> str:
    return options.texts.read_bytes().decode("utf-8")  # read_text would turn every line break into \n


def read_texts(options: argparse.Namespace) -> list[str]:
    return read_text(options).split("\n")[: options.count]


def read_rows(path: Path, count: int) -> np.ndarray:
    return np.fromfile(path, dtype=np.float32, count=count * DIM).reshape(-1, DIM)


def read_bits(path: Path, count: int) -> np.ndarray:
    return np.fromfile(path, dtype=np.uint8, count=count * DIM // 8).reshape(-1, DIM // 8)


def open_wordllama(folder: Path) -> Any:
    from safetensors.numpy import load_file
    from tokenizers import Tokenizer
    from wordllama.inference import WordLlamaInference  # type: ignore[import-untyped]

    table = load_file(folder / "model.safetensors")["embedding.weight"]
    return WordLlamaInference(table, Tokenizer.from_file(str(folder / "tokenizer.json")))


def open_model2vec(folder: Path) -> Any:
    from model2vec import StaticModel
    from safetensors.numpy import load_file
    from tokenizers import Tokenizer

    table = load_file(folder / "model.safetensors")["embedding.weight"].astype(np.float32)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    return StaticModel(table, tokenizer, normalize=False, max_length=None)


# ---- jobs on texts


def wordllama_dedup(options: argparse.Namespace) -> Job:
    model, texts = open_wordllama(options.model), read_texts(options)
    batch = len(texts) if options.tool == "whole" else None

    def run() -> list[int]:
        return model.deduplicate(texts, threshold=THRESHOLD, return_indices=True, batch_size=batch)

    return Job(run, len, lambda rows: [str(row) for row in rows])


def semhash_dedup(options: argparse.Namespace) -> Job:
    from semhash import SemHash

    model, texts = open_model2vec(options.model), read_texts(options)

    def run() -> int:
        result = SemHash.from_records(texts, model=model).self_deduplicate(threshold=THRESHOLD)
        return len(texts) - len(result.selected)

    return Job(run, float)


def numpy_dedup(options: argparse.Namespace) -> Job:
    """For each row, its first earlier row above the threshold for sure, and how many pairs are in doubt."""
    model, texts = open_wordllama(options.model), read_texts(options)

    def run() -> list[str]:
        rows = model.embed(texts, norm=True)
        lines = []
        for start in range(0, len(rows), BLOCK):
            block = rows[start : start + BLOCK]
            scores = block @ rows[: start + len(block)].T
            scores[:, start:] = np.tril(scores[:, start:], -1)  # earlier rows only
            for i in np.flatnonzero(scores.max(axis=1) > THRESHOLD - DOUBT):
                near = np.flatnonzero(scores[i] > THRESHOLD - DOUBT)
                sure = near[scores[i][near] > THRESHOLD + DOUBT]
                doubts = len(near) - len(sure)
                lines.append(f"{start + i}\t{sure[0] if len(sure) else -1}\t{doubts}")
        return lines

    return Job(run, len, lambda lines: lines)


def wordllama_rank(options: argparse.Namespace) -> Job:
    model, texts = open_wordllama(options.model), read_texts(options)

    def run() -> list[tuple[str, float]]:
        return model.rank(options.query, texts)

    def lines(ranked: list[tuple[str, float]]) -> list[str]:
        places: dict[str, list[int]] = {}
        for place, text in enumerate(texts):
            places.setdefault(text, []).append(place)
        for same in places.values():
            same.reverse()  # equal texts come in their order
        return [f"{places[text].pop()}\t{score:.9g}" for text, score in ranked]

    return Job(run, len, lines)


def wordllama_split(options: argparse.Namespace) -> Job:
    model, text = open_wordllama(options.model), read_text(options)
    return Job(lambda: model.split(text), len, lambda chunks: [chunk + "\0" for chunk in chunks])


# ---- jobs on rows


def match_lines(indices: np.ndarray, scores: np.ndarray) -> list[str]:
    return [f"{index}\t{score:.9g}" for index, score in zip(indices.ravel(), scores.ravel(), strict=True)]


def faiss_top_k(options: argparse.Namespace) -> Job:
    import faiss  # type: ignore[import-untyped]

    faiss.omp_set_num_threads(options.threads)
    queries = read_rows(options.queries, options.asked)
    index = faiss.IndexFlatIP(DIM)
    index.add(read_rows(options.rows, options.count))
    return Job(lambda: index.search(queries, TOP), lambda found: found[0].mean(), lambda found: match_lines(*found[::-1]))


def faiss_hamming(options: argparse.Namespace) -> Job:
    import faiss

    faiss.omp_set_num_threads(options.threads)
    queries = read_bits(options.queries, options.asked)
    index = faiss.IndexBinaryFlat(DIM)
    index.add(read_bits(options.rows, options.count))
    return Job(
        lambda: index.search(queries, TOP),
        lambda found: (1 - found[0] / DIM).mean(),
        lambda found: match_lines(found[1], 1 - found[0] / DIM),
    )


def write_centroids(options: argparse.Namespace, centroids: np.ndarray) -> None:
    if options.results:
        centroids.astype(np.float32).tofile(options.results)


def faiss_cluster(options: argparse.Namespace) -> Job:
    import faiss

    faiss.omp_set_num_threads(options.threads)
    rows = read_rows(options.rows, options.count)

    def run() -> Any:
        means = faiss.Kmeans(
            DIM, CLUSTERS, niter=ITERATIONS, nredo=1, max_points_per_centroid=len(rows), seed=options.seed
        )
        means.train(rows)
        return means

    def number(means: Any) -> float:
        write_centroids(options, means.centroids)
        return float(means.obj[-1])

    return Job(run, number)


def sklearn_cluster(options: argparse.Namespace) -> Job:
    from sklearn.cluster import KMeans  # type: ignore[import-untyped]

    rows = read_rows(options.rows, options.count)
    means = KMeans(CLUSTERS, n_init=1, max_iter=ITERATIONS, tol=0, random_state=options.seed)

    def number(fitted: Any) -> float:
        write_centroids(options, fitted.cluster_centers_)
        return float(fitted.inertia_)

    return Job(lambda: means.fit(rows), number)


def numpy_cluster(options: argparse.Namespace) -> Job:
    """The sum of the squared distances to the nearest centroids, found in F32 and summed in F64."""
    rows = read_rows(options.rows, options.count)
    centroids = np.fromfile(options.results, dtype=np.float32).reshape(-1, DIM)

    def run() -> float:
        total, halves = 0.0, (centroids.astype(np.float64) ** 2).sum(axis=1) / 2
        for start in range(0, len(rows), BLOCK):
            block = rows[start : start + BLOCK]
            nearest = (block @ centroids.T - halves).argmax(axis=1)
            total += float(((block.astype(np.float64) - centroids[nearest]) ** 2).sum())
        return total

    return Job(run, float)


JOBS: dict[tuple[str, str], Callable[[argparse.Namespace], Job]] = {
    ("wordllama", "dedup"): wordllama_dedup,
    ("whole", "dedup"): wordllama_dedup,
    ("semhash", "dedup"): semhash_dedup,
    ("numpy", "dedup"): numpy_dedup,
    ("wordllama", "rank"): wordllama_rank,
    ("wordllama", "split"): wordllama_split,
    ("faiss", "top-k"): faiss_top_k,
    ("faiss", "hamming"): faiss_hamming,
    ("faiss", "cluster"): faiss_cluster,
    ("sklearn", "cluster"): sklearn_cluster,
    ("numpy", "cluster"): numpy_cluster,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tool")
    parser.add_argument("job")
    for name in ("model", "texts", "rows", "queries", "results"):
        parser.add_argument(f"--{name}", type=Path)
    parser.add_argument("--query", default="")
    parser.add_argument("--count", type=int, default=0)
    parser.add_argument("--asked", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    job = JOBS[options.tool, options.job](options)
    begun = time.perf_counter()
    for round_ in range(options.rounds):
        start = time.perf_counter()
        result = job.run()
        taken = time.perf_counter() - start
        print(f"{taken:.6f}\t{job.number(result):.9g}", flush=True)
        if round_ == 0 and options.results and job.lines:
            options.results.write_text("".join(line + "\n" for line in job.lines(result)), encoding="utf-8")
        del result
        if time.perf_counter() - begun > options.seconds:
            break


if __name__ == "__main__":
    main()
