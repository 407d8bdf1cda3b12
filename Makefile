# `make demo` and `make test` work on a fresh machine: they make the virtual environment .venv and install all they need.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo test check clean

demo: $(VENV)/base
	$(BIN)/livelight demo --out demo_out

test: $(VENV)/all
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile --session-timeout 4200

check: $(VENV)/all
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

clean:
	rm -rf $(VENV) demo_out build *.egg-info

$(VENV)/base: pyproject.toml setup.sh
	PYTHON=$(PYTHON) ./setup.sh $(VENV) .
	touch $@

# torch is pinned: on Linux a bare "torch" installs gigabytes of CUDA.
$(VENV)/all: $(VENV)/base pyproject.toml tests/system_packages.txt
	$(BIN)/python -m pip install --quiet --editable '.[dev,train,offline,cluster,identity]' --constraint constraints.txt
	./tests/install_system_packages.sh
	touch $@
