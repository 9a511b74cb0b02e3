# `make demo` and `make test` need Python 3.11 or later and a network, nothing else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.zonelog-stamp
EXTRAS_STAMP := $(VENV)/.zonelog-extras-stamp
BENCH_VENV := .venv-bench
BENCH_STAMP := $(BENCH_VENV)/.zonelog-stamp

.PHONY: demo test fuzz lint docs screenshots bench bench-map bench-readers bundle lock clean

demo: $(STAMP)
	$(BIN)/zonelog demo --out zonelog-demo

# EXTRAS=ray,s3 tests the extras as well, and fails where they cannot be tested.
EXTRAS ?=
export EXTRAS
test: $(STAMP) $(if $(EXTRAS),$(EXTRAS_STAMP)) lint
	$(BIN)/python -m pytest

# Every reader on damaged files, for so many seconds; `make test` does the same for a few.
SECONDS ?= 300
fuzz: $(STAMP)
	$(BIN)/python -m tests.fuzz $(SECONDS)

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(STAMP)
	$(BIN)/python -m analyzer.catalogue docs

# Needs Chromium, Chrome or Edge, and a Korean font.
screenshots: $(STAMP)
	$(BIN)/python -m tests.browser.screenshots docs/screenshots

# CASES="month" analyzes 127 million fixes: minutes, and some gigabytes in WORK.
CASES ?= findings vertices day
bench-map: $(STAMP)
	$(BIN)/python -m benchmarks.map_pages $(CASES) $(if $(WORK),--work $(WORK))

bench-readers: $(STAMP)
	$(BIN)/python -m benchmarks.readers $(READERS)

# make bench SIZES="1e6" is the quick one; WORK=DIR keeps the data for the next run.
SIZES ?= 1e6 1e7 1e8
ROUNDS ?= 3
bench: $(BENCH_STAMP)
	$(BENCH_VENV)/bin/python -m benchmarks --sizes $(SIZES) --rounds $(ROUNDS) $(if $(WORK),--work $(WORK)) $(BENCH_OPTIONS)

$(STAMP): requirements-dev.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	$(BIN)/python -m compileall -q analyzer
	touch $(STAMP)

$(EXTRAS_STAMP): $(STAMP) requirements-extras.lock
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-extras.lock
	touch $(EXTRAS_STAMP)

$(BENCH_STAMP): requirements-bench.lock pyproject.toml
	$(PYTHON) -m venv $(BENCH_VENV)
	$(BENCH_VENV)/bin/python -m pip install --quiet --require-hashes -r requirements-bench.lock
	$(BENCH_VENV)/bin/python -m pip install --quiet --no-deps --no-build-isolation -e .
	$(BENCH_VENV)/bin/python -m compileall -q analyzer
	touch $(BENCH_STAMP)

# One zip for machines without a network: dist/zonelog-bundle.zip; EXTRAS=ray,s3 puts their wheels in,
# BUNDLE_OPTIONS="--targets windows-x86_64 --pythons 3.12" makes a small one.
bundle: $(STAMP)
	$(BIN)/python -m bundle $(if $(EXTRAS),--extras $(EXTRAS)) $(BUNDLE_OPTIONS)

# Needs uv; one lock for every platform, hashes but no index addresses.
LOCK := uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header --quiet
lock:
	$(LOCK) --group build --output-file requirements.lock
	$(LOCK) --group build --group dev --output-file requirements-dev.lock
	$(LOCK) --group build --group bench --output-file requirements-bench.lock
	$(LOCK) --group build --group dev --group extras --output-file requirements-extras.lock

clean:
	rm -rf $(VENV) $(BENCH_VENV) zonelog-demo dist
