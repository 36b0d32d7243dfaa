# Shortcuts for people working on the package; continuous integration runs .ci/run.
.PHONY: install check test format readme ci

install:
	python3 -m venv .venv && .venv/bin/pip install -q -e '.[test]'

check:
	.venv/bin/ruff check . && .venv/bin/ruff format --check . && .venv/bin/mypy && .venv/bin/lint-imports

test:
	.venv/bin/python -m pytest -n 2

format:
	.venv/bin/ruff check --fix . && .venv/bin/ruff format .

# print the worked example anew
readme:
	.venv/bin/python tests/test_readme.py

ci:
	bash .ci/run
