"""A queue with people at it, as the pages' tests begin."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.test import Client
from django.urls import reverse

from core.access import SYSTEM
from core.models import Environment, Project, User
from registry.models import RubricVersion
from routing import queue
from routing.models import Item, Slot
from routing.models.queue import SlotState
from tests import traces

# Words that only a machine says of an output; none may reach a blind eye.
SECRETS = (
    "<dt>Risk</dt>", "a person looks", "badge--tier", "SECRET-SCORE",
    "sent: judge",
)  # fmt: skip
STEPS = [
    {"kind": "LLM", "name": "chat", "input": "q", "output": "a", "span_id": "a" * 16},
    {"kind": "EVALUATOR", "name": "own judge", "output": "SECRET-SCORE 0.93", "span_id": "b" * 16},
]


@dataclass
class Desk:
    """The project, its environment and rubric; `items` wait."""

    project: Project
    environment: Environment
    rubric_version: RubricVersion
    items: list[Item] = field(default_factory=list)

    def fill(self, number: int = 1, **facts: Any) -> list[Item]:
        given = {**traces.RISKY, "steps": STEPS, "scores": {"judge": 0.97}, **facts}
        self.items = traces.queued(self.environment, number, **given)
        return self.items

    def url(self, name: str, *more: object) -> str:
        return reverse(name, args=[self.project.slug, *more])

    def ask_both(self, *people: User) -> Item:
        """One item that waits for each of the people."""
        [item] = self.fill(1)
        wish = queue.Wish(item.pk, people, only=True)
        queue.assign(project=self.project, wishes=[wish], actor=SYSTEM)
        return item

    def open(self, client: Client, person: User) -> Slot:
        """The person claims through the page and holds this."""
        client.force_login(person)
        answer = client.post(self.url("claim"))
        assert answer.status_code == 302
        assert "/review/" in answer["Location"], answer["Location"]
        return Slot.objects.get(holder=person, state=SlotState.LEASED)

    def open_for(self, person: User) -> Slot:
        """The same in a window of its own."""
        return self.open(Client(), person)

    def post(self, person: User, name: str, slot: Slot, data: dict[str, Any]) -> None:
        client = Client()
        client.force_login(person)
        assert client.post(self.url(name, slot.pk), data).status_code < 400

    def form(self, slot: Slot, verdict: str = "acceptable", **more: Any) -> dict[str, Any]:
        """What the page posts."""
        return {"token": slot.token, "verdict": verdict, "active_ms": "4200", **more}
