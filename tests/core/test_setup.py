"""`.ci/setup.sh`: which Python it takes, and that it installs only what has changed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ("sh", "dirname", "cat", "cksum", "sed", "rm", "grep", "sort", "tail")
SHIM = "#!/bin/sh\necho 'pyenv: command not found' >&2\nexit 127\n"
TOO_OLD = "#!/bin/sh\nexit 1\n"  # what the version check ends with
GOOD = f'#!/bin/sh\nexec "{sys.executable}" "$@"\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A clone with only what the set-up reads, and a PATH with no Python on it."""
    (tmp_path / "bin").mkdir()
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found is not None
        (tmp_path / "bin" / tool).symlink_to(found)
    for name in (".ci/setup.sh", "requirements.txt", "requirements-dev.txt"):
        (tmp_path / "clone" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / "clone" / name)
    return tmp_path


def put(folder: Path, name: str, script: str) -> None:
    path = folder / "bin" / name
    path.write_text(script)
    path.chmod(0o755)


def setup(folder: Path, kind: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(folder / "bin" / "sh"), str(folder / "clone" / ".ci" / "setup.sh"), kind],
        env={"PATH": str(folder / "bin"), "HOME": str(folder), **environ},
        capture_output=True,
        text=True,
        check=False,
    )


def seal(folder: Path) -> None:
    """An environment as a finished run for `runtime` leaves it."""
    environment = folder / "clone" / ".venv"
    (environment / "bin").mkdir(parents=True)
    (environment / "bin" / "python").symlink_to(sys.executable)
    key = subprocess.run(
        "cat requirements.txt requirements.txt .ci/setup.sh | cksum",
        shell=True,
        cwd=folder / "clone",
        capture_output=True,
        text=True,
        check=True,
    )
    (environment / "stamp-runtime").write_text(key.stdout)


def test_a_shim_that_fails_is_passed_over(folder: Path) -> None:
    put(folder, "python3", SHIM)
    put(folder, "python3.12", GOOD)
    assert setup(folder, "python").stdout.strip() == sys.executable


def test_a_python_that_is_too_old_is_passed_over(folder: Path) -> None:
    put(folder, "python3", TOO_OLD)
    put(folder, "python3.13", SHIM)
    put(folder, "python3.11", GOOD)
    assert setup(folder, "python").stdout.strip() == sys.executable


def test_no_python_is_said_in_a_sentence(folder: Path) -> None:
    put(folder, "python3", SHIM)
    done = setup(folder, "runtime")
    assert done.returncode == 1
    assert "No Python 3.11 or newer was found: install one" in done.stderr


def test_the_python_that_was_asked_for_must_work(folder: Path) -> None:
    put(folder, "python3", GOOD)
    done = setup(folder, "runtime", PYTHON="/nonexistent/python")
    assert done.returncode == 1
    assert "PYTHON=/nonexistent/python is not a working Python" in done.stderr


def test_without_ensurepip_pip_and_virtualenv_it_says_what_to_install(folder: Path) -> None:
    for module in ("ensurepip", "pip", "virtualenv"):
        (folder / "hidden" / module).mkdir(parents=True)
        (folder / "hidden" / module / "__init__.py").write_text("raise ImportError")
    put(folder, "python3", GOOD)
    done = setup(folder, "runtime", PYTHONPATH=str(folder / "hidden"))
    assert done.returncode == 1
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    assert f"ensurepip is missing: run `apt install python{version}-venv`" in done.stderr
    assert not (folder / "clone" / ".venv").exists()


def test_a_second_run_with_the_same_pins_does_nothing(folder: Path) -> None:
    seal(folder)
    done = setup(folder, "runtime")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_changed_pins_are_installed(folder: Path) -> None:
    seal(folder)
    put(folder, "uv", '#!/bin/sh\necho "$@" >> called\n')
    pins = folder / "clone" / "requirements.txt"
    pins.write_text(pins.read_text().replace("celery==", "celery==0.0."))
    assert setup(folder, "runtime").returncode == 0
    called = (folder / "clone" / "called").read_text()
    assert called.startswith("pip install --quiet -r requirements.txt")


def test_every_pin_is_an_exact_version_without_an_address() -> None:
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    lines += (ROOT / "requirements-dev.txt").read_text().splitlines()[1:]
    assert len(lines) > 100
    assert [line for line in lines if "==" not in line or "://" in line or "@" in line] == []
