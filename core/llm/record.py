"""The ledger of model calls. Writing it never fails a call that has been paid for."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from decimal import Decimal

from django.conf import settings
from django.db import transaction

from core import clock
from core.models import LlmCall

log = logging.getLogger(__name__)


def record_call(
    *,
    project_id: int | None,
    purpose: str,
    model: str,
    tokens_in: int | None,
    tokens_out: int | None,
    cost_usd: Decimal | None,
    latency_ms: int,
    status: str,
    error: str = "",
) -> None:
    """Keep one LlmCall; `status` is "ok" or "error". A failure to keep it is logged, not raised."""
    record_calls(
        [
            LlmCall(
                project_id=project_id,
                purpose=purpose,
                model=model,
                tokens_in=tokens_in,
                tokens_out=tokens_out,
                cost_usd=cost_usd,
                latency_ms=latency_ms,
                status=status,
                error=error,
            )
        ]
    )


def record_calls(calls: Sequence[LlmCall]) -> None:
    """Keep them in one statement: a judge makes thousands, and a transaction for each would take
    as long as the calls. A failure to keep them is logged, not raised."""
    if not calls:
        return
    now = clock.now()
    for call in calls:
        call.model, call.at = call.model[:120], now
        call.error = call.error.replace("\0", "")[:2000]
    try:
        # A savepoint: in a caller's transaction a failed insert would spoil the rest of it.
        with transaction.atomic():
            LlmCall.objects.bulk_create(calls)
    except Exception:
        log.exception("%d calls of models could not be recorded", len(calls))


def price(model: str, tokens_in: int | None, tokens_out: int | None) -> Decimal | None:
    """US dollars by `settings.MODEL_PRICES` = {model: (per million in, per million out)}.

    None where the price or a count is unknown: an unknown price is not nought.
    """
    prices = getattr(settings, "MODEL_PRICES", {}).get(model)
    if prices is None or tokens_in is None or tokens_out is None:
        return None
    per_in, per_out = (Decimal(str(each)) for each in prices)
    return (per_in * tokens_in + per_out * tokens_out) / 1_000_000
