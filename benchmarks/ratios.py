"""What a measurement says: a ratio of two things measured in one run, and the budget it is held against."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

Measure = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: `value` is a ratio, or a number of bytes."""

    what: str
    value: float
    budget: float
    at_least: bool = False
    unit: str = "×"
    detail: str = ""

    @property
    def met(self) -> bool:
        """Whether the budget is kept."""
        return self.value >= self.budget if self.at_least else self.value <= self.budget

    def __str__(self) -> str:
        sign = "≥" if self.at_least else "≤"
        value, budget = (f"{n:.2f} {self.unit}" if self.unit == "×" else f"{n:.0f} {self.unit}" for n in self._pair())
        return f"{'met   ' if self.met else 'MISSED'}  {value:>12}  {sign} {budget:<10}  {self.what}  {self.detail}"

    def _pair(self) -> tuple[float, float]:
        return self.value, self.budget


def alternate(
    first: Measure, second: Measure, rounds: int, told: Callable[[Iterable[float]], float] = statistics.median
) -> tuple[float, float]:
    """Measure two things in turn, so that both meet the same machine, and return what is told of each.

    Args:
        told: `min` for what takes milliseconds, of which other work on the machine would be most.
    """
    mine, theirs = zip(*((first(), second()) for _ in range(rounds)), strict=True)
    return told(mine), told(theirs)


def percentile(values: Sequence[float], part: float) -> float:
    """Return the value below which `part` of the values lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(part * (len(ordered) - 1)))]
