"""Approvals: a second pair of eyes, with the gate's verdict beside them."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied, ValidationError

from core import clock
from core.access import Verb, require
from core.audit import record
from core.db import IllegalTransition, command
from core.models import User
from registry.models import Approval, GateRun, Prompt, PromptVersion
from registry.models.gate import GateState
from registry.verbs import RegistryVerb


@command
def approve(*, version: PromptVersion, reason: str, actor: User) -> Approval:
    """`actor`'s word that `version` may be released; never the author's own.

    Where the latest finished gate run has not passed, the approval breaks the glass: it needs a
    reason, and the record says what state the gate was in.
    """
    project = version.prompt.project
    require(actor, Verb.RELEASE, project=project)
    if version.created_by_id == actor.pk:
        raise PermissionDenied("You wrote this version; somebody else has to approve it.")
    Prompt.objects.select_for_update(no_key=True).get(pk=version.prompt_id)
    if Approval.objects.filter(version=version, approved_by=actor).exists():
        raise IllegalTransition(f"You have approved {version} already.")
    gate = _latest_gate(version)
    passed = gate is not None and gate.state == GateState.PASSED
    if not passed and not reason.strip():
        raise ValidationError({"reason": "The gate has not passed: say why it may go out anyway."})
    approval = Approval.objects.create(
        version=version, gate_run=gate, approved_by=actor, reason=reason, at=clock.now()
    )
    after = {
        "gate": gate.state if gate else "no gate run",
        "break_glass": not passed,
        "reason": reason,
    }
    record(RegistryVerb.VERSION_APPROVED, version, actor=actor, project=project, after=after)
    return approval


def has_approval(version: PromptVersion) -> bool:
    """Whether anybody has approved it."""
    return Approval.objects.filter(version=version).exists()


def _latest_gate(version: PromptVersion) -> GateRun | None:
    runs = GateRun.objects.filter(candidate=version, finished_at__isnull=False)
    return runs.order_by("-finished_at", "-pk").first()
