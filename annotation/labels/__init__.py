"""Labels: what people said, and the drafts of what they are about to say."""

from __future__ import annotations

from annotation.labels.drafts import keep, save_draft
from annotation.labels.opinion import Opinion, Submission
from annotation.labels.submission import submit, supersede, vote

__all__ = ["Opinion", "Submission", "keep", "save_draft", "submit", "supersede", "vote"]
