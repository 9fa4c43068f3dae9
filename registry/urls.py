"""The doors of this floor: pages under a project, and the API."""

from __future__ import annotations

from django.urls import URLPattern, path

from registry.api import prompts

web_urls: list[URLPattern] = []
api_urls: list[URLPattern] = [
    path("prompts/<slug:slug>", prompts.PromptView.as_view(), name="api_prompt"),
    path("prompts/<slug:slug>/plan", prompts.PlanView.as_view(), name="api_prompt_plan"),
]
