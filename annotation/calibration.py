"""Calibration sessions: people judge the same outputs blind, talk, and the ruling is kept."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping, Sequence
from typing import Any, Final

from django.core.exceptions import ValidationError

from annotation import agreement
from annotation.models import CalibrationItem, CalibrationMember, CalibrationSession, Label
from annotation.models.calibration import SessionState
from annotation.models.label import Verdict
from annotation.verbs import AnnotationVerb
from core import clock
from core.access import MATRIX, Actor, Verb, require
from core.audit import record
from core.db import IllegalTransition, command, step
from core.models import Membership, Project, User
from registry import rubrics
from registry.models import RubricVersion
from routing.models import Trace

MOST_ITEMS: Final = 20
MOST_MEMBERS: Final = 12
RULINGS: Final = (Verdict.ACCEPTABLE, Verdict.DEFECTIVE, Verdict.CANNOT_JUDGE)


@command
def open_session(
    *,
    project: Project,
    title: str,
    goal: str,
    lead: User,
    members: Sequence[User],
    traces: Sequence[tuple[Trace, str]],
    actor: Actor,
) -> CalibrationSession:
    """A session that its members can vote in. Each trace comes with why it is on the agenda.

    Raises ValidationError naming the field: up to 12 members who may review in the project, up to
    20 of its traces, each once and with a reason.
    """
    require(actor, Verb.CALIBRATE, project=project)
    require(lead, Verb.CALIBRATE, project=project)
    _check_agenda(project, title, traces)
    _check_members(project, members)
    session = CalibrationSession.objects.create(
        project=project, title=title.strip(), goal=goal, lead=lead, opened_at=clock.now()
    )
    CalibrationMember.objects.bulk_create(
        CalibrationMember(session=session, user=user) for user in members
    )
    CalibrationItem.objects.bulk_create(
        CalibrationItem(session=session, trace=trace, position=place, why=why)
        for place, (trace, why) in enumerate(traces, start=1)
    )
    record(
        AnnotationVerb.CALIBRATION_OPENED, session, actor=actor, project=project,
        after={"members": [user.pk for user in members], "items": len(traces)},
    )  # fmt: skip
    return session


@command
def rule(
    *,
    item: CalibrationItem,
    verdict: str,
    modes: Sequence[str],
    reason: str,
    rubric_version: RubricVersion,
    actor: Actor,
) -> CalibrationItem:
    """The answer that holds, and why. From now on nobody can vote on the item.

    Raises ValidationError where verdict and modes do not fit the rubric or no reason is given,
    IllegalTransition where the item is ruled or the session finished.
    """
    session = _lock(item.session_id)
    require(actor, Verb.CALIBRATE, project=session.project)
    _check_ruling(verdict, modes, reason, rubric_version, session.project)
    found = CalibrationItem.objects.select_for_update().get(pk=item.pk)
    if found.ruling:
        raise IllegalTransition("The session has ruled on this item.")
    found.ruling, found.ruling_modes = verdict, list(modes)
    found.ruling_reason, found.ruled_at = reason.strip(), clock.now()
    found.save(update_fields=["ruling", "ruling_modes", "ruling_reason", "ruled_at"])
    record(
        AnnotationVerb.CALIBRATION_RULED, found, actor=actor, project=session.project,
        after={"verdict": verdict, "modes": list(modes)},
    )  # fmt: skip
    return found


@command
def close(
    *,
    session: CalibrationSession,
    actor: Actor,
    settings: agreement.Settings | None = None,
) -> dict[str, Any]:
    """Finish a session whose items are all ruled; its report, as it is kept from now on.

    The report is JSON: `items` (distribution of the blind votes, ruling, how many voted as ruled),
    `members` (votes, as ruled), `verdict` and `agreement` (annotation.agreement, intervals by item;
    no number below the minimum that `agreement.settings` states).
    """
    session = _lock(session.pk)
    require(actor, Verb.CALIBRATE, project=session.project)
    items = list(CalibrationItem.objects.filter(session=session).order_by("position"))
    if unruled := [str(item.position) for item in items if not item.ruling]:
        raise IllegalTransition(f"Rule first on item {', '.join(unruled)}.")
    report = _report(items, _votes(session), settings or agreement.Settings())
    session.report = report
    session.state, session.closed_at = SessionState.FINISHED, clock.now()
    session.save(update_fields=["report", "state", "closed_at"])
    record(
        AnnotationVerb.CALIBRATION_CLOSED, session, actor=actor, project=session.project,
        after={"items": len(items)},
    )  # fmt: skip
    return report


@step
def _lock(session_id: int) -> CalibrationSession:
    """The open session; votes, rulings and the end take turns on its row."""
    session = (
        CalibrationSession.objects.select_for_update(no_key=True, of=("self",))
        .select_related("project")
        .get(pk=session_id)
    )
    if session.state != SessionState.OPEN:
        raise IllegalTransition("This session is finished.")
    return session


def _check_agenda(project: Project, title: str, traces: Sequence[tuple[Trace, str]]) -> None:
    if not title.strip() or len(title) > 160:
        raise ValidationError({"title": "Give a title of 1 to 160 characters."})
    if not 1 <= len(traces) <= MOST_ITEMS:
        raise ValidationError({"traces": f"Choose 1 to {MOST_ITEMS} outputs."})
    if len({trace.pk for trace, _ in traces}) < len(traces):
        raise ValidationError({"traces": "Each output can be on the agenda once."})
    for trace, why in traces:
        if trace.project_id != project.pk:
            raise ValidationError({"traces": f"{trace} is not of {project}."})
        if not why.strip():
            raise ValidationError({"traces": f"Say why {trace} is on the agenda."})


def _check_members(project: Project, members: Sequence[User]) -> None:
    if not 1 <= len(members) <= MOST_MEMBERS:
        raise ValidationError({"members": f"Invite 1 to {MOST_MEMBERS} people."})
    if len({user.pk for user in members}) < len(members):
        raise ValidationError({"members": "Nobody can have two seats."})
    able = Membership.objects.filter(
        project=project, user__in=members, role__in=MATRIX[Verb.REVIEW]
    )
    known = set(able.values_list("user_id", flat=True))
    if strangers := [str(user) for user in members if user.pk not in known]:
        raise ValidationError({"members": f"May not review here: {', '.join(strangers)}."})


def _check_ruling(
    verdict: str, modes: Sequence[str], reason: str, version: RubricVersion, project: Project
) -> None:
    if verdict not in RULINGS:
        raise ValidationError({"verdict": f"Rule {', '.join(RULINGS)}, not {verdict!r}."})
    if version.rubric.project_id != project.pk:
        raise ValidationError({"rubric_version": f"This rubric is not of {project}."})
    findings = tuple(rubrics.Finding(mode) for mode in modes)
    rubrics.check(rubrics.Scorecard(verdict, findings), version)
    if not reason.strip():
        raise ValidationError({"reason": "Say why: the reason is what people learn from."})


def _votes(session: CalibrationSession) -> dict[int, dict[int, Label]]:
    """The blind votes by item and member, findings loaded."""
    found: dict[int, dict[int, Label]] = defaultdict(dict)
    given = Label.objects.current().filter(calibration_item__session=session)
    for label in given.prefetch_related("findings").order_by("pk"):
        assert label.calibration_item_id is not None
        found[label.calibration_item_id][label.annotator_id] = label
    return found


def _report(
    items: Sequence[CalibrationItem],
    votes: Mapping[int, Mapping[int, Label]],
    settings: agreement.Settings,
) -> dict[str, Any]:
    return {
        "items": [_item(item, votes.get(item.pk, {})) for item in items],
        "members": _members(items, votes),
        **_agreement(votes, settings),
    }


def _item(item: CalibrationItem, votes: Mapping[int, Label]) -> dict[str, Any]:
    verdicts = Counter(label.verdict for label in votes.values())
    modes = Counter(each.mode for label in votes.values() for each in label.findings.all())
    return {
        "item": item.pk, "trace": item.trace_id, "position": item.position, "why": item.why,
        "votes": dict(verdicts), "modes": dict(modes), "voters": len(votes),
        "ruling": item.ruling, "ruling_modes": item.ruling_modes,
        "ruling_reason": item.ruling_reason, "as_ruled": verdicts[item.ruling],
    }  # fmt: skip


def _members(
    items: Sequence[CalibrationItem], votes: Mapping[int, Mapping[int, Label]]
) -> list[dict[str, int]]:
    cast: Counter[int] = Counter()
    as_ruled: Counter[int] = Counter()
    for item in items:
        for user, label in votes.get(item.pk, {}).items():
            cast[user] += 1
            as_ruled[user] += label.verdict == item.ruling
    return [
        {"user": user, "votes": count, "as_ruled": as_ruled[user]}
        for user, count in sorted(cast.items())
    ]


def _agreement(
    votes: Mapping[int, Mapping[int, Label]], settings: agreement.Settings
) -> dict[str, Any]:
    """On the verdict where one is stated, and on the sets of modes of those who could judge."""
    verdicts: dict[Hashable, dict[Hashable, Hashable]] = {
        item: {user: label.verdict for user, label in given.items() if label.verdict in RULINGS}
        for item, given in votes.items()
    }
    sets: dict[Hashable, dict[Hashable, frozenset[str]]] = {
        item: {
            user: frozenset(each.mode for each in label.findings.all())
            for user, label in given.items()
            if label.verdict in {Verdict.ACCEPTABLE, Verdict.DEFECTIVE}
        }
        for item, given in votes.items()
    }
    verdict = agreement.assess_values("verdict", verdicts, order=RULINGS, settings=settings)
    report = agreement.assess(sets, settings=settings)
    return {"verdict": verdict.to_json(), "agreement": report.to_json()}
