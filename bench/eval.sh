#!/bin/sh
# Scoring a model on all evaluation sets, against the Python scorer beside the data (tokenizers, SciPy, scikit-learn).
# The commands take turns; the best of the rounds counts. Usage: eval.sh MODEL_FOLDER [ROUNDS]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
model=$1 rounds=${2:-3}
data=$here/../../shared
if [ ! -e "$data/data/eval" ] || [ ! -e "$data/tools/score.py" ]; then
    echo "skipped: no evaluation data beside the checkout"
    exit 0
fi
venv=$here/../build/scores/venv
[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
"$venv/bin/python" -m pip install -q --disable-pip-version-check -r "$here/eval.txt"
"$venv/bin/python" - "$here/../build/release/wordllama" "$model" "$data" "$rounds" <<'PYTHON'
import os, resource, subprocess, sys, time

command, model, data, rounds = sys.argv[1:]
sets = f"{data}/data/eval"
scorer = [sys.executable, f"{data}/tools/score.py", f"wl:{model}/model.safetensors:{model}/tokenizer.json", sets]
alone = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
runs = {
    "wordllama eval, one thread": ([command, "eval", model, sets, "--threads", "1"], {}),
    "wordllama eval, all threads": ([command, "eval", model, sets], {}),
    "the same, 3 sizes and their bits": ([command, "eval", model, sets, "--dims", "256,128,64", "--binary"], {}),
    "Python scorer, one thread": (scorer, alone),
    "Python scorer, all threads": (scorer, {}),
}
best = {name: float("inf") for name in runs}
for _ in range(int(rounds)):
    for name, (arguments, variables) in runs.items():
        begun = time.perf_counter()
        subprocess.run(arguments, check=True, stdout=subprocess.DEVNULL, env={**os.environ, **variables})
        best[name] = min(best[name], time.perf_counter() - begun)
peer = min(best["Python scorer, one thread"], best["Python scorer, all threads"])
for name, seconds in best.items():
    print(f"{name:34} {seconds:7.2f} s  {peer / seconds:6.1f} x the Python scorer's best")
PYTHON
