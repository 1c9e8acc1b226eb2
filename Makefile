# make lab: the workbench in JupyterLab.  make test: all checks.  make bench: the figures of the README.  make clean.
# Everything is installed into .venv, at the versions of requirements.lock, with your own pip settings.

PYTHON ?= python3
VENV := .venv
# Called as modules: a script's first line would break when the checkout is moved.
RUN := $(VENV)/bin/python -m
# A stamp is touched when all that it stands for is installed, so a run that failed or was stopped starts over.
LAB_STAMP := $(VENV)/.lab-is-installed
TEST_STAMP := $(VENV)/.test-is-installed

# The installs of lab and of the tests are into one place.
.NOTPARALLEL:
.PHONY: lab samples test bench browser clean

lab: $(LAB_STAMP) samples
	@$(RUN) dkd lab

# Says so, and goes on with the clip that ships with the project, when the real ones cannot be had.
samples: $(LAB_STAMP)
	@$(RUN) dkd samples

# Two workers share out the files, in the order of tests/conftest.py; `pytest tests/test_x.py` needs no worker. mypy runs
# beside them, in what they leave idle, and is heard after them: a type error fails the make as a test does.
test: $(TEST_STAMP) browser samples
	$(RUN) ruff check
	$(RUN) mypy >$(VENV)/mypy.log 2>&1 & mypy=$$!; \
	$(RUN) pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder; tests=$$?; \
	wait $$mypy; types=$$?; cat $(VENV)/mypy.log; exit $$((tests + types))

bench: $(TEST_STAMP) browser samples
	$(RUN) benchmarks

$(LAB_STAMP) $(TEST_STAMP): pyproject.toml requirements.lock
	@$(PYTHON) scripts/check_host.py
	$(PYTHON) -m venv $(VENV)
	$(RUN) pip install --disable-pip-version-check --constraint requirements.lock --editable ".$(EXTRAS)"
	@touch $(LAB_STAMP) $@

# With the tests' extra comes all that the lab needs: one call of pip brings both, and stands for both.
$(TEST_STAMP): EXTRAS := [test]

# The browser tests need a Chromium. One that is here is taken; on Debian root may install it; else its owner must.
browser:
	@if [ -n "$$DKD_CHROMIUM" ]; then exit 0; fi; \
	for name in chromium chromium-browser google-chrome; do command -v $$name >/dev/null && exit 0; done; \
	if [ "$$(id -u)" = 0 ] && grep -qs '^ID=debian' /etc/os-release; then \
		apt-get update -q && apt-get install -q -y --no-install-recommends chromium; \
	else \
		echo "make test needs a browser: install Chromium or Chrome, or set DKD_CHROMIUM to the path of one." >&2; \
		exit 1; \
	fi

# The clips that were brought go too; `make lab` brings them again.
clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .ruff_cache .mypy_cache .hypothesis tests/output data/samples/pose2sim
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
