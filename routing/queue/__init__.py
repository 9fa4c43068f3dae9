"""The queue: one slot row for each wanted opinion, claimed by one statement, fenced by a token."""

from routing.queue.assign import Wish, assign
from routing.queue.claim import Lease, claim, heartbeat, release_slot, resume
from routing.queue.enqueue import Wanted, enqueue
from routing.queue.finish import Closing, StaleLease, finish

__all__ = [
    "Closing",
    "Lease",
    "StaleLease",
    "Wanted",
    "Wish",
    "assign",
    "claim",
    "enqueue",
    "finish",
    "heartbeat",
    "release_slot",
    "resume",
]
