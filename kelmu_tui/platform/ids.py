"""Identifiers and randomness, as a seam."""

from __future__ import annotations

import os
from typing import Protocol


class Ids(Protocol):
    """A source of identifiers and of chance."""

    def new(self) -> str:
        """Return a fresh identifier of 32 hexadecimal digits."""
        ...

    def uniform(self, low: float, high: float) -> float:
        """Return a number between `low` and `high`, for jitter."""
        ...


class RandomIds:
    """Identifiers from the system's secure randomness."""

    def new(self) -> str:
        """Return 128 random bits as hexadecimal digits."""
        return os.urandom(16).hex()

    def uniform(self, low: float, high: float) -> float:
        """Return a number between `low` and `high`; jitter needs no secrecy."""
        from random import uniform  # not above: a command that only reads needs identifiers and no chance

        return uniform(low, high)  # noqa: S311


class SeededIds:
    """Reproducible identifiers for tests and for generated data."""

    def __init__(self, seed: int | str) -> None:
        from random import Random

        self._random = Random(seed)  # noqa: S311

    def new(self) -> str:
        """Return the next identifier of the seed's series."""
        return f"{self._random.getrandbits(128):032x}"

    def uniform(self, low: float, high: float) -> float:
        """Return the next number of the seed's series."""
        return self._random.uniform(low, high)
