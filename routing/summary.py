"""One trace out of its spans: what a reviewer reads first, and what the numbers count.

Recomputed from all spans after every batch, so any subset in any order gives a fair picture:
orphans are shown, and a late root takes the lead when it comes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from routing.otlp.messages import text_of
from routing.otlp.plain_text import holds, is_plain, last_said, readable
from routing.otlp.values import as_label, as_number, as_text, clean_text, first
from routing.spans import EVALUATION, Json, PromptRef, Score, SpanIn, TraceIn, milliseconds
from routing.tree import Tree, grow

MAX_STEPS: Final = 2_000
MAX_STEP_TEXT: Final = 20_000

_SIDE_JOBS: Final = frozenset({"EVALUATOR", "GUARDRAIL", "RERANKER", "TOOL"})
_SILENT: Final = frozenset({"EMBEDDING", "RETRIEVER", "RERANKER", "PROMPT"})
_SPEAKERS: Final = frozenset({"CHAIN", "AGENT"})
_CALLS: Final = frozenset({"LLM", "EMBEDDING"})


def summarise(spans: Sequence[SpanIn]) -> TraceIn:
    """The trace that these spans of one trace id make up, as far as they have arrived.

    The output is the root's, or that of the model call that answered. Messages, model,
    parameters and time to first token are those of that call. Tokens add up over model and
    embedding calls that have no such call below them, because wrappers repeat their
    children's counts; costs likewise over whatever states one. Raises ValueError without
    spans or with spans of several traces.
    """
    tree = grow(spans)
    main = _main_call(tree)
    started, ended = _extent(tree)
    metadata = _metadata(tree)
    prompt = _prompt(tree, main)
    status, error = _status(tree, main)
    return TraceIn(
        trace_id=tree.root.trace_id,
        name=_first(tree, "trace_name") or tree.root.name,
        started_at=started,
        ended_at=ended,
        model=main.model if main else _first(tree, "model"),
        provider=main.provider if main else _first(tree, "provider"),
        params=main.params if main else {},
        messages=_messages(tree, main),
        output=_output(tree, main),
        documents=_documents(tree),
        steps=[_step(span, started) for span in tree.spans[:MAX_STEPS]],
        prompt_name=prompt.name,
        prompt_version=prompt.version,
        prompt_template=prompt.template,
        variables=prompt.variables,
        session=_first(tree, "session"),
        user=_first(tree, "user"),
        environment=_first(tree, "environment"),
        task=as_label(first(metadata, "task", "task_type", "task.type")),
        language=as_label(first(metadata, "language", "lang", "locale")),
        tags=list(dict.fromkeys(tag for span in tree.spans for tag in span.tags)),
        metadata=metadata,
        tokens_in=_tokens(tree, "input"),
        tokens_out=_tokens(tree, "output"),
        cost_usd=_cost(tree),
        latency_ms=_latency(tree, started, ended),
        ttft_ms=main.ttft_ms if main else None,
        status=status,
        error=error,
        scores=dict(_scores(tree)),
    )


def _first(tree: Tree, name: str) -> str:
    return next((value for span in tree.spans if (value := str(getattr(span, name)))), "")


def _extent(tree: Tree) -> tuple[datetime, datetime | None]:
    ends = [span.ended_at for span in tree.spans if span.ended_at is not None]
    return min(span.started_at for span in tree.spans), max(ends, default=None)


def _latency(tree: Tree, started: datetime, ended: datetime | None) -> float | None:
    """What the caller waited: the root's duration, else from the first start to the last end."""
    if not tree.root.parent_id and tree.root.duration_ms is not None:
        return tree.root.duration_ms
    return milliseconds(started, ended) if ended else None


def _main_call(tree: Tree) -> SpanIn | None:
    """The model call that answered: the last whose words the root hands out, else the last."""
    calls = sorted(tree.innermost(lambda span: span.kind == "LLM"), key=_finish)
    candidates = [call for call in calls if not _is_side_job(tree, call)] or calls
    root_said = tree.root.output_text
    answered = [call for call in candidates if holds(root_said, _said(call))]
    ranked = answered or candidates
    return ranked[-1] if ranked else None


def _finish(span: SpanIn) -> tuple[datetime, datetime]:
    return span.ended_at or span.started_at, span.started_at


def _is_side_job(tree: Tree, span: SpanIn) -> bool:
    return any(above.kind in _SIDE_JOBS for above in tree.above(span))


def _said(span: SpanIn) -> str:
    return text_of(span.messages_out) or readable(span.output_text, "output")


def _output(tree: Tree, main: SpanIn | None) -> str:
    answer = _said(main) if main else ""
    for span in _speakers(tree, main):
        words = _said(span)
        if words and (is_plain(words) or not holds(words, answer)):
            return words
        if words:
            return answer
    return answer


def _speakers(tree: Tree, main: SpanIn | None) -> Iterator[SpanIn]:
    """Who may speak for the application: its top; then, below a bare server span, its chains,
    the highest and latest first."""
    top = _top(tree, main)
    if top.kind not in _SILENT:
        yield top
    chains = [span for span in tree.spans if span.kind in _SPEAKERS and span is not top]
    if not top.parent_id:
        chains.sort(key=_finish, reverse=True)
        yield from sorted(chains, key=lambda span: tree.depth[span.span_id])


def _top(tree: Tree, main: SpanIn | None) -> SpanIn:
    """The root; while it has not arrived, the highest span above the call that answered."""
    if not tree.root.parent_id or main is None:
        return tree.root
    return [main, *tree.above(main)][-1]


def _messages(tree: Tree, main: SpanIn | None) -> list[Json]:
    leaders = [tree.root, *(span for span in tree.spans if span.kind in _SPEAKERS | {"LLM"})]
    for span in [main, *leaders] if main else leaders:
        if span.messages_in:
            return span.messages_in
    asked = next((span.input_text for span in tree.spans if span.input_text), "")
    return [{"role": "user", "content": readable(asked, "input")}] if asked else []


def _documents(tree: Tree) -> list[Json]:
    found: list[Json] = []
    seen: set[tuple[str, str]] = set()
    for document in (document for span in tree.spans for document in span.documents):
        key = (document["id"], document["text"])
        if key not in seen:
            seen.add(key)
            found.append(document)
    return found


def _metadata(tree: Tree) -> Json:
    metadata: Json = {}
    for span in tree.spans:
        for name, value in span.metadata.items():
            metadata.setdefault(name, value)
    for name in ("release", "service"):
        if _first(tree, name):
            metadata.setdefault(name, _first(tree, name))
    return metadata


def _prompt(tree: Tree, main: SpanIn | None) -> PromptRef:
    """The reference on the main call; some clients repeat theirs on every span below it."""
    ranked: list[SpanIn] = [main] if main else []
    for kinds in ({"LLM"}, {"PROMPT"}, {"AGENT", "CHAIN", "SPAN"}):
        ranked += [span for span in reversed(tree.spans) if span.kind in kinds]
    refs = [span.prompt for span in ranked if span.prompt]
    named = [ref for ref in refs if ref.name or ref.version]
    return (named or refs or [PromptRef()])[0]


def _tokens(tree: Tree, side: str) -> int | None:
    calls = tree.innermost(lambda span: span.kind in _CALLS and bool(span.tokens))
    counts = [getattr(call.tokens, side) for call in calls]
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def _cost(tree: Tree) -> float | None:
    priced = tree.innermost(lambda span: span.cost_usd is not None)
    return round(sum(span.cost_usd or 0.0 for span in priced), 10) if priced else None


def _status(tree: Tree, main: SpanIn | None) -> tuple[str, str]:
    """Error where the root failed, or where it is silent and what came last failed.

    A step that failed and was made good (a retry, a tool that was called again) shows among
    the steps; the trace is still ok.
    """
    if tree.root.status == "ok":
        return "ok", ""
    failed = [span for span in _last_words(tree, main) if span.status == "error"]
    if not failed:
        return "ok", ""
    errors = (span.error for span in (*failed, *reversed(tree.spans)) if span.error)
    return "error", next(errors, f"{failed[0].name} failed")


def _last_words(tree: Tree, main: SpanIn | None) -> Iterable[SpanIn]:
    below = [s for s in tree.children.get(tree.root.span_id, []) if s.kind not in _SIDE_JOBS]
    last = max(below, key=_finish, default=None)
    return [span for span in (tree.root, main, last) if span is not None]


def _scores(tree: Tree) -> Iterator[tuple[str, Score]]:
    for event in (event for span in tree.spans for event in span.events):
        fields = event["attributes"]
        name = as_label(fields.get("gen_ai.evaluation.name"))
        value = fields.get("gen_ai.evaluation.score.value")
        number = value if isinstance(value, bool) else as_number(value)
        label = as_label(fields.get("gen_ai.evaluation.score.label"))
        score: Any = label or None if number is None else number
        if event["name"] == EVALUATION and name and score is not None:
            yield name, score


def _step(span: SpanIn, started: datetime) -> Json:
    sent, answered = _exchange(span)
    return {
        "kind": span.kind,
        "name": span.tool.get("name") or span.name,
        "input": clean_text(sent, MAX_STEP_TEXT),
        "output": clean_text(answered, MAX_STEP_TEXT),
        "error": span.error or ("failed" if span.status == "error" else ""),
        "started_ms": milliseconds(started, span.started_at),
        "duration_ms": span.duration_ms,
        "span_id": span.span_id,
        "parent_id": span.parent_id,
    }


def _exchange(span: SpanIn) -> tuple[str, str]:
    """What went in and what came out, in words."""
    if span.kind == "TOOL" and span.tool:
        arguments = span.tool.get("arguments")
        return as_text(arguments or None), readable(as_text(span.tool.get("result")), "output")
    side = "input" if span.kind == "LLM" else "asked"
    sent = last_said(span.messages_in, side) if span.messages_in else ""
    sent = sent or readable(span.input_text, "input")
    if span.documents:
        return sent, "\n\n".join(_shown(document) for document in span.documents)
    return sent, "" if span.kind == "EMBEDDING" else _said(span)


def _shown(document: Json) -> str:
    heading = document["title"] or document["id"]
    return "\n".join(part for part in (heading, document["text"]) if part)
