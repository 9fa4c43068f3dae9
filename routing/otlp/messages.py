"""Chat messages in every shape that clients send, as one shape.

A message is `{role, content}` with, where sent, `name`, `tool_calls` (`[{id, name,
arguments}]`, arguments an object where they can be read as one), `tool_call_id`, `reasoning`
and `finish_reason`. `content` is always text; a picture or a file becomes a remark in brackets.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from routing.otlp.values import as_label, as_text, first, read_structure
from routing.spans import Json

_ROLES: Final = {"human": "user", "ai": "assistant", "model": "assistant", "developer": "system"}
_TEXT_TYPES: Final = frozenset({"text", "input_text", "output_text", "refusal"})
_THOUGHTS: Final = frozenset({"reasoning", "thinking"})
_CALLS: Final = frozenset({"tool_call", "tool_use", "tool-call", "function_call"})
_ANSWERS: Final = frozenset(
    {"tool_call_response", "tool_result", "tool-result", "function_call_output"}
)
_ENVELOPES: Final = ("messages", "choices", "generations", "candidates", "contents")
_LANGCHAIN: Final = frozenset({"human", "ai", "system", "tool", "function", "chat"})


def read_messages(value: object, role: str = "") -> list[Json]:
    """The messages in a list, an envelope such as `{"messages": [...]}`, or JSON text of them.

    What is no conversation gives an empty list, unless `role` names who said it: then any
    text or object is one message of that role.
    """
    value = read_structure(value)
    found = _conversation(value, role)
    if found or not role or value in (None, "", [], {}):
        return found
    return [{"role": role, "content": as_text(value)}]


def _conversation(value: object, role: str) -> list[Json]:
    if isinstance(value, list):
        return _listed(value, role)
    if not isinstance(value, dict):
        return []
    for envelope in _ENVELOPES:
        if isinstance(value.get(envelope), list):
            return _system_of(value) + _listed(value[envelope], role)
    if isinstance(value.get("output"), list) and value.get("object") == "response":
        return _listed(value["output"], role)
    return read_message(value, role)


def _listed(items: list[Any], role: str) -> list[Json]:
    if items and all(isinstance(item, list) for item in items):
        # LangChain sends a batch of conversations; a span is about the first.
        return _listed(items[0], role)
    messages = [read_message(item, role) if isinstance(item, dict) else [] for item in items]
    if not all(messages):
        return []
    return _merged([message for many in messages for message in many])


def _merged(messages: list[Json]) -> list[Json]:
    """Items of one answer that stand apart (text, then a tool call) as one message."""
    whole: list[Json] = []
    for message in messages:
        if whole and message.get("part") and whole[-1].get("part"):
            whole[-1]["tool_calls"] = whole[-1].get("tool_calls", []) + message["tool_calls"]
        else:
            whole.append(message)
    return [{k: v for k, v in message.items() if k != "part"} for message in whole]


def _system_of(value: Json) -> list[Json]:
    system = value.get("system") or value.get("instructions")
    if not isinstance(system, str | list):
        return []
    return read_message({"role": "system", "content": system})


def read_message(value: Json, role: str = "") -> list[Json]:
    """The message in one object: empty if it is none, more than one where it holds answers
    of several tools."""
    value = _unpacked(value)
    kind = value.get("type")
    if "role" not in value and isinstance(kind, str) and kind in _CALLS:
        return [{"role": "assistant", "content": "", "tool_calls": [_call(value)], "part": True}]
    if "role" not in value and isinstance(kind, str) and kind in _ANSWERS:
        return [_answer(value)]
    said_by = _role(value) or (role if _has_content(value) else "")
    if not said_by:
        return []
    return _with_parts(value, said_by)


def _unpacked(value: Json) -> Json:
    """Take off the wrappers of OpenAI choices, LangChain constructors and OpenInference."""
    for wrapper in ("message", "kwargs", "data"):
        inner = value.get(wrapper)
        if isinstance(inner, dict) and (wrapper != "data" or "type" in value):
            kept: Json = {k: value[k] for k in ("finish_reason", "type") if k in value}
            return _unpacked({**kept, **inner})
    if "content" in value and isinstance(value["content"], dict):
        # Gemini puts role and parts one level down.
        return {**value["content"], "role": value["content"].get("role", value.get("role", ""))}
    return value


def _role(value: Json) -> str:
    role = value.get("role")
    kind = value.get("type")
    if not role and isinstance(kind, str) and kind in _LANGCHAIN and "content" in value:
        role = kind
    name = as_label(role)
    return _ROLES.get(name.lower(), name)


def _has_content(value: Json) -> bool:
    return any(name in value for name in ("content", "parts", "text", "tool_calls"))


def _with_parts(value: Json, role: str) -> list[Json]:
    parts = first(value, "parts", "content", "contents", "text")
    message: Json = {"role": role, "content": ""}
    answers: list[Json] = []
    calls = [_call(call) for call in _dicts(read_structure(value.get("tool_calls")))]
    texts: list[str] = []
    thoughts = [as_text(value["reasoning_content"])] if value.get("reasoning_content") else []
    for part in _parts(parts):
        _sort_part(part, texts, thoughts, calls, answers)
    message["content"] = "\n".join(text for text in texts if text)
    message |= _extras(value, thoughts, calls)
    empty = not (message["content"] or calls or thoughts)
    return answers if answers and empty else [*answers, message]


def _parts(value: object) -> list[Any]:
    if isinstance(value, str) and value.lstrip()[:2] == "[{":
        found = read_structure(value)
        typed = isinstance(found, list) and all(isinstance(p, dict) and "type" in p for p in found)
        return found if typed else [value]
    if isinstance(value, list):
        return value
    return [] if value is None else [value]


def _sort_part(
    part: object, texts: list[str], thoughts: list[str], calls: list[Json], answers: list[Json]
) -> None:
    if not isinstance(part, dict):
        texts.append(as_text(part))
        return
    kind = str(part.get("type", ""))
    if kind in _CALLS or "functionCall" in part:
        calls.append(_call(part.get("functionCall", part)))
    elif kind in _ANSWERS:
        answers.append(_answer(part))
    elif kind in _THOUGHTS:
        thoughts.append(as_text(first(part, "content", "text", "thinking", "reasoning")))
    else:
        texts.append(_part_text(part, kind))


def _part_text(part: Json, kind: str) -> str:
    text = first(part, "text", "content", "refusal")
    if isinstance(text, str) and (kind in _TEXT_TYPES or not kind):
        return text
    where = first(part, "image_url", "uri", "url", "file_id", "mime_type", "mediaType", "image")
    if isinstance(where, dict):
        where = where.get("url")
    if kind:
        # A picture that is sent inside the message would fill the page with base64.
        return f"[{kind}: {as_text(where)[:200]}]" if where else f"[{kind}]"
    return as_text(part)


def _extras(value: Json, thoughts: list[str], calls: list[Json]) -> Json:
    extras: Json = {
        "name": as_label(value.get("name")),
        "tool_call_id": as_label(first(value, "tool_call_id", "toolCallId")),
        "finish_reason": as_label(first(value, "finish_reason", "finishReason")),
        "reasoning": "\n".join(thought for thought in thoughts if thought),
        "tool_calls": calls,
    }
    return {name: extra for name, extra in extras.items() if extra}


def _call(call: Json) -> Json:
    inner = call.get("function")
    body = {**call, **inner} if isinstance(inner, dict) else call
    arguments = first(body, "arguments", "args", "input")
    return {
        "id": as_label(first(body, "id", "call_id", "toolCallId", "tool_call_id")),
        "name": as_label(first(body, "name", "toolName", "tool_name")),
        "arguments": read_arguments(arguments),
    }


def read_arguments(value: object) -> Any:
    """Arguments of a tool: an object where they are one or JSON text of one, else as sent."""
    found = read_structure(value)
    return {} if found is None else found


def _answer(part: Json) -> Json:
    result = first(part, "response", "result", "output", "content")
    if isinstance(result, dict) and set(result) == {"type", "value"}:
        # Vercel wraps a result as {"type": "json", "value": ...}.
        result = result["value"]
    answer: Json = {"role": "tool", "content": _result_text(result)}
    caller = as_label(first(part, "id", "tool_call_id", "tool_use_id", "call_id", "toolCallId"))
    name = as_label(first(part, "name", "toolName"))
    return answer | ({"tool_call_id": caller} if caller else {}) | ({"name": name} if name else {})


def _result_text(result: object) -> str:
    if isinstance(result, list) and result and all(_is_text(part) for part in result):
        return "\n".join(as_text(part["text"]) for part in result)
    return as_text(result)


def _is_text(part: object) -> bool:
    return isinstance(part, dict) and part.get("type") == "text" and "text" in part


def _dicts(value: object) -> Iterable[Json]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def text_of(messages: Iterable[Json]) -> str:
    """What these messages say, as text for people; a bare tool call reads `name(arguments)`."""
    return "\n\n".join(text for text in map(_spoken, messages) if text)


def _spoken(message: Json) -> str:
    if message.get("content"):
        return as_text(message["content"])
    calls = message.get("tool_calls", [])
    return "\n".join(f"{call['name']}({as_text(call['arguments'])})" for call in calls)
