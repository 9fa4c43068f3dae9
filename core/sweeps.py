"""Working off what waits, so that one row that breaks its batch does not stop all others."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final

log = logging.getLogger(__name__)

PAUSE: Final = timedelta(hours=1)
"""For how long a row that breaks its batch is set aside before it is tried again."""


def work_off(
    take: Callable[[Sequence[int] | None], int],
    *,
    waiting: Callable[[], Sequence[int]],
    set_aside: Callable[[int], None],
) -> None:
    """Batch by batch until nothing waits.

    take       does a batch, all or nothing: of these ids, of whatever is due with None; how many
    waiting    the ids of the next batch
    set_aside  takes one id out of what waits, for PAUSE

    A batch that raises is tried again in halves, down to the rows that raise by themselves. They
    are told of at level ERROR and set aside. Raises what the batch raised where no row is at fault
    that could be named, so that nothing spins.
    """
    while True:
        try:
            if not take(None):
                return
        except Exception as error:
            log.warning("a batch failed and is tried again in parts: %s", error)
            if not _sift(list(waiting()), take, set_aside):
                raise


def _sift(
    ids: Sequence[int],
    take: Callable[[Sequence[int] | None], int],
    set_aside: Callable[[int], None],
) -> int:
    """How many rows were done or set aside. Named rows, not a smaller limit: with other workers
    about, nobody could tell which row a limit of one had stumbled over."""
    if not ids:
        return 0
    try:
        return take(ids)
    except Exception:
        if len(ids) == 1:
            log.exception("row %s fails by itself and is set aside for %s", ids[0], PAUSE)
            set_aside(ids[0])
            return 1
    half = len(ids) // 2
    return _sift(ids[:half], take, set_aside) + _sift(ids[half:], take, set_aside)
