"""The doors of this floor: pages under a project, the API, and OTLP."""

from __future__ import annotations

from django.urls import URLPattern, path

from routing.api import otlp, traces
from routing.web import policy, sla_board

web_urls: list[URLPattern] = [
    path("sla/", sla_board.sla_board, name="sla_board"),
    path("policy/", policy.policy, name="policy"),
    path("policy/grant/", policy.grant, name="grant"),
    path("policy/grant/<int:grant>/revoke/", policy.revoke, name="revoke"),
]
api_urls: list[URLPattern] = [
    path("traces", traces.TracesView.as_view(), name="api_traces"),
    path(
        "traces/<str:trace_id>/decision", traces.DecisionView.as_view(), name="api_trace_decision"
    ),
]
otlp_urls: list[URLPattern] = [
    path("traces", otlp.receive_traces, name="otlp_traces"),
    path("logs", otlp.receive_logs, name="otlp_logs"),
    path("metrics", otlp.drop_metrics, name="otlp_metrics"),
]
