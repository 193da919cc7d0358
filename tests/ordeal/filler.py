"""A leader that fills the replica of its user again and again, as fast as the leader's rules allow."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any, Final

from kelmu_tui.platform.paths import profile
from kelmu_tui.services.context import open_context
from kelmu_tui.sync.leader import LeaderLock
from kelmu_tui.sync.line import YIELD_SECONDS
from tests.ordeal import feeding
from tests.ordeal.client import tell
from tests.store.build import notice

MORE: Final = 2000
"""Rows beyond those that the user has anyway."""


def _never(new: bool) -> str:
    raise AssertionError("the demo asks for no passphrase")


def main(order: Mapping[str, Any]) -> None:
    """Fill for ever, saying `filled` after each time."""
    with open_context(profile("demo"), user=order["user"], ask=_never) as context:
        assert LeaderLock(context.store.folder).try_acquire()
        own = context.active.organisation.business_id
        with context.store.read() as db:
            rows = [json.loads(body) for (body,) in db.execute("SELECT body FROM replica.notice")]
        rows += [notice(f"{number:032x}", organisation=own) for number in range(MORE)]
        rows.sort(key=lambda row: str(row["id"]))
        seq = 1_000_000
        while True:
            seq += 1
            for _ in feeding.fill(context.store, rows, seq):
                time.sleep(YIELD_SECONDS)
            feeding.take(context.store, feeding.page(context.store, seq))
            feeding.sweep(context.store)
            tell("filled")
