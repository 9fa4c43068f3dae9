"""Ask a model for text: once, or many at a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any, TypeAlias, TypeVar

import openai
from openai.types.chat import ChatCompletion

from core.db import slow
from core.llm.connection import Connection, connection
from core.llm.errors import BadAnswer, LlmError, Refused, Unavailable
from core.llm.record import price, record_calls
from core.models import LlmCall
from core.text import storable

Message: TypeAlias = Mapping[str, str]
T = TypeVar("T")

KEPT_AT_ONCE = 50
_RETRIABLE = {408, 409, 425, 429}


@dataclass(frozen=True)
class Reply:
    """What came back. Counts and cost are None where the server or the price list is silent."""

    text: str
    model: str
    tokens_in: int | None
    tokens_out: int | None
    cost_usd: Decimal | None
    latency_ms: int
    truncated: bool = False


@dataclass(frozen=True)
class Attempt:
    """One request as the ledger will know it."""

    model: str
    latency_ms: int
    reply: Reply | None
    error: LlmError | None


@slow
def complete(
    purpose: str,
    messages: Sequence[Message],
    *,
    project_id: int | None,
    temperature: float = 0,
) -> Reply:
    """One chat completion by the model of `purpose`. Raises LlmError; never retries by itself."""
    attempts: list[Attempt] = []
    try:
        return ask(connection(purpose), messages, attempts, temperature=temperature)
    finally:
        keep(attempts, purpose=purpose, project_id=project_id)


@slow
def complete_many(
    purpose: str,
    messages: Sequence[Sequence[Message]],
    *,
    project_id: int | None,
    temperature: float = 0,
    workers: int = 8,
) -> list[Reply | LlmError]:
    """One completion per list of messages, `workers` at a time, answers in order.

    An error takes the place of its answer. Raises only NotConfigured.
    """
    link = connection(purpose)

    def one(each: Sequence[Message], attempts: list[Attempt]) -> Reply:
        return ask(link, each, attempts, temperature=temperature)

    return fan_out(one, messages, purpose=purpose, project_id=project_id, workers=workers)


def ask(
    link: Connection,
    messages: Sequence[Message],
    attempts: list[Attempt],
    *,
    temperature: float = 0,
    response_format: Mapping[str, object] | None = None,
) -> Reply:
    """Send one request, and append what happened to `attempts`. Writes no database row."""
    habits = link.habits()
    extra: dict[str, Any] = {} if habits.no_temperature else {"temperature": temperature}
    if response_format is not None:
        extra["response_format"] = response_format
    try:
        return _timed(link, messages, extra, attempts)
    except Refused as refusal:
        # Reasoning models take no temperature and say so.
        if refusal.status != 400 or "temperature" not in str(refusal) or habits.no_temperature:
            raise
        extra.pop("temperature")
        reply = _timed(link, messages, extra, attempts)
        habits.no_temperature = True
        return reply


def fan_out(
    one: Callable[[Sequence[Message], list[Attempt]], T],
    messages: Sequence[Sequence[Message]],
    *,
    purpose: str,
    project_id: int | None,
    workers: int,
) -> list[T | LlmError]:
    """Run `one` in threads and write the ledger here: threads of the pool hold no database
    connection that nobody would close."""
    breaker = Breaker(limit=max(3, workers))

    def guarded(each: Sequence[Message]) -> tuple[T | LlmError, list[Attempt]]:
        attempts: list[Attempt] = []
        if broken := breaker.broken():
            return broken, attempts
        try:
            answer: T | LlmError = one(each, attempts)
        except LlmError as error:
            answer = error
        breaker.observe(answer)
        return answer, attempts

    answers: list[T | LlmError] = []
    made: list[Attempt] = []
    try:
        with ThreadPoolExecutor(max_workers=max(1, min(workers, len(messages)))) as pool:
            for answer, attempts in pool.map(guarded, messages):
                answers.append(answer)
                made += attempts
                if len(made) >= KEPT_AT_ONCE:
                    keep(made, purpose=purpose, project_id=project_id)
                    made = []
    finally:
        keep(made, purpose=purpose, project_id=project_id)
    return answers


class Breaker:
    """After `limit` failures to reach the server with no success between, the rest of a batch
    is not tried: a dead endpoint costs one timeout, not one per item."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._failures = 0
        self._last: Unavailable | None = None
        self._lock = threading.Lock()

    def observe(self, answer: object) -> None:
        with self._lock:
            if isinstance(answer, Unavailable):
                self._failures, self._last = self._failures + 1, answer
            else:
                self._failures = 0

    def broken(self) -> Unavailable | None:
        with self._lock:
            if self._last is None or self._failures < self._limit:
                return None
            return Unavailable(
                f"not tried after {self._failures} failures in a row: {self._last}",
                retry_after=self._last.retry_after,
            )


def keep(attempts: Sequence[Attempt], *, purpose: str, project_id: int | None) -> None:
    record_calls([_row(attempt, purpose, project_id) for attempt in attempts])


def _row(attempt: Attempt, purpose: str, project_id: int | None) -> LlmCall:
    reply = attempt.reply
    return LlmCall(
        project_id=project_id,
        purpose=purpose,
        model=reply.model if reply else attempt.model,
        tokens_in=reply.tokens_in if reply else None,
        tokens_out=reply.tokens_out if reply else None,
        cost_usd=reply.cost_usd if reply else None,
        latency_ms=attempt.latency_ms,
        status="error" if attempt.error else "ok",
        error=str(attempt.error) if attempt.error else "",
    )


def _timed(
    link: Connection, messages: Sequence[Message], extra: dict[str, Any], attempts: list[Attempt]
) -> Reply:
    start = time.monotonic()
    reply: Reply | None = None
    error: LlmError | None = None
    try:
        completion = _send(link, messages, extra)
        # The reply is kept before it is judged: a refusal has been paid for too.
        reply = _reply(completion, link, round((time.monotonic() - start) * 1000))
        _check(completion)
    except LlmError as raised:
        error = raised
        raise
    else:
        return reply
    finally:
        latency_ms = round((time.monotonic() - start) * 1000)
        attempts.append(Attempt(link.model, latency_ms, reply, error))


def _send(link: Connection, messages: Sequence[Message], extra: dict[str, Any]) -> ChatCompletion:
    payload: Any = [dict(message) for message in messages]
    try:
        chat = link.client().chat
        completion: ChatCompletion = chat.completions.create(
            model=link.model, messages=payload, **extra
        )
    except openai.APITimeoutError as error:
        raise Unavailable(f"{link.model}: no answer in time ({_reason(error)})") from error
    except openai.APIConnectionError as error:
        raise Unavailable(f"{link.model}: not reachable ({_reason(error)})") from error
    except openai.APIStatusError as error:
        raise _by_status(link.model, error) from error
    # The body of a proxy's error page, or JSON that is not a completion.
    except (openai.OpenAIError, ValueError, TypeError) as error:
        raise BadAnswer(f"{link.model}: not an answer of a model server ({error})") from error
    return completion


def _reason(error: openai.APIConnectionError) -> str:
    return str(error.__cause__ or error) or type(error).__name__


def _by_status(model: str, error: openai.APIStatusError) -> LlmError:
    status = error.status_code
    sentence = f"{model}: HTTP {status}: {error.message[:500]}"
    if status in _RETRIABLE or status >= 500:
        retry_after = _seconds(error.response.headers.get("retry-after", ""))
        return Unavailable(sentence, retry_after=retry_after)
    if status in {401, 403}:
        sentence += " Check OPENAI_API_KEY and the rights of this key."
    return Refused(sentence, status=status)


def _seconds(header: str) -> float | None:
    """Retry-After is a number of seconds or an HTTP date (RFC 9110, 10.2.3)."""
    try:
        return max(0.0, float(header))
    except ValueError:
        pass
    try:
        moment = parsedate_to_datetime(header)
    except ValueError:
        return None
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def _reply(completion: ChatCompletion, link: Connection, latency_ms: int) -> Reply:
    # Servers that call themselves compatible leave out what the SDK's types promise.
    choices: Any = getattr(completion, "choices", None)
    if not isinstance(choices, list) or not choices or choices[0].message is None:
        raise BadAnswer(f"{link.model}: the server sent no answer")
    usage: Any = getattr(completion, "usage", None)
    tokens_in = getattr(usage, "prompt_tokens", None)
    tokens_out = getattr(usage, "completion_tokens", None)
    return Reply(
        # Whoever keeps an answer should not have to ask whether the database can hold it.
        text=storable(choices[0].message.content or ""),
        model=storable(completion.model or link.model),
        tokens_in=tokens_in,
        tokens_out=tokens_out,
        cost_usd=price(link.model, tokens_in, tokens_out),
        latency_ms=latency_ms,
        truncated=choices[0].finish_reason == "length",
    )


def _check(completion: ChatCompletion) -> None:
    choice = completion.choices[0]
    refusal = getattr(choice.message, "refusal", None)
    if refusal:
        raise Refused(f"the model declined: {refusal[:500]}", status=200)
    if choice.finish_reason == "content_filter":
        raise Refused("the provider's content filter stopped the answer", status=200)
    if not (choice.message.content or "").strip():
        raise BadAnswer(f"the model answered nothing (finish reason {choice.finish_reason})")
