"""The doors of all floors, mounted."""

from __future__ import annotations

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import URLPattern, URLResolver, include, path

import annotation.urls
import registry.urls
import routing.urls
from annotation.web.entry import enter
from config.probes import healthz, metrics, readyz
from config.style_guide import style_guide

web_urls: list[URLPattern | URLResolver] = [
    *annotation.urls.web_urls,
    *routing.urls.web_urls,
    *registry.urls.web_urls,
]
api_urls: list[URLPattern | URLResolver] = [
    *registry.urls.api_urls,
    *routing.urls.api_urls,
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("", enter, name="enter"),
    path("p/<slug:slug>/", include(web_urls)),
    path("api/v1/", include(api_urls)),
    path("v1/", include(routing.urls.otlp_urls)),
    path(
        "sign-in/",
        LoginView.as_view(template_name="auth/login.html", redirect_authenticated_user=True),
        name="login",
    ),
    path("sign-out/", LogoutView.as_view(), name="logout"),
    path("admin/", admin.site.urls),
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("metrics", metrics, name="metrics"),
]

if settings.DEBUG:
    urlpatterns.append(path("style/", style_guide, name="style_guide"))

handler404 = "core.web.not_found"
