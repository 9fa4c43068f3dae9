"""What the pages of this floor ask for."""

from __future__ import annotations

from django import forms


class GrantForm(forms.Form):
    """Why outputs may pass without a person, or may not any more."""

    reason = forms.CharField(
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="It is kept in the record, beside your name.",
    )
