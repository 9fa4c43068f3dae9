"""The doors of this floor: pages under a project, and the API."""

from __future__ import annotations

from django.urls import URLPattern

web_urls: list[URLPattern] = []
api_urls: list[URLPattern] = []
