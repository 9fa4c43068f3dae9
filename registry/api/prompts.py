"""Prompts for applications: what is served, to whom, under which release."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.utils.http import parse_etags
from rest_framework import serializers, status
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.access import Verb, require
from core.models import ApiKey
from registry.models import Prompt, PromptVersion, Release
from registry.prompts import blocks_of, messages_of, variables
from registry.serving import Resolved, serving

ASK_AGAIN: Final = "private, no-cache"
NEVER_CHANGES: Final = "private, max-age=31536000, immutable"


class QuerySerializer(serializers.Serializer[dict[str, Any]]):
    """`key` is who is answered (a user, a conversation); `version` pins a number."""

    key = serializers.CharField(required=False, default="", allow_blank=True, max_length=200)
    version = serializers.IntegerField(required=False, default=None, min_value=1)


class PromptView(APIView):
    """GET /api/v1/prompts/{slug}?key=&version=: the version that this key gets, with an ETag."""

    def get(self, request: Request, slug: str) -> Response:
        key, prompt = _asked(request, slug)
        query = QuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        number = query.validated_data["version"]
        if number is not None:
            return _answer(request, _pinned(prompt, number), NEVER_CHANGES)
        found = serving(prompt, key.environment)
        if found is None:
            raise _nothing_live(prompt, key)
        resolved = found.resolve(query.validated_data["key"])
        return _answer(request, _resolved(prompt, resolved), ASK_AGAIN)


class PlanView(APIView):
    """GET /api/v1/prompts/{slug}/plan: live and canary with share and salt, so that a client can
    draw every key by itself and asks only whether something has changed."""

    def get(self, request: Request, slug: str) -> Response:
        key, prompt = _asked(request, slug)
        found = serving(prompt, key.environment)
        if found is None:
            raise _nothing_live(prompt, key)
        body = {
            "name": prompt.slug,
            "live": _released(found.live),
            "canary": _released(found.canary) if found.canary else None,
        }
        return _answer(request, body, ASK_AGAIN)


def _asked(request: Request, slug: str) -> tuple[ApiKey, Prompt]:
    asker: object = request.user
    if not isinstance(asker, ApiKey):
        raise ValidationError({"key": "Send an API key: it says which environment is meant."})
    require(asker, Verb.READ_PROMPTS, project=asker.project)
    if "environment" in request.query_params:
        raise ValidationError({"environment": "The API key says which one: leave this out."})
    prompt = Prompt.objects.visible_to(asker).filter(slug=slug).first()
    if prompt is None:
        raise NotFound(f"There is no prompt {slug!r}.")
    return asker, prompt


def _nothing_live(prompt: Prompt, key: ApiKey) -> NotFound:
    return NotFound(f"Nothing of {prompt.slug!r} is live in {key.environment}.")


def _pinned(prompt: Prompt, number: int) -> dict[str, Any]:
    version = PromptVersion.objects.filter(prompt=prompt, number=number).first()
    if version is None:
        raise NotFound(f"{prompt.slug!r} has no version {number}.")
    return {"name": prompt.slug, **_version(version), "release": None, "arm": "", "bucket": None}


def _resolved(prompt: Prompt, resolved: Resolved) -> dict[str, Any]:
    return {
        "name": prompt.slug,
        **_version(resolved.version),
        "release": resolved.release.pk,
        "arm": resolved.arm,
        "bucket": resolved.bucket,
    }


def _released(release: Release) -> dict[str, Any]:
    return {
        **_version(release.version),
        "release": release.pk,
        "share": release.share,
        "salt": release.salt,
    }


def _version(version: PromptVersion) -> dict[str, Any]:
    return {
        "version": version.number,
        "digest": version.digest,
        "model": version.model,
        "params": version.params,
        "variables": sorted(variables(blocks_of(version))),
        "blocks": version.blocks,
        "messages": messages_of(version),
    }


def _answer(request: Request, body: dict[str, Any], caching: str) -> Response:
    """200, or 304 without a body where the client has this already."""
    text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    tag = f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": caching, "Vary": "Authorization, X-API-Key, Api-Key"}
    known = parse_etags(request.headers.get("If-None-Match", ""))
    # A proxy that compresses makes a tag weak; the content is the same.
    if any(each == "*" or each.removeprefix("W/") == tag for each in known):
        return Response(status=status.HTTP_304_NOT_MODIFIED, headers=headers)
    return Response(body, headers=headers)
