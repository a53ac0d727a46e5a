#!/usr/bin/env bash
# Makes .venv with the tested versions of everything, and says what it is doing. `make` calls it.
set -euo pipefail
cd "$(dirname "$0")/.."

find_python() {
  local candidate
  for candidate in ${PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
      echo "$candidate"
      return
    fi
  done
  echo "No Python 3.11 or newer was found (python3 is: $(python3 --version 2>&1 || true))." >&2
  echo "Install one, or name it: make PYTHON=/path/to/python3.11" >&2
  return 1
}

if [ ! -x .venv/bin/python ]; then
  python=$(find_python)
  echo "Setting up .venv with $("$python" --version). This happens once and takes 2 to 5 minutes."
  if ! "$python" -m venv .venv; then
    rm -rf .venv
    echo "$python cannot make virtual environments. On Debian and Ubuntu: apt-get install python3-venv" >&2
    exit 1
  fi
else
  echo "Bringing .venv up to date with pyproject.toml and constraints.txt."
fi

log=.venv/setup.log
if ! .venv/bin/python -m pip install --disable-pip-version-check --no-input --progress-bar off \
  -c constraints.txt -e '.[dev]' 2>&1 | tee "$log" | awk '
    /^Collecting / { found += 1; if (found % 10 == 0) { print "  " found " packages found"; fflush() } }
    /^Collecting torch/ { print "  torch is the largest of them; its download takes a while"; fflush() }
    /^Installing collected packages/ { print "  installing them: about a minute"; fflush() }
    /^Successfully installed/ { print "  done"; fflush() }'; then
  echo "The set-up failed. The last lines of $log:" >&2
  tail -n 20 "$log" >&2
  exit 1
fi
