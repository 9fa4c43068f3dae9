"""The spans of one trace as a tree, from whatever has arrived so far."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from routing.spans import SpanIn


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """Every span once, in the order of reading: a parent, then its children by start.

    `root` is the span without a parent, or the earliest orphan while it has not arrived.
    """

    spans: list[SpanIn]
    root: SpanIn
    by_id: dict[str, SpanIn]
    children: dict[str, list[SpanIn]]
    depth: dict[str, int]

    def above(self, span: SpanIn) -> Iterator[SpanIn]:
        """The ancestors that have arrived, the parent first; ends where ids run in a circle."""
        seen = {span.span_id}
        while span.parent_id in self.by_id and span.parent_id not in seen:
            seen.add(span.parent_id)
            span = self.by_id[span.parent_id]
            yield span

    def innermost(self, fits: Callable[[SpanIn], bool]) -> list[SpanIn]:
        """The spans that fit and have no descendant that fits: what wrappers repeat, once."""
        fitting = [span for span in self.spans if fits(span)]
        wrappers: set[str] = set()
        for span in fitting:
            for above in self.above(span):
                # From here up it is marked already; without this a deep trace costs a square.
                if above.span_id in wrappers:
                    break
                wrappers.add(above.span_id)
        return [span for span in fitting if span.span_id not in wrappers]


def grow(spans: Sequence[SpanIn]) -> Tree:
    """The tree of these spans, in any order, repeated or incomplete.

    A span that came twice counts once, its last finished version. Raises ValueError without
    spans, or with spans of several traces.
    """
    if len({span.trace_id for span in spans}) != 1:
        raise ValueError("spans of exactly one trace are needed")
    by_id = _latest(spans)
    children: dict[str, list[SpanIn]] = {}
    for span in sorted(by_id.values(), key=_order):
        children.setdefault(span.parent_id if span.parent_id in by_id else "", []).append(span)
    depth = _walk(by_id, children)
    ordered = [by_id[span_id] for span_id in depth]
    return Tree(spans=ordered, root=ordered[0], by_id=by_id, children=children, depth=depth)


def _latest(spans: Iterable[SpanIn]) -> dict[str, SpanIn]:
    found: dict[str, SpanIn] = {}
    for span in spans:
        held = found.get(span.span_id)
        if held is None or span.ended_at is not None or held.ended_at is None:
            found[span.span_id] = span
    # Logfire announces a running span by a second span of another id below it.
    finished = {i: s for i, s in found.items() if not _is_placeholder(s)}
    return finished or found


def _is_placeholder(span: SpanIn) -> bool:
    return span.attributes.get("logfire.span_type") == "pending_span"


def _order(span: SpanIn) -> tuple[bool, object, str]:
    return bool(span.parent_id), span.started_at, span.span_id


def _walk(by_id: dict[str, SpanIn], children: dict[str, list[SpanIn]]) -> dict[str, int]:
    """The depth of every span, in reading order; spans in a circle start at the earliest."""
    depth: dict[str, int] = {}
    for start in [*children.get("", []), *sorted(by_id.values(), key=_order)]:
        stack = [(start, 0)]
        while stack:
            span, level = stack.pop()
            if span.span_id in depth:
                continue
            depth[span.span_id] = level
            below = children.get(span.span_id, [])
            stack += [(child, level + 1) for child in reversed(below)]
    return depth
