"""The doors of this floor: pages under a project, and the API."""

from __future__ import annotations

from django.urls import URLPattern, path

from registry.api import prompts
from registry.web import editor, evidence, releases, requests, versions
from registry.web import prompts as pages

PROMPT = "prompts/<slug:prompt>/"
VERSION = "prompts/<slug:prompt>/<int:number>/"
RELEASE = "releases/<int:release>/"

web_urls: list[URLPattern] = [
    path("prompts/", pages.prompt_list, name="prompt_list"),
    path(PROMPT, pages.prompt, name="prompt"),
    path(f"{PROMPT}compare/", pages.compare, name="compare"),
    path(f"{PROMPT}edit/", editor.new_version, name="new_version"),
    path(VERSION, versions.version, name="version"),
    path(f"{VERSION}approve/", versions.approve, name="approve"),
    path(f"{VERSION}canary/", versions.start_canary, name="start_canary"),
    path(f"{VERSION}gate/", requests.run_gate, name="run_gate"),
    path(f"{VERSION}go-live/", versions.go_live, name="go_live"),
    path("releases/", releases.releases, name="releases"),
    path(RELEASE, releases.release, name="release"),
    path(f"{RELEASE}promote/", releases.promote, name="promote"),
    path(f"{RELEASE}roll-back/", releases.roll_back, name="roll_back"),
    path("evidence/", evidence.evidence, name="evidence"),
    path("evidence/<int:finding>/improve/", requests.improve, name="improve"),
    path("evidence/<int:finding>/dismiss/", evidence.dismiss, name="dismiss"),
]
api_urls: list[URLPattern] = [
    path("prompts/<slug:slug>", prompts.PromptView.as_view(), name="api_prompt"),
    path("prompts/<slug:slug>/plan", prompts.PlanView.as_view(), name="api_prompt_plan"),
]
