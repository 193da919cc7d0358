"""The facts of Kelmu as data files; `table` and `rows` read one.

The readers are imported only when a fact is asked for: most commands of the command line need none, and the TOML
parser and the machinery of package resources would take a tenth of their start.
"""

from __future__ import annotations

from typing import Any


def _text(name: str) -> str:
    from importlib.resources import files

    return (files(__name__) / name).read_text(encoding="utf-8")


def table(name: str) -> dict[str, Any]:
    """Return the content of a TOML file."""
    import tomllib

    return tomllib.loads(_text(name))


def rows(name: str) -> list[dict[str, str]]:
    """Return the rows of a CSV file."""
    import csv

    return list(csv.DictReader(_text(name).splitlines()))
