"""The facts of Kelmu as data files; `table` and `rows` read one.

The readers are imported only when a fact is asked for: most commands of the command line need none.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any


def _text(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


def table(name: str) -> dict[str, Any]:
    """Return the content of a TOML file."""
    import tomli

    return tomli.loads(_text(name))


def rows(name: str) -> list[dict[str, str]]:
    """Return the rows of a CSV file."""
    import csv

    return list(csv.DictReader(_text(name).splitlines()))
