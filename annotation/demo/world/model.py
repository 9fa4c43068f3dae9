"""The simulated model for the time of the fill: the one that is set, or one of our own."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from django.conf import settings

from annotation.demo.simulator import MODEL, Simulator

PURPOSES: Final = ("task", "judge", "optimizer")
NAMES: Final = ("OPENAI_BASE_URL", "OPENAI_API_KEY", "MODELS")


@contextmanager
def simulated_model() -> Iterator[str]:
    """Within the block every purpose asks a simulated model; its address.

    A real model that somebody has configured is never asked: three thousand calls about a bank
    that does not exist are not what he or she wants to pay for.
    """
    if _is_simulated() and _answers(settings.OPENAI_BASE_URL):
        yield settings.OPENAI_BASE_URL
        return
    with Simulator() as server, _configured(server.base_url):
        yield server.base_url


@contextmanager
def _configured(base_url: str) -> Iterator[None]:
    before: dict[str, Any] = {name: getattr(settings, name) for name in NAMES}
    settings.OPENAI_BASE_URL = base_url
    settings.OPENAI_API_KEY = "simulated"
    settings.MODELS = dict.fromkeys(PURPOSES, MODEL)
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(settings, name, value)


def _is_simulated() -> bool:
    return all(settings.MODELS.get(purpose) == MODEL for purpose in PURPOSES)


def _answers(base_url: str) -> bool:
    address = f"{base_url.rstrip('/').removesuffix('/v1')}/healthz"
    if not address.startswith("http://"):
        return False
    # The model stands on loopback, whatever proxy the environment names for the internet.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(address, timeout=2) as answer:
            return b"simulated" in answer.read()
    except (OSError, urllib.error.URLError, ValueError):
        return False
