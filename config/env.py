"""Reading the environment: a bad value stops the process with a sentence that names it."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

TRUE = {"1", "true", "yes", "on"}
FALSE = {"0", "false", "no", "off", ""}


def text(name: str, default: str = "") -> str:
    """The variable, or what stands in the file that `NAME_FILE` names (container secrets)."""
    if path := os.environ.get(f"{name}_FILE"):
        try:
            return Path(path).read_text().strip()
        except OSError as error:
            raise ImproperlyConfigured(f"{name}_FILE: {path} cannot be read.") from error
    return os.environ.get(name, default)


def flag(name: str, *, default: bool) -> bool:
    value = os.environ.get(name, "1" if default else "0").strip().lower()
    if value not in TRUE | FALSE:
        raise ImproperlyConfigured(f"{name} is {value!r}; write 1 or 0.")
    return value in TRUE


def number(name: str, default: int) -> int:
    value = os.environ.get(name, str(default))
    try:
        return int(value)
    except ValueError:
        raise ImproperlyConfigured(f"{name} is {value!r}; write a whole number.") from None


def words(name: str, default: str = "") -> list[str]:
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def secret(name: str, *, home: Path, debug: bool) -> str:
    """The variable; in development a random one kept in `home`: sessions survive a restart."""
    if value := text(name):
        return value
    if not debug:
        raise ImproperlyConfigured(f"{name} is not set. Production needs 50 random characters.")
    kept = home / "secret"
    if not kept.exists():
        home.mkdir(parents=True, exist_ok=True)
        _keep_secret(kept)
    return kept.read_text().strip()


def _keep_secret(kept: Path) -> None:
    """Nobody else can read it at any moment, and of two processes that start at once one wins.

    Written aside and then linked: the name never stands for half a secret.
    """
    aside = kept.with_name(f"secret.{os.getpid()}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_urlsafe(48))
    try:
        with suppress(FileExistsError):
            os.link(aside, kept)
    finally:
        aside.unlink()


def database(url: str, *, pool: bool) -> dict[str, object]:
    """Django's database settings from a `postgresql://` URL; `?host=` may name a socket folder.

    With `pool` connections come from psycopg's pool, else each process keeps its own: a fresh
    connection per request costs a factor of six.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"}:
        raise ImproperlyConfigured("DATABASE_URL must begin with postgresql://")
    options: dict[str, object] = dict(parse_qsl(parts.query))
    host = options.pop("host", None) or parts.hostname or ""
    options["options"] = "-c idle_in_transaction_session_timeout=300000"
    if pool:
        options["pool"] = {"min_size": 1, "max_size": number("DATABASE_POOL_SIZE", 16)}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")) or "postgres",
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": 0 if pool else None,
        "CONN_HEALTH_CHECKS": not pool,
        "OPTIONS": options,
    }
