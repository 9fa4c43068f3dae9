"""The Celery application. Beat only sweeps: what is pending is a query, a bell is a hint."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

from celery import Celery
from celery.beat import Scheduler

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

FLOORS = ["core", "registry", "routing", "annotation"]

app = Celery("whetstone")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(FLOORS)
app.set_default()


def schedule() -> dict[str, dict[str, Any]]:
    """Each floor's `SWEEPS` (task name to seconds) as beat wants them.

    A sweep that finds no worker in time expires: after a night without workers there is one
    sweep to do, not ten thousand.
    """
    return {
        name: {"task": name, "schedule": seconds, "options": {"expires": max(seconds, 10)}}
        for floor in FLOORS
        for name, seconds in import_module(f"{floor}.tasks").SWEEPS.items()
    }


class Sweeper(Scheduler):
    """Beat's schedule, read when Django's apps are there, and kept in no file that a kill could
    spoil: whoever starts anew sweeps at once."""

    def setup_schedule(self) -> None:
        self.app.conf.beat_schedule = schedule()
        self.merge_inplace(self.app.conf.beat_schedule)
