"""Seals over the audit: blocks of rows in a chain of SHA-256, made without a lock on writers.

The chain does not cover `actor_label` and `actor_id`: they are the redaction columns, and the
erasure of a person must not look like tampering. What was done, to what, when and in which
request is covered. A chain proves nothing to whoever could write it anew from its first seal:
keep the last digest elsewhere (every seal is logged) and hand it to `verify` as `head`.
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import Final

from celery import shared_task
from django.db import connection
from django.db.models import Max

from core import clock
from core.db import command, slow
from core.models import AuditCheck, AuditEntry, AuditSeal

BLOCK: Final = 1000
PATIENCE: Final = 2.0
CHECK_EVERY: Final = timedelta(hours=24)
LEAF: Final = 32
_LOCK: Final = 0x5EA1

_WRITERS = """
    SELECT virtualtransaction FROM pg_locks
    WHERE locktype = 'relation' AND relation = %s::regclass AND mode = 'RowExclusiveLock'
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND pid IS DISTINCT FROM pg_backend_pid()
"""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Break:
    """The first thing that does not match: the seal, and the row (None: the seal itself)."""

    seal: int
    row: int | None
    kind: str

    def __str__(self) -> str:
        if self.row is None:
            return f"Seal {self.seal} is {self.kind}."
        return f"Row {self.row} of seal {self.seal} was {self.kind}."


@dataclass(frozen=True, slots=True)
class Report:
    """What a recomputation met: seals and rows that are whole, and the first break, if any.

    `head` is the last whole seal as `number:digest`, empty where there is none.
    """

    seals: int
    rows: int
    head: str
    broken: Break | None


def canonical(entry: AuditEntry) -> bytes:
    """A row as JSON: sorted keys, no blanks, ASCII, UTC; without the redaction columns."""
    facts = {
        "id": entry.pk,
        "project": entry.project_id,
        "verb": entry.verb,
        "target_type": entry.target_type,
        "target_id": entry.target_id,
        "before": entry.before,
        "after": entry.after,
        "request_id": entry.request_id,
        "at": entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
    }
    return json.dumps(facts, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def leaf(entry: AuditEntry) -> bytes:
    """SHA-256 of the row, 32 bytes."""
    return hashlib.sha256(canonical(entry)).digest()


def digest_of(number: int, previous: str, ids: Sequence[int], leaves: bytes) -> str:
    """SHA-256, in hex, of a block's ids and leaves, bound to its number and the digest before."""
    head = json.dumps([number, previous, list(ids)], separators=(",", ":")).encode()
    return hashlib.sha256(head + b"\n" + leaves).hexdigest()


def seal_due(*, limit: int = BLOCK) -> int:
    """Seal up to `limit` rows behind the last seal. Returns how many; 0 where none is ready."""
    if limit < 1:
        raise ValueError("limit must be at least 1")
    bound = settled_bound()
    return _seal(bound, limit) if bound else 0


@slow
def settled_bound(*, patience: float = PATIENCE) -> int:
    """The highest unsealed id below which no row can appear any more; 0 where there is none.

    Ids are given before the commit, and not in the order of transaction ids, so neither age nor
    `xmin` tells whether a lower id is still to come. But whoever has taken an id holds the
    table's writer lock until the end. So: read the highest id, then wait until those who write
    at that moment are gone, at most `patience` seconds. Nobody waits for the sealer.
    """
    last = AuditSeal.objects.aggregate(last=Max("last_id"))["last"] or 0
    top = AuditEntry.objects.filter(pk__gt=last).aggregate(top=Max("pk"))["top"]
    if top is None:
        return 0
    waiting = _writers()
    end = time.monotonic() + patience
    while waiting:
        if time.monotonic() >= end:
            log.info("audit rows up to %s wait for a transaction that is still open", top)
            return 0
        time.sleep(0.02)
        waiting &= _writers()
    return int(top)


def _writers() -> set[str]:
    """The open transactions, other than this one, that have written to the audit."""
    with connection.cursor() as cursor:
        cursor.execute(_WRITERS, [AuditEntry._meta.db_table])
        return {row[0] for row in cursor.fetchall()}


@command
def _seal(bound: int, limit: int) -> int:
    """One block. Sealers queue at an advisory lock, which no writer ever asks for."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    last = AuditSeal.objects.order_by("number").last()
    after = last.last_id if last else 0
    entries = list(AuditEntry.objects.filter(pk__gt=after, pk__lte=bound).order_by("pk")[:limit])
    if not entries:
        return 0
    made = _block(last, entries)
    log.info("audit seal %s: rows to %s, digest %s", made.number, made.last_id, made.digest)
    return len(entries)


def _block(last: AuditSeal | None, entries: Sequence[AuditEntry]) -> AuditSeal:
    number, previous = (last.number + 1, last.digest) if last else (1, "")
    ids = [entry.pk for entry in entries]
    leaves = b"".join(leaf(entry) for entry in entries)
    return AuditSeal.objects.create(
        number=number,
        first_id=ids[0],
        last_id=ids[-1],
        count=len(ids),
        ids=ids,
        leaves=leaves,
        digest=digest_of(number, previous, ids, leaves),
        previous_digest=previous,
        at=clock.now(),
    )


def verify(*, head: str = "") -> Report:
    """Recompute the chain and stop at the first thing that does not match.

    `head` is a seal kept elsewhere, as `number:digest`: the chain must still hold it, which a
    chain that was cut short or written anew does not. A malformed one raises ValueError.
    """
    kept = _kept(head)
    seals = rows = 0
    last: AuditSeal | None = None
    for seal in AuditSeal.objects.order_by("number").iterator(chunk_size=50):
        broken = _fault(seal, last, kept)
        if broken:
            return Report(seals, rows, _head(last), broken)
        last, seals, rows = seal, seals + 1, rows + seal.count
    lost = Break(kept[0], None, "missing") if kept and kept[0] > seals else None
    return Report(seals, rows, _head(last), lost)


def _kept(head: str) -> tuple[int, str] | None:
    if not head:
        return None
    number, _, digest = head.partition(":")
    if not number.isdecimal() or int(number) < 1 or len(digest) != 2 * LEAF:
        raise ValueError("head must be number:digest, as verify_audit prints it")
    return int(number), digest.lower()


def _head(seal: AuditSeal | None) -> str:
    return f"{seal.number}:{seal.digest}" if seal else ""


def _fault(seal: AuditSeal, last: AuditSeal | None, kept: tuple[int, str] | None) -> Break | None:
    """The first fault of the seal itself, then of its rows."""
    number, previous, after = (last.number + 1, last.digest, last.last_id) if last else (1, "", 0)
    if seal.number != number:
        return Break(number, None, "missing")
    ids, leaves = seal.ids, bytes(seal.leaves)
    shape = (seal.first_id, seal.last_id, seal.count, len(leaves), seal.previous_digest)
    if not ids or shape != (ids[0], ids[-1], len(ids), LEAF * len(ids), previous):
        return Break(number, None, "changed")
    if seal.digest != digest_of(number, previous, ids, leaves) or ids[0] <= after:
        return Break(number, None, "changed")
    if kept and kept[0] == number and kept[1] != seal.digest:
        return Break(number, None, "not the one that was kept")
    found = AuditEntry.objects.filter(pk__gt=after, pk__lte=seal.last_id).order_by("pk")
    return _first_odd(number, dict(zip(ids, _split(leaves), strict=True)), found)


def _split(leaves: bytes) -> Iterator[bytes]:
    return (leaves[place : place + LEAF] for place in range(0, len(leaves), LEAF))


def _first_odd(number: int, sealed: dict[int, bytes], found: Iterable[AuditEntry]) -> Break | None:
    present = {entry.pk: leaf(entry) for entry in found}
    for row in sorted(sealed.keys() | present.keys()):
        if row not in present:
            return Break(number, row, "deleted")
        if row not in sealed:
            return Break(number, row, "added")
        if sealed[row] != present[row]:
            return Break(number, row, "changed")
    return None


@command
def keep(report: Report) -> AuditCheck:
    """Remember the outcome of a check, so that pages can say when the chain was last whole."""
    return AuditCheck.objects.create(
        seals=report.seals,
        rows=report.rows,
        broken_seal=report.broken.seal if report.broken else None,
        finding=str(report.broken) if report.broken else "",
        at=clock.now(),
    )


@shared_task(name="core.seals.seal_due")
def seal_task() -> None:
    """Block by block, until what remains is less than one."""
    while seal_due(limit=BLOCK) == BLOCK:
        pass


@shared_task(name="core.seals.check_due")
def check_task() -> None:
    """Once in a day; a break is an error in the log, on the page, and stays in the table."""
    last = AuditCheck.objects.aggregate(at=Max("at"))["at"]
    if last is not None and clock.now() - last < CHECK_EVERY:
        return
    report = verify()
    keep(report)
    if report.broken:
        log.error("the audit does not match its seals: %s", report.broken)
