#!/bin/sh
# Runs every benchmark on servers of their own; fails if one falls short of its target.
set -u
cd "$(dirname "$0")/.."
WHETSTONE_HOME=${WHETSTONE_HOME:-$PWD/.whetstone}/bench
export WHETSTONE_HOME
failed=
for script in bench/[a-z]*.py; do
    [ -f "$script" ] || { echo "There is no benchmark in bench/." >&2; exit 1; }
    echo "== $script"
    .venv/bin/python "$script" "$@" || failed="$failed $script"
done
.venv/bin/python -m core.embedded stop >/dev/null
[ -z "$failed" ] || { echo "Short of the target:$failed" >&2; exit 1; }
