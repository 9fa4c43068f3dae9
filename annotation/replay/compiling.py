"""The whole report of a replay."""

from __future__ import annotations

from annotation.replay import counting, learning, omissions, truth
from annotation.replay.reader import Reading
from annotation.replay.report import Report, Source
from annotation.replay.world import World
from registry import rubrics


def compile_report(reading: Reading, world: World, traces: dict[str, int]) -> Report:
    """`traces` are the primary keys of the lines' traces, by trace id."""
    scope = counting.Scope(world, {traces[line.trace_id]: line for line in reading.lines})
    yardstick = yardstick_of(world)
    routed, judged = counting.route(scope), counting.judge(scope)
    learned = learning.learn(scope)
    return Report(
        source=_source(reading),
        project=world.project.slug,
        routed=routed,
        escape=counting.hold_back(scope, yardstick),
        audit=counting.take_audit(scope, yardstick),
        judged=judged,
        agreement=counting.agree(scope),
        pareto=counting.rank(scope),
        learned=learned,
        causes=counting.default(scope),
        not_taken=omissions.omitted(scope, routed, judged, learned),
    )


def yardstick_of(world: World) -> truth.Yardstick:
    """What counts as a defect in the project."""
    modes = rubrics.modes_of(world.rubric)
    defaults = {code: mode.default_severity for code, mode in modes.items()}
    return truth.Yardstick(world.project.defect_floor, defaults)


def _source(reading: Reading) -> Source:
    said = [each for line in reading.lines for each in line.annotations]
    return Source(
        file=reading.path.name,
        dataset=reading.dataset,
        read=reading.read,
        kept=len(reading.lines),
        broken=len(reading.faults),
        faults=tuple(str(fault) for fault in reading.faults),
        annotators=len({each.annotator for each in said}),
        annotations=len(said),
    )
