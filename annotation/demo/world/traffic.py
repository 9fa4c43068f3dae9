"""What the bank's application sends: customers' questions, answered by what is served then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from hashlib import blake2b
from typing import Final

from annotation.demo import assistant, retrieval
from annotation.demo.simulator import MODEL, count_tokens
from annotation.demo.texts.questions import Question, questions, share
from annotation.demo.world.ground import COMPLAINT, SUPPORT, World
from registry import prompts
from registry.models.release import Arm
from registry.serving import Resolved, Serving, serving_many
from routing import ingest
from routing.spans import TraceIn

SEED: Final = 11
TRIES: Final = 400


class Traffic:
    """All that customers write in this world, in the order of its numbers."""

    def __init__(self, world: World) -> None:
        self.world = world

    @cached_property
    def pools(self) -> Mapping[str, Sequence[Question]]:
        """By prompt; longer than needed, so that each trace finds its own by its number."""
        count = self.world.plan.scale.traces
        return {slug: questions(count, SEED, prompt=slug) for slug in (SUPPORT, COMPLAINT)}

    def send(self, tick: int) -> int:
        """Ingest what arrives at a tick, as the application does; how many were new."""
        world = self.world
        found = serving_many([prompt.pk for prompt in world.prompts.values()], world.environment)
        served = {slug: found[prompt.pk] for slug, prompt in world.prompts.items()}
        batch = [self._trace(n, at, served) for n, at in world.plan.arrivals(tick)]
        taken = ingest.ingest(batch, environment=world.environment, actor=world.key)
        return len(taken.created)

    def _trace(self, number: int, at: datetime, served: Mapping[str, Serving]) -> TraceIn:
        scale = self.world.plan.scale
        slug = COMPLAINT if share("topic", str(number)) < scale.complaints else SUPPORT
        customer, resolved = draw(served[slug], number)
        return answered(self.pools[slug][number], number, at, customer, resolved)


def draw(served: Serving, number: int) -> tuple[str, Resolved]:
    """The customer who writes, and what is served to him or her.

    A canary's salt is secret and new each time; the arm of trace `number` is not, so that the
    same world has the same story: customers are tried until one lies in that arm.
    """
    wanted = ""
    if served.canary is not None:
        part = share("arm", str(number)) < served.canary.share
        wanted = Arm.CANARY if part else Arm.CONTROL
    for attempt in range(TRIES):
        customer = f"customer-{int(share('who', str(number), str(attempt)) * 90_000) + 10_000}"
        resolved = served.resolve(customer)
        if resolved.arm == wanted:
            break
    return customer, resolved


def answered(
    question: Question, number: int, at: datetime, customer: str, resolved: Resolved
) -> TraceIn:
    """The trace of one answer."""
    documents = retrieval.documents_for(question)
    variables = {"documents": retrieval.render(documents), "question": question.text}
    messages = prompts.compile(resolved.version, variables)
    output = _answer(messages)
    tokens = count_tokens(output)
    milliseconds = round(320 + 14 * tokens * (0.7 + 0.6 * share("speed", question.id)), 1)
    version = resolved.version
    return TraceIn(
        trace_id=trace_id(number), name=question.prompt, started_at=at,
        ended_at=at + timedelta(milliseconds=milliseconds),
        model=MODEL, provider="simulated", params=dict(version.params),
        messages=[dict(message) for message in messages], output=output,
        documents=[dict(document) for document in documents],
        prompt_name=question.prompt, prompt_version=str(version.number),
        variables=dict(variables), session=f"chat-{trace_id(number)[:10]}", user=customer,
        metadata={"whetstone.key": customer},
        task=question.prompt, language="en", tags=[question.topic],
        tokens_in=sum(count_tokens(message["content"]) for message in messages),
        tokens_out=tokens, latency_ms=milliseconds, complete=True,
    )  # fmt: skip


def trace_id(number: int) -> str:
    """32 hex digits, the same for the same number."""
    return blake2b(f"meridale:{number}".encode(), digest_size=16).hexdigest()


def _answer(messages: Sequence[Mapping[str, str]]) -> str:
    system = "\n\n".join(each["content"] for each in messages if each["role"] == "system")
    return assistant.answer(system, [each for each in messages if each["role"] != "system"])
