"""What the pages of this floor ask for. Forms check shape; rooms check meaning and write."""

from __future__ import annotations

import json
import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.forms.fields import InvalidJSONInput

from core.models import Environment
from registry.prompts import KEY, ROLES, Block

FIELDS = ("key", "role", "title", "text", "locked")
# Each is drawn as a form: a number that somebody posts must not keep a worker busy for long.
MOST_BLOCKS = 100
LONG_NUMBER = re.compile(r"\d{4300}")
WHY = "It is kept in the record, beside your name."


def explain(form: forms.Form, error: ValidationError) -> None:
    """A room's refusal at the fields that it names; what has no field here stands above them."""
    named = error.message_dict if hasattr(error, "error_dict") else {"": error.messages}
    for name, sentences in named.items():
        for sentence in sentences:
            form.add_error(name if name in form.fields else None, sentence)


class ReasonForm(forms.Form):
    """Why something is done."""

    reason = forms.CharField(
        max_length=2000, widget=forms.Textarea(attrs={"rows": 3}), help_text=WHY
    )


class ApprovalForm(forms.Form):
    """A reason, which the room demands where the gate has not passed."""

    reason = forms.CharField(
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Needed where the gate has not passed: say why it may go out all the same.",
    )


class LiveForm(ReasonForm):
    """Where a version goes live."""

    environment = forms.ModelChoiceField(Environment.objects.none(), empty_label=None)
    field_order = ("environment", "share", "reason")

    def __init__(self, *args: Any, environments: QuerySet[Environment], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["environment"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = environments


class CanaryForm(LiveForm):
    """Where, and for how many, a version is tried."""

    share = forms.IntegerField(
        min_value=1,
        max_value=99,
        initial=10,
        label="Share of users, in percent",
        help_text="Each user or conversation stays in its arm for as long as the canary runs.",
    )


class BlockForm(forms.Form):
    """A block of a prompt. Left blank altogether it is no block."""

    key = forms.RegexField(
        KEY,
        max_length=80,
        help_text="Small letters, digits, - and _",
        error_messages={
            "invalid": "Begin with a small letter; then small letters, digits, - or _."
        },
    )
    role = forms.ChoiceField(
        choices=[(role, role.capitalize()) for role in ROLES], initial=ROLES[0]
    )
    title = forms.CharField(max_length=120)
    text = forms.CharField(
        strip=False,
        required=False,
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false"}),
    )
    locked = forms.BooleanField(required=False, label="Locked: the optimizer may not change it")

    def clean_text(self) -> str:
        # Browsers send CR LF; kept, it would make every block look changed.
        return str(self.cleaned_data["text"]).replace("\r\n", "\n")


class BaseBlocks(forms.BaseFormSet):  # type: ignore[type-arg]
    """The blocks of a prompt, in the order of their places."""

    def add_fields(self, form: forms.Form, index: int | None) -> None:
        super().add_fields(form, index)
        form.fields["DELETE"].label = "Leave this block out"
        form.fields["ORDER"].label = "Place"

    def clean(self) -> None:
        seen: set[str] = set()
        for form in self.forms:
            key = form.cleaned_data.get("key") if form.is_valid() else None
            if not key or form.cleaned_data.get("DELETE"):
                continue
            if key in seen:
                form.add_error("key", "Another block has this key.")
            seen.add(key)

    @property
    def blocks(self) -> list[Block]:
        """Those filled in and not left out, in order; for a valid set only."""
        return [
            Block(**{name: form.cleaned_data[name] for name in FIELDS})
            for form in self.ordered_forms
        ]


Blocks = forms.formset_factory(
    BlockForm,
    formset=BaseBlocks,
    extra=0,
    can_order=True,
    can_delete=True,
    max_num=MOST_BLOCKS,
    absolute_max=MOST_BLOCKS,
    validate_max=True,
)


class JsonField(forms.JSONField):
    """JSON that PostgreSQL can hold. Django's own field falls over what is nested too deeply, over
    numbers of thousands of digits, and over halves of surrogate pairs."""

    def to_python(self, value: Any) -> Any:
        return super().to_python(_readable(value))

    def bound_data(self, data: Any, initial: Any) -> Any:
        try:
            return super().bound_data(_readable(data), initial)
        except ValidationError:
            return InvalidJSONInput(data)


def _readable(text: Any) -> Any:
    """`text`, or a ValidationError where it is JSON that cannot be kept."""
    if not isinstance(text, str):
        return text
    try:
        value = json.loads(text)
        written = json.dumps(value, allow_nan=False, ensure_ascii=False)
        written.encode()
    except json.JSONDecodeError:
        return text
    except RecursionError as error:
        raise ValidationError("This is nested too deeply.") from error
    except UnicodeEncodeError as error:
        raise ValidationError("Half of a surrogate pair is no character.") from error
    except ValueError as error:
        if LONG_NUMBER.search(text):
            raise ValidationError("A number has too many digits.") from error
        raise ValidationError("NaN and Infinity are not JSON.") from error
    if "\\u0000" in written:
        raise ValidationError("Null characters are not allowed.")
    return text


class VersionForm(forms.Form):
    """What a version has besides its blocks."""

    model = forms.CharField(max_length=120, required=False)
    params = JsonField(
        required=False,
        label="Parameters",
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
        help_text='JSON, such as {"temperature": 0.2}',
    )
    note = forms.CharField(
        max_length=2000,
        required=False,
        label="What changed, and why",
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def clean_params(self) -> dict[str, Any]:
        value = self.cleaned_data["params"]
        if value in (None, ""):
            return {}
        if not isinstance(value, dict):
            raise ValidationError("Write an object, in braces.")
        return value
