"""The people of the demo: nine who can sign in, five of them reviewers of different strengths."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from core.access import SYSTEM, Role
from core.models import Membership, Project, User
from core.projects import add_member

PASSWORD: Final = "meridale-demo"  # noqa: S105 - shown on purpose; refused outside DEBUG
DOMAIN: Final = "meridale.example"


@dataclass(frozen=True, slots=True)
class Temper:
    """How somebody judges. Shares of 0 to 1.

    keen       of the failures that are there he or she sees this part
    blind      modes of which only half is seen all the same
    knows      modes that are seen nearly always, with the right cause
    alarm      of the good outputs this part is called defective
    misnames   of the failures seen this part gets a neighbouring name
    shift      steps by which severities are off: +1 graver, -1 milder
    talks      how often a comment is written
    pace       outputs taken at a time; seconds, on average, for one
    """

    keen: float
    alarm: float
    misnames: float
    shift: int = 0
    blind: frozenset[str] = frozenset()
    knows: frozenset[str] = frozenset()
    talks: float = 0.3
    pace: int = 6
    seconds: int = 90


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who can sign in. `days` are weekdays (0 is Monday), `hours` local, at the desk."""

    key: str
    name: str
    role: Role
    says: str
    temper: Temper | None = None
    days: frozenset[int] = frozenset()
    hours: tuple[int, int] = (9, 17)

    @property
    def email(self) -> str:
        return f"{self.key}@{DOMAIN}"


_WEEK: Final = frozenset(range(5))
EXPERT: Final = Person(
    "priya", "Priya Raman", Role.REVIEWER, "reviewer, expert",
    Temper(
        keen=0.95, alarm=0.015, misnames=0.02, talks=0.6, pace=9, seconds=160,
        knows=frozenset(
            {"policy_violation", "privacy_leak", "under_refusal", "poor_retrieval",
             "contradicts_context"}
        ),
    ),
    frozenset({6, 0, 1, 2, 3}), (11, 20),
)  # fmt: skip
REVIEWERS: Final[tuple[Person, ...]] = (
    Person(
        "ines", "Ines Okafor", Role.REVIEWER, "reviewer, careful",
        Temper(keen=0.97, alarm=0.015, misnames=0.03, talks=0.5, pace=10, seconds=140),
        _WEEK, (7, 15),
    ),
    Person(
        "tom", "Tom Reuter", Role.REVIEWER, "reviewer, fast",
        Temper(keen=0.91, alarm=0.025, misnames=0.08, talks=0.08, pace=16, seconds=45),
        frozenset({1, 2, 3, 4, 5}), (12, 21),
    ),
    Person(
        "greta", "Greta Lind", Role.REVIEWER, "reviewer, harsh",
        Temper(keen=0.96, alarm=0.05, misnames=0.03, shift=1, talks=0.4, pace=12, seconds=95),
        frozenset({0, 2, 3, 4, 5}), (12, 20),
    ),
    Person(
        "samuel", "Samuel Adeyemi", Role.REVIEWER, "reviewer, lenient",
        Temper(
            keen=0.93, alarm=0.01, misnames=0.03, shift=-1, talks=0.2, pace=12, seconds=75,
            blind=frozenset({"tone"}),
        ),
        frozenset({6, 0, 1, 2, 3}), (7, 16),
    ),
    EXPERT,
)  # fmt: skip
LEAD: Final = Person(
    "lena", "Lena Marsh", Role.LEAD, "lead",
    Temper(keen=0.96, alarm=0.02, misnames=0.03, talks=0.6, pace=10, seconds=100),
    EXPERT.days, EXPERT.hours,
)  # fmt: skip
ENGINEER: Final = Person("emil", "Emil Novak", Role.ENGINEER, "engineer")
ADMIN: Final = Person("ruth", "Ruth Calder", Role.ADMIN, "admin")
VIEWER: Final = Person("victor", "Victor Hale", Role.VIEWER, "viewer")
EVERYBODY: Final[tuple[Person, ...]] = (LEAD, *REVIEWERS, ENGINEER, ADMIN, VIEWER)


@dataclass(frozen=True)
class Cast:
    """The people as users, by key."""

    users: Mapping[str, User] = field(default_factory=dict)

    def __getitem__(self, person: Person) -> User:
        return self.users[person.key]

    @property
    def reviewers(self) -> list[User]:
        return [self[person] for person in REVIEWERS]


def gather(project: Project) -> Cast:
    """Everybody with an account and a role; those that are wanting are made."""
    found = {
        user.email: user
        for user in User.objects.filter(email__in=[person.email for person in EVERYBODY])
    }
    for person in EVERYBODY:
        if person.email not in found:
            found[person.email] = User.objects.create_user(person.email, PASSWORD, name=person.name)
    users = {person.key: found[person.email] for person in EVERYBODY}
    seated = set(Membership.objects.filter(project=project).values_list("user_id", flat=True))
    for person in EVERYBODY:
        if users[person.key].pk not in seated:
            add_member(project=project, user=users[person.key], role=person.role, actor=SYSTEM)
    return Cast(users)
