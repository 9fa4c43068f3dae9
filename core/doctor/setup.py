"""Settings: what is off, and what must not be so in production."""

from __future__ import annotations

from django.conf import settings

from core import llm
from core.doctor.checks import Check, State
from core.doctor.services import is_embedded

PURPOSES = ("task", "judge", "optimizer")
KEY_LENGTH, KEY_VARIETY = 50, 5  # as Django's own deployment check has them
NEW_KEY = 'python -c "import secrets; print(secrets.token_urlsafe(48))"'


def check_models() -> Check:
    """Whether a model is set up for each purpose. Without one the rest works."""
    off = [sentence for purpose in PURPOSES if (sentence := llm.missing(purpose))]
    if not off:
        names = ", ".join(f"{purpose}: {settings.MODELS[purpose]}" for purpose in PURPOSES)
        return Check("models", State.OK, f"Configured ({names}).")
    advice = "Set them and restart web and workers; everything that asks no model works without."
    return Check("models", State.WARN, " ".join(off), advice)


def check_debug() -> Check:
    """DEBUG shows settings and source to whoever meets an error."""
    if not settings.DEBUG:
        return Check("debug", State.OK, "Off.")
    if is_embedded():
        return Check("debug", State.OK, "On, with the embedded database: for development only.")
    advice = "Set DEBUG=0 wherever others can reach this server."
    return Check("debug", State.WARN, "On, with a database server of your own.", advice)


def check_secret_key() -> Check:
    """SECRET_KEY signs sessions: who guesses it is anybody. Old keys still open sessions."""
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    if any(is_weak(key) for key in keys):
        state = State.WARN if settings.DEBUG else State.FAIL
        sentence = f"SECRET_KEY or a fallback is shorter than {KEY_LENGTH} characters or too plain."
        return Check("secret key", state, sentence, f"Make one: {NEW_KEY}")
    if old := len(settings.SECRET_KEY_FALLBACKS):
        sentence = f"Being rotated: {old} old {'key is' if old == 1 else 'keys are'} still taken."
        advice = "Empty SECRET_KEY_FALLBACKS two weeks after the change (a session's life)."
        return Check("secret key", State.OK, sentence, advice)
    return Check("secret key", State.OK, "Long and random.")


def is_weak(key: str) -> bool:
    """Too short, of too few different characters, or one that Django made for development."""
    plain = len(key) < KEY_LENGTH or len(set(key)) < KEY_VARIETY
    return plain or key.startswith("django-insecure-")


def check_hosts() -> Check:
    """Which names this installation answers to, and whether over HTTPS."""
    hosts = settings.ALLOWED_HOSTS
    if settings.DEBUG:
        return Check("hosts", State.OK, f"Answers to {', '.join(hosts) or 'this machine'}.")
    if not hosts:
        advice = "Set ALLOWED_HOSTS to the names that people type, comma-separated."
        return Check("hosts", State.FAIL, "ALLOWED_HOSTS is empty: every answer is 400.", advice)
    if "*" in hosts:
        advice = "Name the hosts: a forged Host header leads links in mails astray."
        return Check("hosts", State.WARN, "ALLOWED_HOSTS takes every name.", advice)
    if not settings.HTTPS:
        advice = "Put a proxy that speaks HTTPS in front, and set HTTPS=1."
        return Check("hosts", State.WARN, "HTTPS is off: sessions travel in the clear.", advice)
    return Check("hosts", State.OK, f"Answers to {', '.join(hosts)} over HTTPS.")
