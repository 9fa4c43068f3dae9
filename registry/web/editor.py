"""Writing the next version of a prompt."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from core.access import Verb
from core.web import HtmxRequest
from registry import prompts
from registry.models import PromptVersion
from registry.web.forms import MOST_BLOCKS, BaseBlocks, Blocks, VersionForm, explain
from registry.web.rows import prompt_for


@require_http_methods(["GET", "POST"])
@login_required
def new_version(request: HtmxRequest, slug: str, prompt: str) -> HttpResponse:
    """The form begins with the latest version, or with the one that `?from=` names."""
    found = prompt_for(request, slug, prompt, Verb.EDIT_PROMPT)
    base = _base(request, PromptVersion.objects.filter(prompt=found))
    if request.method == "GET":
        blocks, form = _blocks(base), VersionForm(initial=_settings(base))
        return _page(request, base, blocks, form)
    form = VersionForm(request.POST, initial=_settings(base))
    if "add" in request.POST:
        return _page(request, base, _blocks(base, _with_another(request.POST)), form)
    blocks = _blocks(base, request.POST)
    if form.is_valid() and blocks.is_valid():
        try:
            version = _store(request, base, blocks, form.cleaned_data)
        except ValidationError as error:
            explain(form, error)
        else:
            messages.success(request, f"Version {version.number} is saved. It is not served yet.")
            return redirect("version", slug, found.slug, version.number)
    return _page(request, base, blocks, form, status=422)


def _base(request: HtmxRequest, versions: QuerySet[PromptVersion]) -> PromptVersion:
    wanted = request.POST.get("from") or request.GET.get("from", "")
    rows = versions.select_related("prompt__project").order_by("-number")
    if wanted.isdecimal() and len(wanted) < 8:
        return get_object_or_404(rows, number=int(wanted))
    return get_object_or_404(rows[:1])


def _blocks(base: PromptVersion, data: QueryDict | None = None) -> BaseBlocks:
    return cast("BaseBlocks", Blocks(data, initial=base.blocks, prefix="block"))


def _settings(base: PromptVersion) -> dict[str, Any]:
    return {"model": base.model, "params": base.params}


def _with_another(data: QueryDict) -> QueryDict:
    """What was typed, and a blank block after it."""
    more = data.copy()
    total = data.get("block-TOTAL_FORMS", "")
    known = total.isdecimal() and len(total) < 4
    more["block-TOTAL_FORMS"] = str(min(int(total) + 1, MOST_BLOCKS) if known else 1)
    return more


def _store(
    request: HtmxRequest, base: PromptVersion, blocks: BaseBlocks, settings: dict[str, Any]
) -> PromptVersion:
    return prompts.add_version(
        prompt=base.prompt,
        blocks=blocks.blocks,
        model=settings["model"],
        params=settings["params"],
        note=settings["note"],
        parent=base,
        actor=request.user,
    )


def _page(
    request: HtmxRequest,
    base: PromptVersion,
    blocks: BaseBlocks,
    form: VersionForm,
    status: int = 200,
) -> HttpResponse:
    context = {"prompt": base.prompt, "base": base, "blocks": blocks, "form": form}
    return render(request, "registry/new_version.html", context, status=status)
