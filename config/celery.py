"""The Celery application. Beat only sweeps: what is pending is a query, a bell is a hint."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

FLOORS = ["registry", "routing", "annotation"]

app = Celery("whetstone")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(FLOORS)
app.set_default()


def schedule() -> dict[str, dict[str, Any]]:
    """Each floor's `SWEEPS` (task name to seconds) as beat wants them."""
    return {
        name: {"task": name, "schedule": seconds, "options": {"expires": seconds}}
        for floor in FLOORS
        for name, seconds in import_module(f"{floor}.tasks").SWEEPS.items()
    }


@app.on_after_finalize.connect
def sweep(sender: Celery, **_: Any) -> None:
    """Beat's schedule, once Django's apps are there."""
    sender.conf.beat_schedule = schedule()
