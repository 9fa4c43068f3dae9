"""Traces a second from stored to decided and queued, beside the same evaluators in a bare loop."""

from __future__ import annotations

import ground

TARGET = 0.5
TEXT = "The daily limit for transfers is 5,000 euros and can be raised in the app [d1]. " * 50


def main() -> None:
    options = ground.options(__doc__ or "")
    ground.prepare()
    count = 400 if options.quick else 4_000
    environment, traces = fill(count)
    pairs = []
    for number in range(3):
        bare = ground.seconds(lambda: evaluate(traces))
        send(environment, traces, f"r{number}-")
        whole = ground.seconds(route)
        pairs.append((bare / whole, bare, whole))
    ratio, bare, whole = sorted(pairs)[1]
    print(f"{count} outputs of 4 KB: bare {count / bare:.0f}/s, routed {count / whole:.0f}/s")
    ground.conclude("route", ratio, TARGET)


def fill(count: int):  # type: ignore[no-untyped-def]
    from core import clock
    from core.access import SYSTEM
    from core.projects import create_project
    from routing.spans import TraceIn

    project = create_project(slug="bench", name="Bench", actor=SYSTEM)
    documents = [{"id": "d1", "title": "Limits", "text": TEXT[:2000]}]
    traces = [
        TraceIn(
            trace_id=str(number),
            started_at=clock.now(),
            messages=[{"role": "user", "content": f"What is my limit? ({number})"}],
            output=TEXT[:4096],
            documents=documents,
            complete=True,
        )
        for number in range(count)
    ]
    return project.environment_set.get(), traces


def send(environment, traces, prefix: str) -> None:  # type: ignore[no-untyped-def]
    from dataclasses import replace

    from core.access import SYSTEM
    from routing.ingest import ingest

    named = [replace(trace, trace_id=prefix + trace.trace_id) for trace in traces]
    for start in range(0, len(named), 500):
        ingest(named[start : start + 500], environment=environment, actor=SYSTEM)


def evaluate(traces) -> None:  # type: ignore[no-untyped-def]
    from registry.evaluators import Subject, deterministic

    subjects = [
        Subject(messages=trace.messages, output=trace.output, documents=trace.documents)
        for trace in traces
    ]
    for evaluator in deterministic():
        evaluator.evaluate(subjects)


def route() -> None:
    from routing.decide import decide_due
    from routing.scoring import score_due

    while score_due():
        pass
    while decide_due():
        pass


if __name__ == "__main__":
    main()
