# Everything a person does with a checkout. The first target sets up .venv once; later ones find it ready.
.PHONY: demo test check fast soak new-part setup reference
.DEFAULT_GOAL := demo

READY := .venv/.ready
BIN := .venv/bin
# One thread a process: with two test processes, more threads only get in each other's way.
test fast soak: export OMP_NUM_THREADS := 1

demo: $(READY)
	@$(BIN)/deepwright demo

test: check
	@echo "== tests (two processes)"
	@$(BIN)/pytest -n 2 --dist worksteal -m "not slow"

check: $(READY)
	@echo "== ruff (rules, then format)"
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet .
	@echo "== mypy (strict, deepwright/core)"
	@$(BIN)/mypy --no-error-summary
	@echo "== import-linter (the house)"
	@$(BIN)/lint-imports --no-logo

# The inner loop: without end-to-end runs, conformance, exports, killed trainings and copies of the package.
SLOWER := tests/straight tests/conformance tests/practice tests/test_cli.py tests/test_layers.py tests/test_new_part.py \
	tests/model/test_export.py tests/train/test_resume.py

fast: $(READY)
	@$(BIN)/pytest -q -n 2 -m "not slow" $(addprefix --ignore=,$(SLOWER))

soak: check
	@$(BIN)/pytest -n 2

reference: $(READY)
	@$(BIN)/python scripts/reference.py

# make new-part FAMILY=network KIND=mine
new-part: $(READY)
	@$(BIN)/python scripts/new_part.py "$(FAMILY)" "$(KIND)"

setup: $(READY)

$(READY): pyproject.toml constraints.txt scripts/setup.sh
	@bash scripts/setup.sh
	@touch $(READY)
