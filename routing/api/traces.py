"""Traces over REST: send whole ones, and ask what was decided."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.shortcuts import get_object_or_404
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core import clock
from core.access import Verb, require
from core.models import ApiKey
from routing.ingest import MAX_COST, ingest
from routing.models import Decision, Item, Trace
from routing.otlp.values import MAX_COUNT, clean
from routing.spans import EARLIEST, LATEST, TraceIn

MOST = 500


class Role(serializers.ChoiceField):
    """Who speaks in a message."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=["system", "developer", "user", "assistant", "tool"], **kwargs)


class MessageSerializer(serializers.Serializer[dict[str, Any]]):
    role = Role()
    content = serializers.CharField(allow_blank=True, trim_whitespace=False, default="")
    name = serializers.CharField(required=False)
    tool_calls = serializers.ListField(child=serializers.DictField(), required=False)
    tool_call_id = serializers.CharField(required=False)


class DocumentSerializer(serializers.Serializer[dict[str, Any]]):
    id = serializers.CharField()
    title = serializers.CharField(required=False, allow_blank=True)
    text = serializers.CharField(required=False, allow_blank=True, trim_whitespace=False)
    url = serializers.CharField(required=False, allow_blank=True)
    score = serializers.FloatField(required=False, allow_null=True)


def check_moment(at: datetime) -> None:
    """Content is kept by month: a time that we are not prepared for is the fault of a clock."""
    if not EARLIEST <= at <= LATEST:
        raise serializers.ValidationError(f"From {EARLIEST:%Y} to {LATEST:%Y}, not {at:%Y}.")


class TraceSerializer(serializers.Serializer[dict[str, Any]]):
    """One whole trace as a client sends it."""

    trace_id = serializers.CharField(max_length=64)
    started_at = serializers.DateTimeField(
        required=False, default_timezone=UTC, validators=[check_moment]
    )
    ended_at = serializers.DateTimeField(
        required=False, allow_null=True, default_timezone=UTC, validators=[check_moment]
    )
    name = serializers.CharField(required=False, allow_blank=True, max_length=200)
    messages = MessageSerializer(many=True, required=False)
    output = serializers.CharField(allow_blank=True, trim_whitespace=False)
    documents = DocumentSerializer(many=True, required=False)
    steps = serializers.ListField(child=serializers.DictField(), required=False)
    prompt_name = serializers.CharField(required=False, allow_blank=True, max_length=80)
    prompt_version = serializers.CharField(required=False, allow_blank=True, max_length=40)
    variables = serializers.DictField(required=False)
    model = serializers.CharField(required=False, allow_blank=True, max_length=120)
    provider = serializers.CharField(required=False, allow_blank=True, max_length=120)
    params = serializers.DictField(required=False)
    session = serializers.CharField(required=False, allow_blank=True, max_length=200)
    user = serializers.CharField(required=False, allow_blank=True, max_length=200)
    task = serializers.CharField(required=False, allow_blank=True, max_length=60)
    language = serializers.CharField(required=False, allow_blank=True, max_length=16)
    tags = serializers.ListField(child=serializers.CharField(max_length=120), required=False)
    metadata = serializers.DictField(required=False)
    scores = serializers.DictField(required=False)
    tokens_in = serializers.IntegerField(
        required=False, allow_null=True, min_value=0, max_value=MAX_COUNT
    )
    tokens_out = serializers.IntegerField(
        required=False, allow_null=True, min_value=0, max_value=MAX_COUNT
    )
    cost_usd = serializers.FloatField(
        required=False, allow_null=True, min_value=0, max_value=MAX_COST
    )
    latency_ms = serializers.FloatField(required=False, allow_null=True, min_value=0)
    status = serializers.ChoiceField(choices=["ok", "error"], required=False)
    error = serializers.CharField(required=False, allow_blank=True)


class BatchSerializer(serializers.Serializer[dict[str, Any]]):
    """Up to 500 traces."""

    traces = TraceSerializer(many=True, allow_empty=False, max_length=MOST)  # type: ignore[call-arg]


def key_of(request: Request) -> ApiKey:
    """The key that asks. People have pages; what needs an environment needs a key."""
    asker: object = request.user
    if not isinstance(asker, ApiKey):
        raise ValidationError({"key": "Send an API key: it says which environment is meant."})
    return asker


class TracesView(APIView):
    """POST /api/v1/traces: one trace, or `{"traces": [...]}`."""

    def post(self, request: Request) -> Response:
        """202 with what was stored. Sent again, the same traces are counted as duplicates."""
        key = key_of(request)
        data = request.data if _is_batch(request.data) else {"traces": [request.data]}
        batch = BatchSerializer(data=data)
        batch.is_valid(raise_exception=True)
        traces = [_trace(item) for item in batch.validated_data["traces"]]
        found = ingest(traces, environment=key.environment, actor=key)
        body = {
            "created": [row.trace_id for row in found.created],
            "duplicates": found.duplicates,
        }
        return Response(body, status=status.HTTP_202_ACCEPTED)


def _is_batch(data: Any) -> bool:
    return isinstance(data, dict) and "traces" in data


def _trace(item: dict[str, Any]) -> TraceIn:
    facts = {name: value for name, value in item.items() if value is not None}
    facts.setdefault("started_at", clock.now())
    safe: dict[str, Any] = {
        name: value if isinstance(value, datetime) else clean(value)
        for name, value in facts.items()
    }
    known = {field.name for field in fields(TraceIn)}
    return TraceIn(**{name: safe[name] for name in safe if name in known}, complete=True)


class DecisionView(APIView):
    """GET /api/v1/traces/{trace_id}/decision: what was decided, as far as it is."""

    def get(self, request: Request, trace_id: str) -> Response:
        key = key_of(request)
        require(key, Verb.SEE_DECISIONS, project=key.project)
        trace = get_object_or_404(
            Trace.objects.visible_to(key).filter(environment=key.environment), trace_id=trace_id
        )
        decision = Decision.objects.filter(trace=trace).order_by("-sequence").first()
        return Response(_shown(trace, decision))


def _shown(trace: Trace, decision: Decision | None) -> dict[str, Any]:
    if decision is None:
        return {"trace_id": trace.trace_id, "state": "pending"}
    item = Item.objects.filter(decision=decision).first()
    return {
        "trace_id": trace.trace_id,
        "state": "decided",
        "tier": decision.tier,
        "action": decision.action,
        "risk": decision.risk,
        "reason": decision.reason,
        "policy_version": decision.policy.number,
        "sampling_probability": decision.probability,
        "decided_at": decision.at,
        "review": {"state": item.state, "due_at": item.due_at} if item else None,
    }
