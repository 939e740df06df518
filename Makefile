# Programs of the virtual environment are run as modules: the first lines of its scripts break
# when this folder's path has blanks or is long. `exec` hands signals to the product itself.
PY = .venv/bin/python
LOCK = uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" --quiet

# The set test: how often every process is killed, and under how many clients and keys.
ROUNDS ?= 10
CLIENTS ?= 50
KEYS ?= 60

.PHONY: demo up test set-test coverage check bench simulate lock app dev manage format lint types templates migrations layers lock-app lock-dev fix fix-code fix-templates

# The whole product on this machine with a sample pilot and simulated providers.
demo: app
	@exec $(PY) -m pilotdash.run --demo

# The same, empty: prints a link that makes the first administrator.
up: app
	@exec $(PY) -m pilotdash.run

# Every test. The browser's need Chromium and are required when CI=true.
test: dev
	@exec $(PY) -m pytest -n auto --maxprocesses=4

# kill -9 of every process under load: prints calls that are ok / lost / duplicated / recovered.
set-test: dev
	@exec $(PY) -m tests.chaos --rounds $(ROUNDS) --clients $(CLIENTS) --keys $(KEYS) $(if $(SEED),--seed $(SEED))

# Every test, measuring which branches no test takes; half as long again.
coverage: dev
	@exec $(PY) -m pytest -n auto --maxprocesses=4 --cov --cov-report=term

# Formatter, linter, types, templates, migrations, layers.
check: format lint types templates migrations layers

# Everyone side by side, in ten minutes; writes bench/results/latest.json and docs/benchmarks.md.
bench: dev
	@exec $(PY) -m bench

# The statistics tried on made-up pilots: power, false winners, coverage; under a minute.
simulate: app
	@exec $(PY) -m apps.metrics.stats

# A management command beside the running product: make manage DO="rebuild_metrics --help"
manage: app
	@exec $(PY) manage.py $(DO)

# Compiles both lock files anew.
lock: lock-dev

# Formats code and templates.
fix: fix-code fix-templates

format: dev
	@$(PY) -m ruff format --check --quiet .

lint: dev
	@$(PY) -m ruff check --quiet .

types: dev
	@$(PY) -m mypy

templates: dev
	@git ls-files -z -- '*.html' | xargs -0 .venv/bin/djade --check --target-version 5.2

migrations: dev
	@DJANGO_SETTINGS_MODULE=tests.settings $(PY) manage.py makemigrations --check --dry-run

layers: dev
	@$(PY) -m pytest -q tests/test_layers.py

fix-code: dev
	@$(PY) -m ruff check --fix-only --quiet . && $(PY) -m ruff format --quiet .

fix-templates: dev
	@git ls-files -z -- '*.html' | xargs -0 .venv/bin/djade --target-version 5.2

app:
	@python3 scripts/set_up.py app

dev:
	@python3 scripts/set_up.py dev

lock-app: dev
	@$(PY) -m $(LOCK) -o requirements/app.txt

lock-dev: lock-app
	@$(PY) -m $(LOCK) --group dev -c requirements/app.txt -o requirements/dev.txt
