# Everything is installed into .venv; stamps in it say what is there already.
# Two commands are enough to begin with: `make demo` and `make test`.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
BASE := $(VENV)/.installed-base
DEV := $(VENV)/.installed-dev

LITERT_TORCH := .venv-litert-torch
LITERT_TORCH_PIP := $(subst $(VENV),$(LITERT_TORCH),$(PIP))
PEERS := .venv-peers
PEERS_PIP := $(subst $(VENV),$(PEERS),$(PIP))

# A photograph for the demo: a cat, CC0, from the sample data of a pinned scikit-image.
PHOTO_PACKAGE := scikit-image==0.26.0
PHOTO := .cache/photo/skimage/data/chelsea.png

.PHONY: install demo test test-devices test-java test-browser test-litert-torch android bench-peers lint format clean

install: $(BASE) $(DEV)

demo: $(BASE) $(PHOTO)
	mkdir -p out
	$(BIN)/edgesr convert plain --target tflite --bits auto -o out/plain_x2.tflite --json out/plain_x2.json --report out/plain_x2.html
	$(BIN)/edgesr upscale out/plain_x2.tflite $(PHOTO) out/photo_x2.png --force
	@echo "out/: plain_x2.tflite (the program), plain_x2.json (its figures), plain_x2.html (a page about it), photo_x2.png (an upscaled photograph)"

# A process of one thread for each core; whole files at a time, for tests share what fixtures make.
test: lint
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --cov -n auto --dist loadfile

# The HTML report in Chromium; not a part of `make test`, for the browser alone has 400 MB.
test-browser: $(DEV) .cache/browser/.installed
	$(BIN)/python -m pytest tests/browser

# Programs on emulated Arm CPUs and on Android's own libraries; 350 MB are downloaded at the first run.
test-devices: $(DEV)
	$(BIN)/python -m pytest -s tests/devices_matrix/matrix.py

# The Java runtime; Android's tools and libraries, 250 MB, are downloaded at the first run.
test-java: $(DEV)
	$(BIN)/python tests/java/run.py

# The demo app, once for each engine, and its checks. Your own programs: make android PROGRAMS="a.tflite b.pte"
android: $(DEV)
	$(BIN)/python android_demo/build.py tflite $(filter %.tflite,$(PROGRAMS))
	$(BIN)/python android_demo/build.py executorch $(filter %.pte,$(PROGRAMS))
	EDGESR_APKS=$(CURDIR)/out $(BIN)/python -m pytest tests/android_demo

# The second converter, 1.1 GB more than edgesr: in an environment of its own, which it does not share well.
test-litert-torch: $(LITERT_TORCH)/.installed
	$(LITERT_TORCH)/bin/python -m pytest tests/lowering/litert_torch tests/e2e/test_litert_torch.py tests/cli/test_converter.py

# edgesr beside other tools, which live apart, 2 GB: make bench-peers EDGESR_DATA=DIR (docs/peers.md says of what)
bench-peers: $(PEERS)/.installed $(LITERT_TORCH)/.installed
	PYTHONPATH=benchmarks $(PEERS)/bin/python -m peers --litert-torch $(LITERT_TORCH)/bin/python

# Wheels, sdists and a bill of materials in dist/, tried in empty environments.
test-release: | $(BIN)/python
	$(BIN)/python release/check.py

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
	$(PIP) install -c constraints.txt -e "mobile_runtime/python[litert,executorch,vips]" -e ".[tflite,executorch,dev]"
	touch $@

$(LITERT_TORCH)/.installed: pyproject.toml setup.py mobile_runtime/python/pyproject.toml constraints-litert-torch.txt
	$(PYTHON) -m venv $(LITERT_TORCH)
	$(LITERT_TORCH_PIP) install -c constraints-litert-torch.txt torch==2.13.0
	$(LITERT_TORCH_PIP) install -c constraints-litert-torch.txt -e "mobile_runtime/python[litert]" -e ".[litert-torch]" hypothesis pytest
	touch $@

$(PEERS)/.installed: pyproject.toml setup.py mobile_runtime/python/pyproject.toml constraints.txt benchmarks/peers/requirements.txt
	$(PYTHON) -m venv $(PEERS)
	echo '*' > $(PEERS)/.gitignore
	$(PEERS_PIP) install -c constraints.txt torch==2.13.0
	$(PEERS_PIP) install -c constraints.txt -e "mobile_runtime/python[litert,executorch]" -e ".[tflite,executorch]"
	$(PEERS_PIP) install -c constraints.txt -r benchmarks/peers/requirements.txt
	touch $@

.cache/browser/.installed: tests/browser/install.sh tests/browser/package-lock.json
	tests/browser/install.sh .cache/browser
	touch $@

# Apart from the environment, for edgesr needs nothing of that package but the picture.
$(PHOTO): | $(BIN)/python
	rm -rf .cache/photo
	mkdir -p .cache
	$(PIP) install --no-deps --target .cache/photo $(PHOTO_PACKAGE)
	touch $@
