# Everything is installed into .venv; stamps in it say what is there already.
# Two commands are enough to begin with: `make demo` and `make test`.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
BASE := $(VENV)/.installed-base
DEV := $(VENV)/.installed-dev

# A photograph for the demo: a cat, CC0, from the sample data of a pinned scikit-image.
PHOTO_PACKAGE := scikit-image==0.26.0
PHOTO := .cache/photo/skimage/data/chelsea.png

.PHONY: install demo test lint format clean

install: $(BASE) $(DEV)

demo: $(BASE) $(PHOTO)
	mkdir -p out
	$(BIN)/edgesr convert plain --target tflite --bits auto -o out/plain_x2.tflite --json out/plain_x2.json
	$(BIN)/edgesr upscale out/plain_x2.tflite $(PHOTO) out/photo_x2.png --force
	@echo "out/: plain_x2.tflite (the program), plain_x2.json (its figures), photo_x2.png (an upscaled photograph)"

test: lint
	$(BIN)/python -m pytest

lint: $(DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(DEV)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf out build .cache .pytest_cache .mypy_cache .ruff_cache

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

# torch first and by exact version: an open range resolves to builds that bring gigabytes of GPU packages.
$(BASE): pyproject.toml setup.py mobile_runtime/python/pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) install -c constraints.txt torch==2.13.0
	$(PIP) install -c constraints.txt -e "mobile_runtime/python[litert]" -e ".[tflite]"
	touch $@

$(DEV): $(BASE)
	$(PIP) install -c constraints.txt -e "mobile_runtime/python[litert,executorch]" -e ".[tflite,executorch,dev]"
	touch $@

# Apart from the environment, for edgesr needs nothing of that package but the picture.
$(PHOTO): | $(BIN)/python
	rm -rf .cache/photo
	mkdir -p .cache
	$(PIP) install --no-deps --target .cache/photo $(PHOTO_PACKAGE)
	touch $@
