"""The environment: the secret that development keeps for itself."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from config import env


@pytest.fixture(autouse=True)
def unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SECRET_KEY", raising=False)
    monkeypatch.delenv("SECRET_KEY_FILE", raising=False)


def test_the_secret_is_readable_by_nobody_else_at_any_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, mode: int) -> None:
        raise AssertionError(f"{path} was there before its mode {mode:o}")

    monkeypatch.setattr(Path, "chmod", refuse)
    before = os.umask(0)
    try:
        env.secret("SECRET_KEY", home=tmp_path / "new", debug=True)
    finally:
        os.umask(before)
    [kept] = (tmp_path / "new").iterdir()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_who_looked_before_another_wrote_ends_with_the_same_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "exists", lambda path: False)
    secrets = {env.secret("SECRET_KEY", home=tmp_path, debug=True) for _ in range(2)}
    assert [len(secret) for secret in secrets] == [64]
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]


def test_the_secret_survives_a_restart(tmp_path: Path) -> None:
    first = env.secret("SECRET_KEY", home=tmp_path, debug=True)
    assert env.secret("SECRET_KEY", home=tmp_path, debug=True) == first
