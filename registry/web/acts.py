"""Things to do on a page that need a word of reason: a dialog, or without script a part of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.forms import Form


@dataclass(frozen=True, slots=True)
class Act:
    """`key` names the dialog and the `?act=` that opens it in the page; `form` asks for why."""

    key: str
    title: str
    text: str
    button: str
    url: str
    form: Form
    icon: str = "check"
    tone: str = ""
    shortcut: str = ""

    @property
    def style(self) -> str:
        """Class of the button that opens it."""
        return {"primary": "button--primary", "danger": "button--danger"}.get(self.tone, "")

    @property
    def submit(self) -> str:
        """Class of the button that does it."""
        return "button--danger-solid" if self.tone == "danger" else "button--primary"


def split(acts: Sequence[Act], opened: str, bound: Form | None = None) -> dict[str, object]:
    """For the template: all `acts`, and the one that stands open in the page.

    `bound` is the form of that one as it was sent, with its errors.
    """
    shown = [
        replace(act, form=bound) if bound is not None and act.key == opened else act for act in acts
    ]
    return {"acts": shown, "opened": next((act for act in shown if act.key == opened), None)}
