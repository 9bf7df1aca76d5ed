# Timebank. `make help` lists what there is. Needs python3 (3.11 or later) and make; the rest is installed into .venv.

PYTHON ?= python3
ARGS ?=
BIN := .venv/bin
UV := $(BIN)/uv pip install --python $(BIN)/python --constraints constraints.txt --build-constraints constraints.txt

# Where pip was told by the environment which index to use, uv listens too.
ifdef PIP_INDEX_URL
export UV_DEFAULT_INDEX ?= $(PIP_INDEX_URL)
endif
ifdef PIP_EXTRA_INDEX_URL
export UV_INDEX ?= $(PIP_EXTRA_INDEX_URL)
endif
ifdef PIP_CERT
export SSL_CERT_FILE ?= $(PIP_CERT)
endif

.DEFAULT_GOAL := help
.PHONY: help install run test check format bench journeys screenshots lock clean browser

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile

install: .venv/.installed ## Make .venv with the timebank command
	@true

run: .venv/.installed ## Run everything on this machine: database, demo data, scheduler, web (PORT=8000)
	@$(BIN)/timebank run

# Tests that measure how fast processes end run after the others, by themselves.
test: .venv/.tools browser ## Run all tests (ARGS= goes to pytest)
ifdef ARGS
	$(BIN)/python -m pytest $(ARGS)
else
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "not alone"
	$(BIN)/python -m pytest -m alone
endif

check: .venv/.tools ## Style, types, import rules, templates, translations
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/djlint --lint --quiet timebank
	$(BIN)/python -m pytest -q tests/test_translations.py tests/test_packaging.py

format: .venv/.tools ## Put the code into the one format
	$(BIN)/ruff check --fix --exit-zero --quiet .
	$(BIN)/ruff format .

bench: .venv/.tools ## Measure, beside what it is compared to (ARGS=--quick for a short run)
	$(UV) --quiet --group bench
	$(BIN)/python -m benchmarks.kernel $(ARGS)
	$(BIN)/python -m benchmarks.bundle $(ARGS)
	$(BIN)/python -m benchmarks.scaling $(ARGS)
	$(BIN)/python -m benchmarks.imports
	$(BIN)/python -m benchmarks.reports $(ARGS)

journeys: .venv/.tools browser ## Only the journeys in a real browser
	$(BIN)/python -m pytest tests/journeys $(ARGS)

screenshots: .venv/.tools browser ## Take pictures of the main pages into var/screenshots
	$(BIN)/python -m tests.screenshots $(ARGS)

lock: .venv/.tools ## Choose the newest versions that pyproject.toml allows and pin them in constraints.txt
	$(BIN)/uv pip compile pyproject.toml --upgrade --all-extras --group test --group lint --group bench --group build --universal \
	  --generate-hashes --no-header --no-annotate --quiet -o constraints.txt

clean: ## Remove what make made (not the data in var)
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis dist

# uv comes first, by pip, with the hash from constraints.txt; then uv installs the rest, which is much faster.
.venv/.uv: constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Timebank needs Python 3.11 or later; name one: make install PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || $(MAKE) --no-print-directory .apt-python3-venv
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@sed -n '/^uv==/,/[^\\]$$/p' constraints.txt > .venv/uv.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r .venv/uv.txt
	@touch $@

# Building also makes the font, the map and the compiled translations, so what they are made from counts as well.
.venv/.installed: .venv/.uv pyproject.toml timebank/web/build_hook.py timebank/web/assets.py \
    $(wildcard timebank/translations/*/LC_MESSAGES/*.po)
	$(UV) --quiet --reinstall-package timebank --editable .
	@touch $@

.venv/.tools: .venv/.installed
	$(UV) --quiet --group test --group lint
	@touch $@

# The journeys use the system's Chromium. Playwright's driver needs libatomic1, which a bare Debian has not.
browser:
	@{ command -v chromium || command -v chromium-browser || command -v google-chrome; } >/dev/null \
	  && ls /usr/lib*/*/libatomic.so.1 /usr/lib*/libatomic.so.1 /lib/*/libatomic.so.1 2>/dev/null | grep -q . \
	  || $(MAKE) --no-print-directory .apt-chromium,libatomic1

# .apt-a,b installs the Debian packages a and b, as root or through sudo, or says what is missing.
.apt-%:
	@packages="$(subst $(comma), ,$*)"; \
	if ! command -v apt-get >/dev/null; then \
	  echo "Please install these with your system's package manager: $$packages" >&2; exit 1; \
	elif [ "$$(id -u)" = 0 ]; then sudo=; \
	elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then sudo=sudo; \
	else echo "Please install these first: sudo apt-get install $$packages" >&2; exit 1; fi; \
	$$sudo apt-get update -qq && \
	DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -y -qq --no-install-recommends $$packages >/dev/null

comma := ,
