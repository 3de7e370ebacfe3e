# From a corpus to topics. `make` alone lists the targets.
#
# A corpus is built once, a model is trained once: each result is a file that depends on what it was made
# from, so a second `make run` has nothing to do. Results of other corpora, sizes, seeds or options lie in
# folders of their own, and none overwrites another.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules --no-print-directory

PYTHON ?= python3
VENV ?= .venv
TORCH_INDEX ?=
TORCH_VERSION := 2.13.0

CORPUS ?= pydocs
NUM_TOPICS ?= 20
SEED ?= 0
CORPUS_OPTIONS ?=
TRAIN_OPTIONS ?=
PYTEST_OPTIONS ?=
IMITATIONS ?=
DATA ?= data/processed
RUNS ?= runs

export CORPUS
BIN := $(VENV)/bin
LDA_APP := $(BIN)/lda-app
INSTALLED := $(VENV)/.installed
RIVALS := $(VENV)/.rivals

# The benchmark: its files, and the counts of 20NG-5k (they are passed over where they are not there).
BENCH := PYTHONPATH=scripts $(BIN)/python -m bench
BENCH_DATA ?= data/bench
COMPARE_DATA ?= data/compare
BENCH_20NG_5K ?= ../shared/corpora/20ng-5k
export BENCH_20NG_5K

# ---------------------------------------------------------------------------------------------------- names

empty :=
space := $(empty) $(empty)
quoted = '$(subst ','\'',$(1))'
fingerprint = $(firstword $(shell printf '%s' $(call quoted,$(1)) | cksum))
escaped = $(subst $(space),\ ,$(1))

# A file or folder of the user's is named by its last part and by a fingerprint of its whole path.
is_path := $(if $(filter-out $(notdir $(CORPUS)),$(CORPUS))$(wildcard $(call escaped,$(CORPUS))),yes)
ifdef is_path
  stem := $(shell basename -- $(call quoted,$(CORPUS)) | sed -E 's/\.gz$$//; s/\.[A-Za-z]+$$//; s/[^A-Za-z0-9_]+/-/g')
  CORPUS_NAME := $(stem)-$(call fingerprint,$(CORPUS) $(CORPUS_OPTIONS))
else
  CORPUS_NAME := $(CORPUS)$(if $(CORPUS_OPTIONS),-$(call fingerprint,$(CORPUS_OPTIONS)))
endif

# A folder that `lda-app corpus build` or `import` wrote is used as it is.
ifneq ($(wildcard $(call escaped,$(CORPUS)/manifest.json)),)
  CORPUS_DIR := $(CORPUS)
else
  CORPUS_DIR := $(DATA)/$(CORPUS_NAME)
  SOURCE := $(call escaped,$(wildcard $(call escaped,$(CORPUS))))
endif
RUN := $(RUNS)/$(CORPUS_NAME)-k$(NUM_TOPICS)-s$(SEED)$(if $(TRAIN_OPTIONS),-$(call fingerprint,$(TRAIN_OPTIONS)))

# The documentation strings of the installed packages change with their versions.
ifeq ($(CORPUS),pydocs)
  SOURCE := constraints.txt
endif

CORPUS_MANIFEST := $(call escaped,$(CORPUS_DIR)/manifest.json)
RUN_MANIFEST := $(RUN)/manifest.json
EVALUATION := $(RUN).evaluation.json
TOPICS := $(RUN).topics.md $(RUN).topics.json
REPORT := $(RUN).report.html

# -------------------------------------------------------------------------------------------------- targets

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-22s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
	@printf '\nOptions of run and verify, with their defaults:\n'
	@printf '  %s\n' 'CORPUS=pydocs      a name (lda-app corpus list), a file, or a folder' \
	  'NUM_TOPICS=20  SEED=0' \
	  'CORPUS_OPTIONS=    flags for lda-app corpus build, e.g. "--text-column body --language de"' \
	  'TRAIN_OPTIONS=     flags for lda-app train, e.g. "--epochs 100"' \
	  'TORCH_INDEX=       of setup: a package index that serves the small CPU build of torch'

.PHONY: setup
setup: $(INSTALLED) ## Create .venv and install the app and its tools, every version pinned

.PHONY: results
results: $(EVALUATION) $(TOPICS) $(REPORT)

.PHONY: run
run: results ## Build the corpus, train, evaluate, show the topics, and write the report
	@$(BIN)/python scripts/show_run.py "$(RUN)"

.PHONY: verify
verify: results ## Run all of it again in a scratch folder, and compare by hash
	@scratch=$$(mktemp -d) && trap 'rm -rf "$$scratch"' EXIT && \
	  $(MAKE) results DATA="$$scratch/data" RUNS="$$scratch/runs" && \
	  $(BIN)/python scripts/compare_runs.py "$(RUN)" "$$scratch/runs/$(notdir $(RUN))"

# Each worker has a core: torch's threads would only take it from the others.
.PHONY: test
test: $(INSTALLED) ## Run all tests, on all cores
	OMP_NUM_THREADS=1 $(BIN)/pytest --numprocesses auto --dist worksteal --durations 10 $(PYTEST_OPTIONS)

.PHONY: test-processors
test-processors: $(INSTALLED) ## Run the tests under other processors, as far as this one can imitate them: an hour
	PYTHONPATH=scripts $(BIN)/python -m processors $(IMITATIONS) $(if $(PYTEST_OPTIONS),-- $(PYTEST_OPTIONS))

.PHONY: test-processors-quick
test-processors-quick: $(INSTALLED) ## The same for two processors, and the tests that depend on them most
	PYTHONPATH=scripts $(BIN)/python -m processors --quick $(if $(PYTEST_OPTIONS),-- $(PYTEST_OPTIONS))

.PHONY: lint
lint: $(INSTALLED) ## Check style, types, import layers, and the Dockerfile
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/hadolint Dockerfile

.PHONY: format
format: $(INSTALLED) ## Format the code, and mend what the linter can mend
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

.PHONY: docs
docs: $(INSTALLED) ## Write docs/cli.md from the commands' --help, and the tree of docs/architecture.md from docstrings
	$(BIN)/python scripts/make_cli_docs.py
	$(BIN)/python scripts/make_architecture.py

.PHONY: gradients
gradients: $(INSTALLED) ## Measure the tables and figures of docs/gradients.md anew
	OMP_WAIT_POLICY=passive $(BIN)/python scripts/make_gradients_page.py
	@if $(MAKE) CORPUS=20newsgroups CORPUS_OPTIONS= "$(DATA)/20newsgroups/manifest.json"; then \
	  OMP_WAIT_POLICY=passive $(BIN)/python scripts/compare_training.py "$(DATA)/20newsgroups"; \
	else \
	  echo "20 Newsgroups is not to be had: the page's figures of training stay as they are"; \
	fi

# torch moves by hand: another release may draw other random numbers, and with them other topics.
.PHONY: lock
lock: $(INSTALLED) ## Pin the newest versions of all dependencies in constraints.txt
	printf 'torch==%s\n' $(TORCH_VERSION) | UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/uv pip compile \
	  pyproject.toml - --all-extras --universal --python-version 3.11 --prerelease disallow --upgrade \
	  --no-annotate --quiet --output-file constraints.txt

# Results that are there and up to date are not made again; the page says which ones are missing.
.PHONY: bench
bench: $(RIVALS) ## Compare with other programs, and write docs/benchmarks.md: two hours of an idle machine
	@status=0; $(BENCH) run "$(BENCH_DATA)" || status=$$?; \
	  $(BENCH) page "$(BENCH_DATA)" docs/benchmarks.md && exit $$status

.PHONY: bench-quick
bench-quick: $(RIVALS) ## Compare on one corpus with one seed, and show it: ten minutes
	@status=0; $(BENCH) run "$(BENCH_DATA)" --quick || status=$$?; \
	  $(BENCH) page "$(BENCH_DATA)" "$(BENCH_DATA)/quick.md" --quick && cat "$(BENCH_DATA)/quick.md" && exit $$status

.PHONY: benchmarks
benchmarks: $(RIVALS) ## Compare with other programs by `lda-app compare`, for the last part of docs/benchmarks.md: half an hour
	$(BIN)/python scripts/make_compared_tables.py "$(COMPARE_DATA)"

.PHONY: docker-check
docker-check: ## Build the image without a Docker engine, and try it as another user (Debian, as root)
	scripts/docker_check.sh

.PHONY: clean
clean: ## Remove caches and what was installed; corpora and runs are kept
	rm -rf "$(VENV)" .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache build dist

# ---------------------------------------------------------------------------------------------------- files

$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { echo >&2 \
	  "lda-app needs Python 3.11 or newer, and $(PYTHON) is $$($(PYTHON) --version 2>/dev/null || echo not there): name another one by make setup PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo >&2 \
	  "$(PYTHON) lacks its venv module: install it first (Debian and Ubuntu: apt install python3-venv)"; exit 1; }
	@printf 'Installing lda-app, its tools and what they need (%d packages, 2.5 GB on disk) into %s.\n' \
	  "$$(grep -c == constraints.txt)" '$(VENV)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --constraint constraints.txt pip # one that shows how far an installation has come
ifneq ($(TORCH_INDEX),)
	$(BIN)/pip install --no-deps --index-url "$(TORCH_INDEX)" --constraint constraints.txt torch
endif
	$(BIN)/pip install --constraint constraints.txt --editable '.[dev]'
	@touch $@

$(RIVALS): $(INSTALLED)
	$(BIN)/pip install --constraint constraints.txt --editable '.[compare]'
	@touch $@

$(CORPUS_MANIFEST): $(SOURCE) | $(INSTALLED)
	@mkdir -p "$(DATA)"
	$(LDA_APP) corpus build "$$CORPUS" --out "$(CORPUS_DIR)" --overwrite $(CORPUS_OPTIONS)

# An interrupted training left a checkpoint: go on from there, unless the corpus is another one since.
$(RUN_MANIFEST): $(CORPUS_MANIFEST) | $(INSTALLED)
	@mkdir -p "$(RUNS)"
	@if [ "$(RUN).checkpoint" -nt "$(CORPUS_DIR)/manifest.json" ]; then set -x; \
	  $(LDA_APP) train --resume "$(RUN)"; \
	else set -x; \
	  $(LDA_APP) train "$(CORPUS_DIR)" --out "$(RUN)" --num-topics $(NUM_TOPICS) --seed $(SEED) --overwrite \
	    $(TRAIN_OPTIONS); \
	fi

$(EVALUATION): $(RUN_MANIFEST)
	$(LDA_APP) eval "$(RUN)" --json > $@

$(RUN).topics.md: $(RUN_MANIFEST)
	$(LDA_APP) topics "$(RUN)" --format markdown > $@

# Labels and what other commands leave with the model are in the report, too.
$(REPORT): $(RUN_MANIFEST) $(wildcard $(foreach name,labels stability calibration comparison,$(RUN)/$(name).json))
	$(LDA_APP) report "$(RUN)" --output $@ --overwrite

$(RUN).topics.json: $(RUN_MANIFEST)
	$(LDA_APP) topics "$(RUN)" --format json > $@
