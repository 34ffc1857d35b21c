# `make demo` runs one whole call; `make test` sets up and passes the tests. Both prepare .venv by themselves.
PY ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
EXTRAS := $(VENV)/.installed-extras
MIC := $(VENV)/.installed-mic

.PHONY: demo test test-all extras installed docs lint types benchmarks clean apt asterisk

# What is imported is compiled then; to compile all that is installed takes a third of the time that pip needs.
$(STAMP): pyproject.toml constraints.txt
	@$(PY) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v <= (3, 13) else "Python 3.11, 3.12 or 3.13 is needed; $(PY) is %d.%d. Say which with: make PY=python3.12" % v)'
	$(PY) -m venv $(VENV)
	PIP_NO_COMPILE=1 $(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

# The speech engines' models are large (half a gigabyte): only for test-all, the types and the benchmarks of speech.
$(EXTRAS): $(STAMP)
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[dev,azure,fake-azure,silero,local,e2e]'
	@touch $@

# PyAudio is compiled.
$(MIC): $(STAMP)
	@sh .ci/apt gcc libc6-dev portaudio19-dev
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[mic]'
	@touch $@

demo: $(STAMP)
	$(BIN)/python -m audiosocket_sim run greeting_then_hold.yaml

# Nothing that needs more than Python packages, also where it is there; what that is, is told.
test: $(STAMP)
	AUDIOSOCKET_SIM_ONLY_PYTHON=1 $(BIN)/python -m pytest -n 2 --dist worksteal

# What needs more than `make test` installs is skipped there, by name; here it is installed first, and a skip is a failure.
# Calls on the real clock go last: no test beside them that keeps a core busy. Those with a sound card go alone: sound that
# comes late is lost, and then it is the machine that is tested.
test-all: $(EXTRAS) $(MIC) apt asterisk
	AUDIOSOCKET_SIM_NO_SKIPS=1 $(BIN)/python -m pytest -n 2 -m "not real_time"
	AUDIOSOCKET_SIM_NO_SKIPS=1 $(BIN)/python -m pytest -n 2 -m "real_time and not mic"
	AUDIOSOCKET_SIM_NO_SKIPS=1 $(BIN)/python -m pytest -m mic

extras: $(EXTRAS)

apt:
	@sh .ci/apt ffmpeg gcc libc6-dev libssl3 ca-certificates asterisk-core-sounds-en-wav chromium \
		pulseaudio pulseaudio-utils libasound2-plugins

# A real Asterisk: the machine's own, or Debian's packages unpacked into ~/.cache/audiosocket-sim (no root).
asterisk: $(STAMP)
	$(BIN)/python -m audiosocket_sim.asterisk_real fetch

# What a user of pip gets: a wheel, installed where no checkout is, makes the demo's call.
installed: $(STAMP)
	@sh .ci/installed $(BIN)/python

# The page of the API is made from the docstrings; a test holds the one that is committed to it.
docs: $(STAMP)
	$(BIN)/python docs/make_api.py

lint: $(STAMP)
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .

types: $(EXTRAS)
	$(BIN)/python -m mypy

benchmarks: $(EXTRAS)
	$(BIN)/python -m benchmarks

clean:
	rm -rf .venv .venv-* .mypy_cache .ruff_cache .pytest_cache runs .cache
