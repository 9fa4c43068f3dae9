"""The annotators of a file as people of the project: pseudonyms who cannot sign in."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from typing import Final

from core.access import SYSTEM, Role
from core.models import Membership, Project, User
from core.projects import add_member
from routing import reviewers
from routing.models import Reviewer

# RFC 2606 keeps `.invalid` for names that can never exist: nobody will ever get mail here.
DOMAIN: Final = "replay.invalid"
LONGEST_LOCAL_PART: Final = 64
_UNFIT: Final = re.compile(r"[^a-z0-9_-]+")


def address_of(annotator: str, dataset: str) -> str:
    """One address for a pseudonym of a dataset; a digest keeps apart what our alphabet merges."""
    plain = f"{_UNFIT.sub('-', annotator.lower())}.{_UNFIT.sub('-', dataset.lower())}"
    if f"{annotator}.{dataset}" == plain and len(plain) <= LONGEST_LOCAL_PART:
        return f"{plain}@{DOMAIN}"
    digest = hashlib.blake2b(f"{annotator}\0{dataset}".encode(), digest_size=5).hexdigest()
    return f"{plain[: LONGEST_LOCAL_PART - 11]}-{digest}@{DOMAIN}"


def gather(project: Project, dataset: str, annotators: Iterable[str]) -> dict[str, User]:
    """Each annotator's user, a reviewer of the project; those that are wanting are made."""
    wanted = {address_of(name, dataset): name for name in sorted(annotators)}
    users = {user.email: user for user in User.objects.filter(email__in=wanted)}
    for address, name in wanted.items():
        if address not in users:
            users[address] = User.objects.create_user(address, name=name[:120])
    _seat(project, list(users.values()))
    return {name: users[address] for address, name in wanted.items()}


def _seat(project: Project, users: list[User]) -> None:
    members = set(Membership.objects.filter(project=project).values_list("user_id", flat=True))
    for user in users:
        if user.pk not in members:
            add_member(project=project, user=user, role=Role.REVIEWER, actor=SYSTEM)
    enrolled = set(Reviewer.objects.filter(project=project).values_list("user_id", flat=True))
    if fresh := [user for user in users if user.pk not in enrolled]:
        reviewers.enrol(project=project, users=fresh, actor=SYSTEM)
