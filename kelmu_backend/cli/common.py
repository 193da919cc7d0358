"""What all commands share: exit codes, the options that name folder and record, the way to the record."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from kelmu_tui.platform.paths import profile

if TYPE_CHECKING:
    from kelmu_backend.database.engine import Database

DATABASE_VARIABLE: Final = "KELMU_DATABASE_URL"

Commands = Any
"""What `ArgumentParser.add_subparsers` returns; argparse has no public name for it."""


class Exit(IntEnum):
    """Exit codes."""

    OK = 0
    FAILED = 1
    """The server could not start, or a log of views is not whole."""
    USAGE = 2
    NOT_POSSIBLE = 3
    """The record or the keys do not allow it: not empty, no such user, not migrated, made already."""


class NotPossible(Exception):
    """Ends a command with one sentence, which names no secret, and an exit code."""

    def __init__(self, text: str, code: Exit = Exit.NOT_POSSIBLE) -> None:
        super().__init__(text)
        self.code = code


def add_data(parser: argparse.ArgumentParser) -> None:
    """Give a command the option that names its folder."""
    parser.add_argument("--data", type=Path, help="folder of the record and the keys")


def data_folder(options: argparse.Namespace) -> Path:
    """Return the folder of the record and the keys."""
    found: Path | None = options.data
    return found or profile("demo" if getattr(options, "demo", False) else "default").backend / "data"


def secret_folder(options: argparse.Namespace) -> Path:
    """Return the folder of the keys."""
    return data_folder(options) / "secrets"


def url(options: argparse.Namespace) -> str:
    """Return the URL of the record; a folder of our own is made."""
    from kelmu_backend.serve import database_url

    return os.environ.get(DATABASE_VARIABLE) or database_url(data_folder(options))


@contextmanager
def opened(options: argparse.Namespace) -> Iterator[Database]:
    """Give the record, be it migrated or not.

    Raises:
        NotPossible: there is no way to it.
    """
    from sqlalchemy.exc import ArgumentError, OperationalError

    from kelmu_backend.database.engine import Database

    try:
        database = Database(url(options))
    except (ArgumentError, ImportError, ValueError):
        raise NotPossible(f"{DATABASE_VARIABLE} names no record that can be used") from None
    try:
        with database.read():
            pass
        yield database
    except OperationalError as failure:
        # The driver's own words repeat host and user.
        raise NotPossible(f"the record cannot be reached ({type(failure.orig).__name__})") from None
    finally:
        database.dispose()


@contextmanager
def record(options: argparse.Namespace) -> Iterator[Database]:
    """Give the migrated record.

    Raises:
        NotPossible: there is no way to it, or it is not at the newest schema.
    """
    from kelmu_backend.database import schema

    unmigrated = "the record is not at the newest schema; run `kelmu-backend migrate` first"
    if not os.environ.get(DATABASE_VARIABLE) and not (data_folder(options) / "kelmu.db").exists():
        raise NotPossible(unmigrated)  # to look would make an empty one
    with opened(options) as database:
        with database.read() as connection:
            ready = schema.is_ready(connection)
        if not ready:
            raise NotPossible(unmigrated)
        yield database


def say(text: str) -> None:
    """Tell people something."""
    print(text, file=sys.stderr)


def fail(text: str, code: Exit) -> int:
    """Tell why a command ends and return its exit code."""
    say(f"kelmu-backend: {text}")
    return code
