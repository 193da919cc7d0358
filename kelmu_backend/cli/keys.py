"""`kelmu-backend keys`: make, replace and list the keys that sign access tokens; their secret halves stay in files.

The keys lie in the folder `secrets` beside the record. A server that runs reads them again when they change.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from kelmu_backend.cli.common import Commands, Exit, NotPossible, add_data, say, secret_folder
from kelmu_tui.platform.clock import SystemClock

if TYPE_CHECKING:
    from datetime import datetime

    from kelmu_backend.identity.keys import SigningKey, Standing


def add(commands: Commands) -> None:
    """Add the commands to the grammar."""
    group = commands.add_parser("keys", help="make, replace and list the keys that sign access tokens")
    actions = group.add_subparsers(required=True, metavar="action")
    for name, run, about in (
        ("create", _create, "make the keys of a new server"),
        ("rotate", _rotate, "let a new key take over; the present one goes when no token made with it is left"),
        ("list", _list, "signing keys with what each is for, one JSON document a line"),
    ):
        action = actions.add_parser(name, help=about)
        action.set_defaults(run=run)
        add_data(action)


def _create(options: argparse.Namespace) -> int:
    from kelmu_backend.identity import keys

    folder = secret_folder(options)
    if keys.complete(folder):
        raise NotPossible(f"there are keys in {folder} already; `kelmu-backend keys rotate` replaces the signing key")
    now = SystemClock().now()
    keys.create(folder, now)
    for key, standing in _standings(folder, now):
        _tell(key, standing)
    say(f"keys made in {folder}; keep a copy where only you can read it")
    return Exit.OK


def _rotate(options: argparse.Namespace) -> int:
    from kelmu_backend.identity import keys

    folder, now = secret_folder(options), SystemClock().now()
    for key, standing in _standings(folder, now):
        if standing is keys.Standing.WAITING:
            at = key.active_from.isoformat(timespec="seconds")
            raise NotPossible(f"the key {key.kid} has not taken over yet; it does at {at}")
    with _explained(folder):
        made = keys.rotate(folder, now)
    for key, standing in _standings(folder, now):
        if key.kid == made:
            _tell(key, standing)
            say(f"the new key signs from {key.active_from.isoformat(timespec='seconds')}")
    return Exit.OK


def _list(options: argparse.Namespace) -> int:
    for key, standing in _standings(secret_folder(options), SystemClock().now()):
        _tell(key, standing)
    return Exit.OK


def _standings(folder: Path, now: datetime) -> list[tuple[SigningKey, Standing]]:
    from kelmu_backend.identity import keys

    with _explained(folder):
        return keys.load(folder, demo=False).standings(now)


@contextmanager
def _explained(folder: Path) -> Iterator[None]:
    from kelmu_backend.identity import keys

    try:
        yield
    except keys.NoKeys:
        raise NotPossible(f"there are no keys in {folder}; make them with `kelmu-backend keys create`") from None
    except keys.KeyProblem as failure:
        raise NotPossible(f"the keys in {folder} cannot be used: {failure}") from None


def _tell(key: SigningKey, standing: Standing) -> None:
    print(json.dumps({"id": key.kid, "signs_from": key.active_from.isoformat(), "state": standing.value}))
