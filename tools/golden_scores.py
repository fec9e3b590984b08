#!/usr/bin/env python3
"""Writes tests/golden/scores.tsv: what the Python scorer says of two models on the evaluation data.

    pip install numpy scipy scikit-learn tokenizers==0.23.3 safetensors model2vec==0.10.0
    python3 tools/golden_scores.py SCORER DATA WORDLLAMA

SCORER: score.py beside the data; DATA: the folder with eval/ and models/; WORDLLAMA: the folder of l2_supercat_256.
Each line is what SCORER printed for a set: model, dimensions (b: their signs), group, set, score times 100.
"""

import importlib.metadata
import os
import subprocess
import sys

PACKAGES = ["numpy", "scipy", "scikit-learn", "tokenizers", "model2vec"]
DIMS = [(256, False), (128, False), (64, False), (256, True), (64, True)]


def score(scorer: str, model: str, data: str) -> list[list[str]]:
    environment = dict(os.environ, OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    command = [sys.executable, scorer, model, f"{data}/eval"]
    output = subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout
    return [line.split() for line in output.splitlines() if " MEAN " not in line and not line.startswith("ALL")]


def main() -> None:
    scorer, data, wordllama = sys.argv[1:]
    runs = []
    for dim, binary in DIMS:
        model = f"wl:{wordllama}/model.safetensors:{wordllama}/tokenizer.json:{dim}" + (":binary" if binary else "")
        runs.append(("l2_supercat_256", f"{dim}{'b' if binary else ''}", model))
    runs.append(("potion-base-4M-int8", "128", f"m2v:{data}/models/potion-base-4M-int8"))
    with open("tests/golden/scores.tsv", "w", encoding="utf8") as file:
        versions = ", ".join(f"{package} {importlib.metadata.version(package)}" for package in PACKAGES)
        print(f"# score.py MODEL data/eval, by tools/golden_scores.py; {versions}", file=file)
        for name, dims, model in runs:
            for group, test, value in score(scorer, model, data):
                print(name, dims, group, test, value, sep="\t", file=file)


if __name__ == "__main__":
    main()
