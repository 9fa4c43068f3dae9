"""What the task model is sent for a golden case: the blocks of a version around what was asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from core import llm
from registry import prompts
from registry.models import GoldenCase, PromptVersion

Chat = list[dict[str, str]]


class Unanswerable(Exception):
    """The case cannot be put to a version. The message says why."""


def compose(version: PromptVersion, case: GoldenCase, known: Sequence[PromptVersion]) -> Chat:
    """The messages of `case` under `version`.

    A case keeps what was asked as it was sent, so a message that a template of the `known`
    versions made, or that is the value of a variable, gives way to what `version` makes of it.
    Raises Unanswerable where a variable has no value.
    """
    system, turns = _split(prompts.messages_of(version))
    values = {str(name): str(value) for name, value in case.variables.items()}
    head = _filled(system, values)
    asked = _asked(case)
    if not turns:
        return head + asked
    if _lacks(turns, values):
        if all(_split(prompts.messages_of(each))[1] == turns for each in known):
            # The same template for all of them: what was sent then is what would be sent now.
            return head + asked
        raise Unanswerable(f"No value for {', '.join(_lacks(turns, values))}.")
    return head + _replaced(asked, _filled(turns, values), _made(known, values))


def _replaced(asked: Chat, turns: Chat, made: list[str]) -> Chat:
    """`asked` with `turns` where the messages stood that a template had `made`."""
    places = [place for place, each in enumerate(asked) if each["content"].strip() in made]
    if places:
        kept = [each for place, each in enumerate(asked) if place not in places]
        first = places[0]
        return kept[:first] + turns + kept[first:]
    if turns[-1]["role"] != "user" or asked[-1]["role"] != "user":
        return turns + asked
    # Made by a template that nobody remembers: it was the last word, as the new one will be.
    return asked[:-1] + turns


def _made(known: Sequence[PromptVersion], values: Mapping[str, str]) -> list[str]:
    made = [value.strip() for value in values.values() if value.strip()]
    for version in known:
        turns = _split(prompts.messages_of(version))[1]
        if not _lacks(turns, values):
            made += [each["content"].strip() for each in _filled(turns, values)]
    return made


def _split(messages: Chat) -> tuple[Chat, Chat]:
    system = [each for each in messages if each["role"] == "system"]
    return system, [each for each in messages if each["role"] != "system"]


def _lacks(messages: Chat, values: Mapping[str, str]) -> list[str]:
    wanted = {name for each in messages for name in prompts.VARIABLE.findall(each["content"])}
    return sorted(wanted - values.keys())


def _filled(messages: Chat, values: Mapping[str, str]) -> Chat:
    if lacking := _lacks(messages, values):
        raise Unanswerable(f"No value for {', '.join(lacking)}.")
    return [
        {
            "role": each["role"],
            "content": prompts.VARIABLE.sub(lambda hit: values[hit[1]], each["content"]),
        }
        for each in messages
    ]


def _asked(case: GoldenCase) -> Chat:
    """The messages as text, without tool calls and without instructions of old versions."""
    told: Sequence[llm.Message] = case.messages
    asked = [
        {"role": str(each.get("role") or "user"), "content": str(each.get("content") or "")}
        for each in told
        if each.get("role") not in {"system", "developer"}
    ]
    if not asked:
        raise Unanswerable("The case does not say what was asked.")
    if any(each["role"] not in prompts.ROLES for each in asked):
        raise Unanswerable("The conversation has steps of tools, which a gate cannot repeat.")
    return asked
