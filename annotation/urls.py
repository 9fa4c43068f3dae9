"""The doors of this floor: pages under a project."""

from __future__ import annotations

from django.urls import URLPattern, path

from annotation.web import audit, calibration, home, queue, team, trace, traces, workbench

web_urls: list[URLPattern] = [
    path("", home.home, name="home"),
    path("queue/", queue.queue, name="queue"),
    path("queue/claim/", queue.claim, name="claim"),
    path("queue/enrol/", team.enrol, name="enrol"),
    path("queue/<int:reviewer>/pause/", team.pause_reviewer, name="pause_reviewer"),
    path("queue/<int:reviewer>/resume/", team.resume_reviewer, name="resume_reviewer"),
    path("review/<int:slot>/", workbench.workbench, name="workbench"),
    path("review/<int:slot>/submit/", workbench.submit, name="submit"),
    path("review/<int:slot>/hand-back/", workbench.hand_back, name="hand_back"),
    path("review/<int:slot>/draft/", workbench.draft, name="draft"),
    path("review/<int:slot>/heartbeat/", workbench.heartbeat, name="heartbeat"),
    path("traces/", traces.trace_list, name="trace_list"),
    path("traces/<int:trace>/", trace.trace, name="trace"),
    path("audit/", audit.audit, name="audit"),
    path("audit/export/", audit.export, name="audit_export"),
    path("calibration/", calibration.calibration_list, name="calibration_list"),
    path("calibration/<int:session>/", calibration.calibration, name="calibration"),
    path(
        "calibration/<int:session>/<int:item>/vote/",
        calibration.calibration_vote,
        name="calibration_vote",
    ),
    path(
        "calibration/<int:session>/<int:item>/rule/",
        calibration.calibration_rule,
        name="calibration_rule",
    ),
    path(
        "calibration/<int:session>/close/", calibration.calibration_close, name="calibration_close"
    ),
]
