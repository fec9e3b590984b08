# The front door. Everything else is CMake: see CMakePresets.json.
MODELS := $(CURDIR)/build/cache
PREFIX ?= /usr/local
JOBS := $(shell nproc)

all: | setup-build
	@$(MAKE) --no-print-directory release

demo: | setup-build
	@$(MAKE) --no-print-directory release
	@sh demo/run.sh build/release/wordllama

test: | setup-test
	@$(MAKE) --no-print-directory release sanitize
	@[ -x build/tests/venv/bin/python ] || python3 -m venv build/tests/venv
	@build/tests/venv/bin/python -m pip install -q --disable-pip-version-check huggingface_hub==2.4.0 || \
	    { echo "skipped: huggingface_hub cannot be installed: the hub's cache is not read with it"; rm -rf build/tests/venv; }
	WORDLLAMA_CACHE=$(MODELS) build/release/wordllama pull
	cd build/release && ctest --output-on-failure
	cd build/sanitize && ctest --output-on-failure

# The Python package on every CPython of the machine, audited, against the reference, under AddressSanitizer.
test-python: | setup-test
	WORDLLAMA_CACHE=$(MODELS) sh tools/test_python.sh $(PYTHON_PARTS)

# Its adapters against the libraries that they are for (torch among them: several GB).
test-adapters: | setup-test
	WORDLLAMA_CACHE=$(MODELS) sh tools/test_adapters.sh

# The notebook of docs/, executed anew.
notebook: | setup-test
	WORDLLAMA_CACHE=$(MODELS) sh tools/notebook.sh

bench: bench-embed bench-toolkit bench-tokenizers bench-opening bench-extract bench-eval bench-train bench-python

bench-embed: release
	WORDLLAMA_CACHE=$(MODELS) build/release/wordllama pull
	sh bench/run.sh $(MODELS)/models/l2_supercat_256

bench-tokenizers: release
	@sh bench/tokenizers.sh $(BENCH)

bench-opening: release
	@sh bench/opening.sh $(BENCH)

bench-toolkit: release
	WORDLLAMA_CACHE=$(MODELS) build/release/wordllama pull
	@sh bench/toolkit.sh $(BENCH)

bench-extract: release
	@sh bench/extract.sh build/checkpoints/venv/bin/python

bench-eval: release
	WORDLLAMA_CACHE=$(MODELS) build/release/wordllama pull
	@sh bench/eval.sh $(MODELS)/models/l2_supercat_256 $(BENCH)

# The package against the C library, the package wordllama and Model2Vec.
bench-python: release
	WORDLLAMA_CACHE=$(MODELS) build/release/wordllama pull
	@[ -x build/bench/python/venv/bin/python ] || python3 -m venv build/bench/python/venv
	@build/bench/python/venv/bin/python -m pip wheel -q --disable-pip-version-check --no-deps -w build/python/dist .
	@WORDLLAMA_CACHE=$(MODELS) sh bench/python.sh build/bench/python/venv/bin/python $(BENCH)

# Parts of it: make bench-train BENCH="steps table". Installs the reference (torch, several GB).
bench-train: release
	WORDLLAMA_CACHE=$(MODELS) build/release/wordllama pull
	@[ -x build/checkpoints/venv/bin/python ] || python3 -m venv build/checkpoints/venv
	@build/checkpoints/venv/bin/python -m pip install -q --disable-pip-version-check -r bench/train.txt
	@sh bench/train.sh build/checkpoints/venv/bin/python $(BENCH)

# The recipes: a model from texts and teachers (the one in models/), and one from a language model's codebook. Another
# than the project's own: make model CONFIG=my.conf.
model: release
	WORDLLAMA_CACHE=$(MODELS) build/release/wordllama pull
	WORDLLAMA_CACHE=$(MODELS) sh recipes/distil.sh $(or $(CONFIG),recipes/default.conf)

model-of-codebook: release
	WORDLLAMA_CACHE=$(MODELS) build/release/wordllama pull
	WORDLLAMA_CACHE=$(MODELS) sh recipes/codebook.sh $(or $(CONFIG),recipes/codebook.conf)

parity: release
	@mkdir -p build/parity
	@[ -x build/parity/venv/bin/python ] || python3 -m venv build/parity/venv
	@build/parity/venv/bin/python -m pip install -q --disable-pip-version-check tokenizers==0.23.3
	@build/parity/venv/bin/python tools/parity.py $(PARITY)

parity-toolkit: release
	WORDLLAMA_CACHE=$(MODELS) build/release/wordllama pull
	@[ -x build/toolkit/venv/bin/python ] || python3 -m venv build/toolkit/venv
	@build/toolkit/venv/bin/python -m pip install -q --disable-pip-version-check -r bench/toolkit.txt
	@build/toolkit/venv/bin/python tools/parity_toolkit.py $(PARITY)

# Checkpoints of every architecture, format and type, as transformers and gguf write them, against extraction.
parity-extract: release
	@[ -x build/checkpoints/venv/bin/python ] || python3 -m venv build/checkpoints/venv
	@build/checkpoints/venv/bin/python -m pip install -q --disable-pip-version-check -r tools/checkpoints.txt
	@rm -rf build/checkpoints/all
	@build/checkpoints/venv/bin/python tools/golden_checkpoints.py --all build/checkpoints/all/models
	@build/checkpoints/venv/bin/python tools/golden_gguf.py --all build/checkpoints/all/gguf
	build/release/tests/test_extract_models build/checkpoints/all/models
	build/release/tests/test_extract_models build/checkpoints/all/gguf
	build/checkpoints/venv/bin/python tools/golden_gguf.py --parity build/release/wordllama-train

# What train saves, loaded by sentence-transformers and Model2Vec.
parity-saved: release
	@[ -x build/checkpoints/venv/bin/python ] || python3 -m venv build/checkpoints/venv
	@build/checkpoints/venv/bin/python -m pip install -q --disable-pip-version-check -r tools/checkpoints.txt \
	    sentence-transformers==6.2.0 model2vec==0.10.0
	@build/checkpoints/venv/bin/python tools/parity_saved.py build/release/wordllama ../shared/data/tokenizers

# Parquet files as pyarrow writes them, read in a build with Arrow, which comes with pyarrow.
parity-parquet: | setup-build build
	WORDLLAMA_CACHE=$(MODELS) sh tools/parity_parquet.sh

# Each target for a while, from its corpus on; what is found is left in build/fuzz.
fuzz-short: fuzz
	@sh fuzz/short.sh build/fuzz/fuzz $(FUZZ_SECONDS)

install: release
	cmake --install build/release --prefix $(PREFIX)

format:
	clang-format -i $$(git ls-files '*.c' '*.h')

lint: | setup-lint
	@sh tools/lint.sh

release debug sanitize tsan clang fuzz:
	@cmake --preset $@ >build/$@.log 2>&1 || { cat build/$@.log; exit 1; }
	@cmake --build --preset $@ -j $(JOBS)

setup-build setup-test setup-lint:
	@sh tools/setup.sh $(@:setup-%=%)

clean:
	rm -rf build

release debug sanitize tsan clang fuzz: | build
build:
	@mkdir -p build

.PHONY: all demo test test-python test-adapters notebook model model-of-codebook bench bench-python bench-embed bench-eval bench-extract bench-opening bench-tokenizers bench-toolkit bench-train parity \
        parity-extract parity-parquet parity-saved parity-toolkit fuzz-short install format lint clean release debug sanitize tsan clang fuzz \
        setup-build setup-test setup-lint
