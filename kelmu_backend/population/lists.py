"""The frozen lists of `data/`: names, streets, texts, weights, personas, announcements.

They are read once per process and only when a population is made; `data/README.md` says where each comes from.
"""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import accumulate
from random import Random
from types import MappingProxyType
from typing import Any, Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Weighted(Generic[T]):
    """Values with weights, drawn in logarithmic time; the order of `values` is part of the seed's result."""

    values: tuple[T, ...]
    cumulated: tuple[float, ...]

    @classmethod
    def of(cls, pairs: Sequence[tuple[T, float]]) -> Weighted[T]:
        """Return a source over `pairs` of value and weight."""
        return cls(tuple(value for value, _ in pairs), tuple(accumulate(weight for _, weight in pairs)))

    def draw(self, random: Random) -> T:
        """Return one value."""
        return random.choices(self.values, cum_weights=self.cumulated)[0]


def chance(name: str) -> Random:
    """Return the stream of chance called `name`; a name gives the same stream on every machine."""
    return Random(name)  # noqa: S311 - made-up people need no secrecy


@dataclass(frozen=True, slots=True)
class OddName:
    """A name that careless programs stumble over; either part may be empty."""

    language: str
    sex: str
    family_name: str
    given_names: str


def _text(name: str) -> str:
    return (files("kelmu_backend.population") / "data" / name).read_text(encoding="utf-8")


def _rows(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(_text(name).splitlines()))


@cache
def table(name: str) -> Mapping[str, Any]:
    """Return the TOML file `name` (without its ending)."""
    return MappingProxyType(tomllib.loads(_text(f"{name}.toml")))


@cache
def surnames() -> Mapping[str, Weighted[str]]:
    """Return surnames by language."""
    pairs: dict[str, list[tuple[str, float]]] = {}
    for row in _rows("surnames.csv"):
        pairs.setdefault(row["language"], []).append((row["name"], float(row["weight"])))
    return MappingProxyType({language: Weighted.of(found) for language, found in pairs.items()})


@cache
def given_names(language: str, sex: str, born: int) -> tuple[str, ...]:
    """Return given names of a language and sex (`f`, `m`) that were in use in the year `born`."""
    by_start: dict[int, list[str]] = {}
    for row in _given_rows():
        if (row["language"], row["sex"]) == (language, sex):
            by_start.setdefault(int(row["born_from"]), []).append(row["name"])
    starts = sorted(by_start)
    return tuple(by_start[max((start for start in starts if start <= born), default=starts[0])])


@cache
def _given_rows() -> tuple[dict[str, str], ...]:
    return tuple(_rows("given_names.csv"))


@cache
def odd_names() -> tuple[OddName, ...]:
    """Return the names that test what programs believe about names."""
    return tuple(
        OddName(row["language"], row["sex"], row["family_name"] or "", row["given_names"] or "")
        for row in _rows("odd_names.csv")
    )


@cache
def inhabitants() -> Mapping[str, int]:
    """Return the rough number of inhabitants of each municipality (code), in hundreds."""
    return MappingProxyType({row["code"]: int(row["weight"]) for row in _rows("weights.csv")})
