# Two commands do all the set-up: `make serve` and `make test`.

PYTHON ?= python3
CORPUS ?= data/corpus
HOST ?= 127.0.0.1
PORT ?= 8000
# The address of an index that has PyTorch's CPU wheels, where yours has only CUDA builds.
TORCH_INDEX ?=

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -q
# Asked of pip, not of the package: pip picks the build.
TORCH := torch $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX))

.PHONY: help serve ask test check bench soak clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' Makefile
	@echo 'Variables: CORPUS=folder PORT=8000 HOST=127.0.0.1 RAG_HOME=folder TORCH_INDEX=address'

serve: $(VENV)/serve.done ## build what is missing, ingest CORPUS, serve the page and the API
	@exec $(BIN)/rag serve "$(CORPUS)" --host $(HOST) --port $(PORT)

ask: export Q := $(Q)
ask: $(VENV)/serve.done ## ask the index a question: make ask Q="How much annual leave do I get?"
	@$(BIN)/rag ask "$$Q"

test: $(VENV)/dev.done ## run the tests
	@$(BIN)/python -m pytest

check: $(VENV)/dev.done ## lint, format, types, import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: $(VENV)/dev.done ## measure speed and retrieval; DATASETS=folder adds the public collections
	@$(BIN)/python -m tests.bench $(if $(DATASETS),--data "$(DATASETS)")

soak: $(VENV)/dev.done ## try to lose or damage documents, for hours; goes on where it was stopped
	@$(BIN)/python -m tests.soak --report tests/soak/REPORT.md

clean: ## remove the environment and the index made here
	rm -rf $(VENV) .rag

$(VENV)/serve.done: pyproject.toml constraints.txt
	@echo 'Building the environment in $(VENV), once; this takes a few minutes.'
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo 'Python 3.11 or newer is needed: make serve PYTHON=python3.12'; exit 1; }
	@$(PYTHON) -m venv $(VENV) \
		|| { echo 'Python lacks venv: on Debian, apt-get install python3-venv'; exit 1; }
	@$(PIP) install -c constraints.txt $(TORCH)
	@$(PIP) install -c constraints.txt -e .
	@touch $@

$(VENV)/dev.done: $(VENV)/serve.done
	@echo 'Adding what the tests need.'
	@$(PIP) install -c constraints.txt -e '.[dev]'
	@touch $@
