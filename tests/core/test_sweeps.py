"""One row that breaks its batch is found and set aside; the others go on."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from core.sweeps import work_off


class Pile:
    """Rows that wait; those of `bad` break every batch they are in."""

    def __init__(self, number: int, *bad: int, size: int = 8) -> None:
        self.left = list(range(number))
        self.bad, self.size = set(bad), size
        self.aside: list[int] = []

    def waiting(self) -> list[int]:
        return self.left[: self.size]

    def take(self, ids: Sequence[int] | None) -> int:
        batch = self.waiting() if ids is None else [each for each in self.left if each in ids]
        if found := self.bad & set(batch):
            raise ValueError(f"no sense in {found}")
        self.left = [each for each in self.left if each not in batch]
        return len(batch)

    def set_aside(self, row: int) -> None:
        self.left.remove(row)
        self.aside.append(row)


@pytest.mark.parametrize("bad", [(), (0,), (19,), (3, 4, 12)])
def test_all_but_the_bad_rows_are_done(
    bad: tuple[int, ...], caplog: pytest.LogCaptureFixture
) -> None:
    pile = Pile(20, *bad)
    work_off(pile.take, waiting=pile.waiting, set_aside=pile.set_aside)
    assert (pile.left, pile.aside) == ([], list(bad))
    told = [record for record in caplog.records if record.levelname == "ERROR"]
    assert [record.getMessage().split()[1] for record in told] == [str(row) for row in bad]
    assert all(record.exc_info for record in told)


def test_a_fault_that_no_row_is_to_blame_for_is_raised() -> None:
    pile = Pile(3, 1)
    with pytest.raises(ValueError, match="no sense"):
        work_off(pile.take, waiting=list, set_aside=pile.set_aside)
    assert pile.aside == []


def test_a_row_that_cannot_be_set_aside_does_not_spin() -> None:
    def broken(row: int) -> None:
        raise OSError(f"the database is away, {row} stays")

    pile = Pile(3, 1)
    with pytest.raises(OSError, match="1 stays"):
        work_off(pile.take, waiting=pile.waiting, set_aside=broken)
