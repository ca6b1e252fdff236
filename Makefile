# `make demo` and `make test` start from a fresh clone: they install what they need and run.

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
HOSTS := $(VENV)/.hosts
TRAIN := $(VENV)/.train
NATIVE := $(shell find native CMakeLists.txt pyproject.toml constraints.txt -type f)
SOURCES := engine plugin_host export tests bench
CXX_FILES := $(shell find native tests/native -name '*.cpp' -o -name '*.hpp')

.PHONY: help demo test test-engine test-export soak lint format bench sanitize clean

help:
	@echo "make demo      separate the shipped piano excerpt, a page to listen to (demo-out/index.html), then the plugin in a host"
	@echo "make test      the whole test suite"
	@echo "make lint      ruff, mypy --strict, clang-format"
	@echo "make bench     the speed tables"
	@echo "make sanitize  the native code under the address, undefined-behaviour and thread sanitizers"
	@echo "make soak      the tests that take minutes"
	@echo "make clean     remove .venv and the build"

# System packages, virtual environment, the package itself (editable, with the native module).
$(READY): $(NATIVE) scripts/setup.sh
	bash scripts/setup.sh $(VENV)
	@touch $@

demo: $(READY)
	$(BIN)/terzetto demo -o demo-out
	$(BIN)/terzetto plugins demo -o demo-out

# Ardour, jalv and DawDreamer: only the tests in real hosts want them.
$(HOSTS): $(READY) scripts/hosts.sh
	bash scripts/hosts.sh $(VENV)
	@touch $@

# PyTorch, and pianos to render with: only training wants them. First and exactly, see constraints.txt.
$(TRAIN): $(READY) scripts/training.sh
	bash scripts/training.sh
	$(BIN)/pip install -q --disable-pip-version-check -c constraints.txt torch onnx
	@touch $@

# Two at a time; what plays in real time has the machine to itself afterwards.
test: $(READY) $(HOSTS) $(TRAIN)
	$(MAKE) -j2 sanitize test-engine test-export
	$(BIN)/python -m pytest -m "not soak" --ignore=tests/engine --ignore=tests/export

test-engine test-export: test-%: $(READY) $(TRAIN)
	$(BIN)/python -m pytest -m "not soak" tests/$*

sanitize: $(READY)
	PATH="$(CURDIR)/$(BIN):$$PATH" bash scripts/sanitize.sh

soak: $(READY) $(HOSTS) $(TRAIN)
	$(BIN)/python -m pytest -m soak

lint: $(READY)
	$(BIN)/pip install -q -c constraints.txt ruff mypy clang-format
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/mypy
	$(BIN)/clang-format --dry-run --Werror $(CXX_FILES)

format: $(READY)
	$(BIN)/ruff check --fix $(SOURCES)
	$(BIN)/ruff format $(SOURCES)
	$(BIN)/clang-format -i $(CXX_FILES)

# The rivals are installed for the comparison only; torch first and exactly, see constraints.txt.
bench: $(READY) $(HOSTS) $(TRAIN)
	$(BIN)/pip install -q -c constraints.txt torchnmf scikit-learn
	$(BIN)/pip install -q --no-deps libfmp==1.3.0
	$(BIN)/python bench/kernel.py
	$(BIN)/python bench/separate.py
	$(BIN)/python bench/phase.py
	$(BIN)/python bench/batch.py
	$(BIN)/python bench/scale.py
	$(BIN)/python -m bench.live
	$(BIN)/python -m bench.drums_live
	$(BIN)/python -m bench.timbre_live --target engine/terzetto/demo/excerpt/chopin_op28no4_opening.flac
	$(BIN)/python bench/hands_live.py

clean:
	rm -rf $(VENV) build demo-out
