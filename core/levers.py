"""The control surfaces: where a failure can be mended."""

from __future__ import annotations

from django.db.models import TextChoices


class Lever(TextChoices):
    INTENT = "intent", "Intent: what was asked for is unclear or wrong"
    PROMPT = "prompt", "Prompt: the instructions"
    MODEL = "model", "Model or its parameters"
    RETRIEVAL = "retrieval", "Retrieval: what the model was given to read"
    TOOL = "tool", "Tool: a call, its arguments or its answer"
    JUDGE = "judge", "Judge: the automatic evaluation was wrong"
    POLICY = "policy", "Policy: the rules themselves"
    DATA = "data", "Data: the source is wrong or missing"
    UNKNOWN = "unknown", "Not known"
