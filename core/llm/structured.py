"""Ask a model for a value of a given shape, from servers of unequal ability."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeVar

import openai
from pydantic import BaseModel, ValidationError

from core.db import slow
from core.llm.completion import Attempt, Message, Reply, ask, fan_out, keep
from core.llm.connection import Connection, connection
from core.llm.errors import BadAnswer, LlmError, Refused
from core.text import storable

M = TypeVar("M", bound=BaseModel)

MODES = ("json_schema", "json_object", "text")
_FENCE = re.compile(r"```(?:json)?[ \t]*\n(.*?)\n[ \t]*```", re.DOTALL)


@slow
def complete_structured(
    purpose: str,
    messages: Sequence[Message],
    schema: type[M],
    *,
    project_id: int | None,
) -> tuple[M, Reply]:
    """One completion, parsed into `schema`.

    Asks by strict JSON schema, else by JSON mode, else in words; what a server understood is
    remembered for it. Raises LlmError; BadAnswer where the answer is not of that shape.
    """
    attempts: list[Attempt] = []
    try:
        return _descend(connection(purpose), messages, schema, attempts)
    finally:
        keep(attempts, purpose=purpose, project_id=project_id)


@slow
def complete_structured_many(
    purpose: str,
    messages: Sequence[Sequence[Message]],
    schema: type[M],
    *,
    project_id: int | None,
    workers: int = 8,
) -> list[tuple[M, Reply] | LlmError]:
    """`complete_structured` for each list of messages, in order; an error takes its place."""
    link = connection(purpose)

    def one(each: Sequence[Message], attempts: list[Attempt]) -> tuple[M, Reply]:
        return _descend(link, each, schema, attempts)

    return fan_out(one, messages, purpose=purpose, project_id=project_id, workers=workers)


def _descend(
    link: Connection, messages: Sequence[Message], schema: type[M], attempts: list[Attempt]
) -> tuple[M, Reply]:
    """Try each mode from the strictest down until one has worked on this server; after that
    only that one, so that a bad answer is not asked for three times."""
    habits = link.habits()
    first: LlmError | None = None
    for mode in (habits.structured,) if habits.structured else MODES:
        try:
            answer = _in_mode(mode, link, messages, schema, attempts)
        except (Refused, BadAnswer) as error:
            if isinstance(error, Refused) and error.status not in {400, 422, 501}:
                raise
            first = first or error
        else:
            habits.structured = mode
            return answer
    assert first is not None
    raise first


def _in_mode(
    mode: str,
    link: Connection,
    messages: Sequence[Message],
    schema: type[M],
    attempts: list[Attempt],
) -> tuple[M, Reply]:
    shape = _strict(schema)
    response_format: dict[str, object] | None = None
    if mode == "json_schema":
        named = {"name": schema.__name__, "schema": shape, "strict": True}
        response_format = {"type": "json_schema", "json_schema": named}
    else:
        messages = _in_words(messages, shape)
        response_format = {"type": "json_object"} if mode == "json_object" else None
    reply = ask(link, messages, attempts, response_format=response_format)
    return parse(reply, schema), reply


@lru_cache(maxsize=64)
def _strict(schema: type[BaseModel]) -> Mapping[str, Any]:
    """The JSON schema in the strict dialect: every property required, no others allowed."""
    return openai.pydantic_function_tool(schema)["function"]["parameters"]


def _in_words(messages: Sequence[Message], shape: Mapping[str, Any]) -> list[Message]:
    # Into the last message: some servers take only one system message.
    *before, last = messages
    wish = (
        "\n\nAnswer with one JSON object and nothing else. It must fit this JSON schema:\n"
        + json.dumps(shape)
    )
    return [*before, {**last, "content": last["content"] + wish}]


def parse(reply: Reply, schema: type[M]) -> M:
    """The value in a reply: bare JSON, JSON in a fence, or JSON among chatter."""
    if reply.truncated:
        raise BadAnswer(f"{reply.model}: the answer was cut off by the token limit")
    error: ValidationError | None = None
    for candidate in _candidates(reply.text):
        try:
            return _storable(schema.model_validate_json(candidate))
        except ValidationError as raised:
            error = error or raised
    raise BadAnswer(f"{reply.model}: not a {schema.__name__}: {_summary(error)}")


def _storable(found: M) -> M:
    """An escape in the answer's JSON can hide what its text did not show."""
    return type(found).model_validate(storable(found.model_dump()))


def _candidates(text: str) -> list[str]:
    found = [text.strip(), *(match.strip() for match in _FENCE.findall(text))]
    start, end = text.find("{"), text.rfind("}")
    if 0 <= start < end:
        found.append(text[start : end + 1])
    return found


def _summary(error: ValidationError | None) -> str:
    if error is None:
        return "no JSON"
    first = error.errors(include_input=False, include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"]) or "answer"
    return f"{where}: {first['msg']}"
