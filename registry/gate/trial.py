"""A gate's experiment: both versions answer the same cases, one judge reads all the answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from core import llm
from registry import rubrics
from registry.evaluators import ModelJudge, Opinion, Subject
from registry.gate.conversation import Chat, Unanswerable, compose
from registry.gate.verdict import Outcome
from registry.models import GoldenCase, PromptVersion, RubricVersion

BATCH: Final = 25
ARMS: Final = ("baseline", "candidate")


@dataclass(slots=True)
class Answer:
    """What one version said to one case, and what the judge made of it; `error` says why not."""

    case: GoldenCase
    arm: str
    output: str = ""
    modes: tuple[str, ...] = ()
    error: str = ""
    unavailable: bool = False

    @property
    def passed(self) -> bool | None:
        return None if self.error else not self.modes


@dataclass(slots=True)
class Trial:
    """The answers of both arms, with the models that gave and judged them."""

    answers: list[Answer] = field(default_factory=list)
    task_models: set[str] = field(default_factory=set)
    judge_models: set[str] = field(default_factory=set)
    judge_version: str = ""

    @property
    def instruments(self) -> dict[str, Any]:
        """What measured, for the record."""
        return {
            "judge_version": self.judge_version,
            "models": {"task": sorted(self.task_models), "judge": sorted(self.judge_models)},
        }


@dataclass(frozen=True, slots=True)
class Arms:
    """The two versions that are compared."""

    baseline: PromptVersion
    candidate: PromptVersion

    def version(self, arm: str) -> PromptVersion:
        return self.baseline if arm == "baseline" else self.candidate

    @property
    def project_id(self) -> int:
        return self.candidate.prompt.project_id

    def compose(self, arm: str, case: GoldenCase) -> Chat:
        return compose(self.version(arm), case, (self.baseline, self.candidate))


def hold(
    arms: Arms,
    cases: Sequence[GoldenCase],
    *,
    rubric: RubricVersion,
    renew: Callable[[], None],
) -> Trial:
    """Run it, BATCH cases at a time; `renew` is called before each batch.

    Waits for models: never inside a command. A case that goes wrong keeps its error; a server
    that is down ends the trial at the first batch.
    """
    judge = ModelJudge([*rubrics.modes_of(rubric).values()], project_id=arms.project_id)
    trial = Trial(judge_version=judge.version)
    for batch in _batches(cases):
        renew()
        answers = [each for arm in ARMS for each in _ask(arms, arm, batch, trial)]
        _judge(judge, arms, answers, trial)
        trial.answers += answers
        if all(each.unavailable for each in answers):
            break
    return trial


def outcomes(trial: Trial) -> list[Outcome]:
    """The cases that both arms have answered and the judge has judged.

    Of each cluster the first case counts; the others, there because they must pass, do not.
    """
    found: list[Outcome] = []
    clusters: set[str] = set()
    for was, now in _pairs(trial):
        if was.error or now.error:
            continue
        case = was.case
        modes = frozenset(was.modes), frozenset(now.modes)
        found.append(Outcome(case.pk, case.must_pass, case.cluster not in clusters, *modes))
        clusters.add(case.cluster)
    return found


def left_out(trial: Trial) -> list[GoldenCase]:
    """The cases that gave no comparison."""
    return [was.case for was, now in _pairs(trial) if was.error or now.error]


def _pairs(trial: Trial) -> Iterator[tuple[Answer, Answer]]:
    arms = [[each for each in trial.answers if each.arm == arm] for arm in ARMS]
    return zip(*arms, strict=True)


def _batches(cases: Sequence[GoldenCase]) -> Iterator[Sequence[GoldenCase]]:
    return (cases[start : start + BATCH] for start in range(0, len(cases), BATCH))


def _ask(arms: Arms, arm: str, cases: Sequence[GoldenCase], trial: Trial) -> list[Answer]:
    answers = [Answer(case, arm) for case in cases]
    asked: list[tuple[Answer, Chat]] = []
    for answer in answers:
        try:
            asked.append((answer, arms.compose(arm, answer.case)))
        except Unanswerable as reason:
            answer.error = str(reason)
    replies = llm.complete_many(
        "task",
        [chat for _, chat in asked],
        project_id=arms.project_id,
        temperature=_temperature(arms.version(arm)),
    )
    for (answer, _), reply in zip(asked, replies, strict=True):
        _take(answer, reply, trial)
    return answers


def _take(answer: Answer, reply: llm.Reply | llm.LlmError, trial: Trial) -> None:
    if isinstance(reply, llm.LlmError):
        answer.error, answer.unavailable = f"task model: {reply}", _is_down(reply)
    else:
        answer.output = reply.text
        trial.task_models.add(reply.model)


def _judge(judge: ModelJudge, arms: Arms, answers: Sequence[Answer], trial: Trial) -> None:
    """Both arms in one pile, each with the same conversation, so that nothing tells them apart.

    The instructions beside it are the baseline's for both: they are today's yardstick. Two equal
    answers to a case are judged once, for a judge that wavers would tell them apart.
    """
    piles: dict[tuple[int, str], list[Answer]] = {}
    for answer in sorted(answers, key=lambda each: each.case.pk):
        if not answer.error:
            piles.setdefault((answer.case.pk, answer.output), []).append(answer)
    subjects = [_subject(arms, pile[0]) for pile in piles.values()]
    for pile, opinion in zip(piles.values(), judge.opinions(subjects), strict=True):
        for answer in pile:
            _weigh(answer, opinion, trial)


def _weigh(answer: Answer, opinion: Opinion | llm.LlmError, trial: Trial) -> None:
    if isinstance(opinion, llm.LlmError):
        answer.error, answer.unavailable = f"judge: {opinion}", _is_down(opinion)
    else:
        answer.modes = tuple(finding.mode for finding in opinion.scorecard.findings)
        trial.judge_models.add(opinion.model)


def _subject(arms: Arms, answer: Answer) -> Subject:
    case = answer.case
    return Subject(
        messages=arms.compose("baseline", case),
        output=answer.output,
        documents=case.documents,
        variables=case.variables,
        task=arms.baseline.prompt.task,
    )


def _is_down(error: llm.LlmError) -> bool:
    """Whether every other call would end the same way."""
    return isinstance(error, llm.Unavailable) or (
        isinstance(error, llm.Refused) and error.status in {401, 403, 404}
    )


def _temperature(version: PromptVersion) -> float:
    value = version.params.get("temperature", 0)
    return float(value) if isinstance(value, int | float) else 0.0
