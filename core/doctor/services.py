"""Redis, the broker, the workers behind it, and embedded servers that nobody ended."""

from __future__ import annotations

import os
from pathlib import Path

import redis
from celery import current_app
from django.conf import settings

from core import embedded
from core.doctor.checks import Check, State, first_line
from core.embedded.folder import strays
from core.supervision import record

PATIENCE = 2  # seconds
LATER = "Nothing is lost meanwhile: the sweeps find what waits."


def is_embedded() -> bool:
    """Whether the database is the one that comes with the packages."""
    return os.environ.get("DATABASE_URL") == embedded.addresses(embedded.home()).database_url


def check_redis() -> Check:
    """Whether Redis answers. Without it no save fails, but bells wait for a sweep."""
    try:
        with redis.Redis.from_url(
            settings.REDIS_URL, socket_connect_timeout=PATIENCE, socket_timeout=PATIENCE
        ) as client:
            version = client.info("server")["redis_version"]
    except (redis.RedisError, OSError, ValueError) as error:
        advice = f"Start Redis, and compare REDIS_URL with where it listens. {LATER}"
        return Check("redis", State.FAIL, f"Does not answer: {first_line(error)}", advice)
    return Check("redis", State.OK, f"Redis {version} answers.")


def check_broker() -> Check:
    """Whether bells can be rung: Celery's own connection, over its own settings."""
    try:
        with current_app.connection_for_write(connect_timeout=PATIENCE) as line:
            line.ensure_connection(max_retries=1, interval_start=0, timeout=PATIENCE)
    except Exception as error:  # noqa: BLE001 - each transport has errors of its own
        advice = f"See the check of Redis; both use REDIS_URL. {LATER}"
        return Check("broker", State.FAIL, f"Does not answer: {first_line(error)}", advice)
    return Check("broker", State.OK, "Celery reaches its broker.")


def check_workers() -> Check:
    """Whether for each queue a worker answers within a second."""
    try:
        replies = current_app.control.inspect(timeout=1.0).active_queues() or {}
    except Exception as error:  # noqa: BLE001 - each transport has errors of its own
        sentence = f"Could not be asked: {first_line(error)}"
        return Check("workers", State.FAIL, sentence, "See the check of the broker.")
    served = {queue["name"] for queues in replies.values() for queue in queues}
    return judge_workers(len(replies), served)


def judge_workers(count: int, served: set[str]) -> Check:
    """The check of `count` workers that together serve those queues."""
    wanting = [queue.name for queue in settings.CELERY_TASK_QUEUES if queue.name not in served]
    if not wanting:
        return Check("workers", State.OK, f"{count} answered; every queue is served.")
    sentence = f"{count} answered; nobody serves: {', '.join(wanting)}."
    advice = f"Start `celery -A config worker --queues {','.join(wanting)}`. {LATER}"
    return Check("workers", State.WARN, sentence, advice)


def check_embedded() -> Check:
    """Embedded servers that run though nobody uses them: a killed process leaves them behind."""
    where = embedded.home()
    used = {
        name
        for name, url in embedded.addresses(where)._asdict().items()
        if os.environ.get(name.upper()) == url
    }
    left = [*_left_over(where, used), *_left_over(where / "test", set())]
    if left:
        advice = "End them: `python manage.py up --stop`, with WHETSTONE_HOME set to that folder."
        return Check("embedded servers", State.WARN, f"Left over: {'; '.join(left)}.", advice)
    if used:
        by = record.read(where).url if record.is_claimed(where) else ""
        by = f"under {by}" if by else "no `up` is running; `manage.py up --stop` ends them"
        return Check("embedded servers", State.OK, f"In use at {where} ({by}).")
    return Check("embedded servers", State.OK, "None runs, none is needed.")


def _left_over(where: Path, used: set[str]) -> list[str]:
    """Servers of that home that run and are not `used` (`database_url`, `redis_url`)."""
    found = embedded.status(where)
    known = {"database_url": ("PostgreSQL", found.postgres), "redis_url": ("Redis", found.redis)}
    left = [
        f"{label} {pid} of {where}"
        for name, (label, pid) in known.items()
        if pid is not None and name not in used
    ]
    if found.postgres is None:
        lost = strays("postgres", where / "postgres" / "data")
        left += [f"PostgreSQL {process.pid} of {where}, with no pid file" for process in lost]
    return left
