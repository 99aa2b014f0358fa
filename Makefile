# Two commands do everything on a fresh machine: `make plan` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
DEVELOPING := $(VENV)/.developing

.PHONY: plan test test-versions check docs site golden bench bench-compare lock clean

plan: $(INSTALLED)  ## environment, install, solve the reference instance, print the plan
	$(BIN)/gwplan solve instances/meta-2026h1

test: $(DEVELOPING)  ## the whole suite
	$(BIN)/python -m pytest -n 2

test-versions:  ## a quick part of the suite, with the lowest and the newest versions that pyproject.toml allows
	python3 -m tests.versions

check: $(DEVELOPING)  ## lint, format, types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: $(DEVELOPING)  ## what is generated: pages made from the code, pictures, the case's pages; then the site
	$(BIN)/python -m tests.docs
	$(BIN)/gwplan solve instances/meta-2026h1 --out build/run --force >/dev/null
	$(BIN)/gwplan export build/run --png docs/plan.png --force
	$(BIN)/gwplan export build/run --svg build/pictures --force
	for picture in docs/burden-or-option/*.svg; do cp build/pictures/$$(basename $$picture) $$picture; done
	$(BIN)/gwplan export build/run --html build/report.html --force
	$(BIN)/python -m tests.browser.screenshot build/report.html docs/report.png
	$(BIN)/python -m tests.case.pages
	$(MAKE) site

site: $(DEVELOPING)  ## build/site from the pages as they are; a warning, such as a broken anchor, is an error
	$(BIN)/python -m sphinx -q -W --keep-going -E -c docs . build/site

golden: $(DEVELOPING)  ## every file that tests hold what comes out against; read what changed before keeping it
	$(BIN)/python -m tests.formulation
	$(BIN)/python -m tests.instance.messages
	$(BIN)/python -m tests.case.pages
	$(BIN)/python -m tests.docs
	$(BIN)/python -m tests.docs.refresh docs/*.md docs/how-to/*.md
	git diff --stat

bench: $(DEVELOPING)  ## time every phase of the benchmark cases, beside linopy and others: docs/benchmarks.json, tables
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[bench]'
	$(BIN)/python -m tests.benchmarks run

bench-compare: $(DEVELOPING)  ## hold another commit beside this one: make bench-compare BASE=main
	$(BIN)/python -m tests.benchmarks compare $(BASE)

lock: $(DEVELOPING)  ## refresh constraints.txt: the versions that everything was tested with
	$(BIN)/python -m piptools compile --all-extras --strip-extras --no-header --no-emit-index-url \
		--no-emit-trusted-host --no-emit-find-links --no-annotate --quiet --upgrade --output-file constraints.txt pyproject.toml

clean:
	rm -rf $(VENV) build dist *.egg-info

$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { \
		echo "python's venv module is missing: install it (Debian: apt-get install python3-venv)" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $(INSTALLED)

$(DEVELOPING): $(INSTALLED)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[cluster,dev,docs,report,ui,xlsx]'
	@touch $(DEVELOPING)
