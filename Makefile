# Everything from nothing: a machine with Python 3.11 or 3.12, make, a C compiler and a package index.
#
#   make demo     build .venv, explain the clip in examples/, say where the report is
#   make test     lint, types and the quick tests (under 25 minutes)
#   make check    the long tests: whole corpora, kills, load, a clean install
#   make bench    speed and memory, written to benchmarks/

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints/tested.txt

# cv2 with windows needs the system's libGL, which bare machines lack; emer opens no window.
# Both builds provide the same module, so the headless one replaces it.
OPENCV_HEADLESS := opencv-contrib-python-headless==4.14.0.94

# An oracle of losses and metrics. Its dependencies would bring CUDA builds; the tests load its files singly.
TORCH_UNCERTAINTY := torch-uncertainty==0.13.0

# Video processors use its transforms. Package indices offer it for CUDA alone, hence without its torch; see emer/torchvision_ops.py.
TORCHVISION := torchvision==0.28.0

# One thread a library: two cores are shared by many, and voice activity slows 90-fold under contention.
export OMP_NUM_THREADS ?= 1

.PHONY: demo test check lint bench weights nano evidence reproduce-7b readme system lowest clean constraints

demo: $(VENV)/.installed
	$(BIN)/emer explain examples/talking_face.mp4 --html --out out
	@echo
	@echo "The report: $(CURDIR)/out/talking_face.html (open it in a browser)"

test: $(VENV)/.developing lint
	$(BIN)/python -m pytest -m "not long" $(PYTEST)

check: $(VENV)/.developing
	$(BIN)/python -m pytest -m long $(PYTEST)

lint: $(VENV)/.developing
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: $(VENV)/.developing
	$(BIN)/python benchmarks/run.py

# The trained audio heads anew, from the recordings in EMER_TEST_DATA (default ../shared/data); with their model card.
weights: $(VENV)/.developing
	$(BIN)/python weights/make.py configs/heads/emer.yaml

# nano, the demonstration model, anew, from the recordings in EMER_TEST_DATA; what is done stays in build/nano.
nano: $(VENV)/.developing
	$(BIN)/python weights/nano/make.py

# Every method on every data set from five seeds: about an hour and a half on two cores.
evidence: $(VENV)/.developing
	$(BIN)/python benchmarks/run.py evidence.py

# Qwen2.5-Omni-7B on real weights, from training to tables: BASE=folder or hub id, DATA=manifest whose rows name their
# split; OUT and CHANGES="train.schedule.epochs=1 engine.batch_size=16" where wanted. Broken off, the same line goes on.
reproduce-7b: $(VENV)/.developing
	$(BIN)/python benchmarks/reproduce_7b.py "$(BASE)" "$(DATA)" $(if $(OUT),--out "$(OUT)") $(CHANGES)

# The generated parts of README.md: help texts, the example's output, the picture of its report.
readme: $(VENV)/.developing
	$(BIN)/python docs/readme.py
	$(BIN)/python docs/screenshot.py

# Debian packages that some tests use (they skip without): Chromium for the report, espeak-ng for the example's voice.
system:
	apt-get update -qq
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium espeak-ng ffmpeg sox

# The quick tests with the lowest versions that pyproject.toml allows, in an environment of its own.
lowest:
	$(PYTHON) -m venv .venv-lowest
	.venv-lowest/bin/python -m pip install --quiet -c constraints/lowest.txt -e ".[face,asr,dev]"
	.venv-lowest/bin/python -m pip install --quiet --force-reinstall --no-deps opencv-contrib-python-headless==4.10.0.84
	.venv-lowest/bin/python -m pip install --quiet --no-deps "$(TORCH_UNCERTAINTY)" "$(TORCHVISION)"
	.venv-lowest/bin/python -m pytest -m "not long" $(PYTEST)

constraints: $(VENV)/.developing
	@$(BIN)/python -m pip freeze --exclude-editable | sed 's/+cpu//' | grep -vE '^(opencv-contrib-python-headless|torch.uncertainty|torchvision|emer.weights)'

clean:
	rm -rf $(VENV) out build dist .pytest_cache .mypy_cache .ruff_cache

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(VENV)/bin/python pyproject.toml constraints/tested.txt $(wildcard weights/emer_weights/*/*)
	$(PIP) -e ".[face]" ./weights
	$(PIP) --force-reinstall --no-deps "$(OPENCV_HEADLESS)"
	touch $@

$(VENV)/.developing: $(VENV)/.installed
	$(PIP) -e ".[face,asr,dev]"
	$(PIP) --force-reinstall --no-deps "$(OPENCV_HEADLESS)"
	$(PIP) --no-deps "$(TORCH_UNCERTAINTY)" "$(TORCHVISION)"
	touch $@
