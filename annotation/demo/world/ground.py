"""What stands before the first trace: project, people, rubric, prompts, policy and promises."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from annotation.demo.texts.prompts import PROMPTS
from annotation.demo.world.cast import ADMIN, ENGINEER, LEAD, Cast, gather
from annotation.demo.world.plan import FULL, QUICK, ZONE, Plan, Scale
from core import clock
from core.access import SYSTEM
from core.keys import create_key
from core.models import ApiKey, Environment, Project
from core.projects import create_project
from registry import prompts, release, rubrics
from registry.models import Prompt, PromptVersion, Release, RubricVersion
from routing import policy, retention, reviewers, sla
from routing.models import Calendar, Reviewer, RiskPolicy
from routing.models.decision import Tier

SLUG: Final = "meridale"
SUPPORT: Final = "support-answer"
COMPLAINT: Final = "complaint-summary"
APPLICATION: Final = "assistant in production"
DESK: Final = "Review desk"
TITLES: Final = {
    "role": "Who answers",
    "instructions": "Instructions",
    "guardrails": "Guardrails",
    "question": "Documents and question",
}
# Minutes of the desk's time.
PROMISES: Final = {Tier.HIGH: 360, Tier.MEDIUM: 2400, Tier.LOW: 3300}
OPENING: Final = {
    **{str(day): [["07:00", "22:00"]] for day in range(5)},
    "5": [["08:00", "20:00"]],
    "6": [["10:00", "18:00"]],
}


@dataclass(frozen=True)
class World:
    """Where everything happens, and by which plan."""

    plan: Plan
    project: Project
    environment: Environment
    cast: Cast
    rubric: RubricVersion
    prompts: Mapping[str, Prompt]
    key: ApiKey
    desk: sla.Hours


def find() -> Project | None:
    """The project of the demo, if it has been begun."""
    found: Project | None = Project.objects.filter(slug=SLUG).first()
    return found


def plan_of(scale: Scale) -> Plan:
    """The plan of the world that was begun, whatever its size; else of one that ends now."""
    if project := find():
        begun: datetime = project.created_at
        return Plan(QUICK if project.name == QUICK.name else FULL, begun)
    return Plan(scale, clock.now() - timedelta(days=scale.days))


def lay(plan: Plan) -> World:
    """The ground, at the moment of the start; what a stopped run has made is found again."""
    with clock.at(plan.start):
        retention.make_partitions()
        project = find() or create_project(slug=SLUG, name=plan.scale.name, actor=SYSTEM)
        environment = Environment.objects.get(project=project, name="production")
        cast = gather(project)
        _enrol(project, cast)
        rubric = _rubric(project, cast)
        found = {slug: _prompt(slug, project, environment, cast) for slug in PROMPTS}
        desk = _promise(project, plan, cast)
        _policy(project, cast)
        return World(plan, project, environment, cast, rubric, found, _key(environment, cast), desk)


def _enrol(project: Project, cast: Cast) -> None:
    if not Reviewer.objects.filter(project=project).exists():
        people = [*cast.reviewers, cast[LEAD]]
        reviewers.enrol(project=project, users=people, actor=cast[LEAD])


def _rubric(project: Project, cast: Cast) -> RubricVersion:
    return rubrics.current(project) or rubrics.create_rubric(
        project=project, slug="answers", name="What can be wrong with an answer",
        modes=rubrics.STARTER, note="The rubric to begin with, unchanged.", actor=cast[LEAD],
    )  # fmt: skip


NAMES: Final = {SUPPORT: "Support answer", COMPLAINT: "Complaint summary"}
PURPOSES: Final = {
    SUPPORT: "Answers customers' questions in the app from the bank's documents.",
    COMPLAINT: "Summarises letters of complaint for the people who handle them.",
}


def _prompt(slug: str, project: Project, environment: Environment, cast: Cast) -> Prompt:
    engineer = cast[ENGINEER]
    version = PromptVersion.objects.filter(prompt__project=project, prompt__slug=slug).first()
    version = version or prompts.create_prompt(
        project=project, slug=slug, name=NAMES[slug], description=PURPOSES[slug],
        blocks=[prompts.Block(b.key, b.role, TITLES[b.key], b.text, b.locked)
                for b in PROMPTS[slug]],
        model="simulated-1", params={"temperature": 0}, task=slug, actor=engineer,
    )  # fmt: skip
    if not Release.objects.filter(prompt=version.prompt_id, environment=environment).exists():
        release.go_live(
            version=version, environment=environment, actor=engineer,
            reason="The prompt that the pilot ended with.",
        )  # fmt: skip
    return version.prompt


def _promise(project: Project, plan: Plan, cast: Cast) -> sla.Hours:
    """The desk's calendar, with a holiday in the second week, and a promise for each tier."""
    admin = cast[ADMIN]
    calendar = Calendar.objects.filter(project=project, name=DESK).first()
    calendar = calendar or sla.create_calendar(
        project=project, name=DESK, time_zone=str(ZONE), hours=OPENING,
        holidays=[_holiday(plan).isoformat()], actor=admin,
    )  # fmt: skip
    with_target = set(calendar.slapolicy_set.filter(ended_at=None).values_list("tier", flat=True))
    for tier, minutes in PROMISES.items():
        if tier not in with_target:
            sla.set_target(
                project=project, tier=tier, minutes=minutes, calendar=calendar, goal=0.95,
                actor=admin,
            )  # fmt: skip
    return sla.hours_of(calendar)


def _holiday(plan: Plan) -> date:
    """The bank's Founders' Day: a Monday, or the day after the tenth in a shorter world."""
    day = plan.day(10).astimezone(ZONE).date()
    return day + timedelta(days=(7 - day.weekday()) % 7 if plan.scale.days > 14 else 1)


def _policy(project: Project, cast: Cast) -> None:
    if RiskPolicy.objects.filter(project=project).exists():
        return
    engineer = cast[ENGINEER]
    rules = policy.DEFAULT_RULES.model_copy(
        update={"opinions": {"low": 1, "medium": 1, "high": 2}, "audit_share": 0.12}
    )
    draft = policy.create_policy(
        project=project, rules=rules.model_dump(), actor=engineer,
        note="To begin with: two opinions where the risk is high.",
    )  # fmt: skip
    policy.publish_policy(policy=draft, actor=engineer)


def _key(environment: Environment, cast: Cast) -> ApiKey:
    """The application's key. Nobody needs its text: the application of the demo lives here."""
    found: ApiKey | None = ApiKey.objects.filter(environment=environment, name=APPLICATION).first()
    return found or create_key(
        environment=environment, name=APPLICATION, scopes=["ingest", "prompts"],
        actor=cast[ADMIN],
    ).key  # fmt: skip
