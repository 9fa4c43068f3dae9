"""The Celery application. Beat only sweeps: what is pending is a query, a bell is a hint."""

from __future__ import annotations

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("whetstone")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["registry", "routing", "annotation"], related_name="tasks")
app.set_default()
