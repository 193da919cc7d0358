"""The list of 10 000 claims, read and in its order, against the bare statement that reads the same columns.

And what the form asks at each key about somebody with the longest file there is, which has to fit into a frame.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from benchmarks.ratios import Row, alternate
from kelmu_tui.api.contract.customers import PaymentRow
from kelmu_tui.domain.claims.content import Partial
from kelmu_tui.domain.claims.life import Cancel, Change, Register, Status
from kelmu_tui.platform.ids import SeededIds
from kelmu_tui.platform.paths import Profile
from kelmu_tui.services import session as sessions
from kelmu_tui.services.session import put_secrets
from kelmu_tui.store import claims
from kelmu_tui.store.claims import Frame
from kelmu_tui.store.database import Store
from kelmu_tui.store.keys import DemoKeys
from kelmu_tui.store.replica import microseconds
from tests.services.claims import CODE, keep_file, making_claims
from tests.services.signed_in import Time, session_text
from tests.store.build import NOW, OWN, open_store
from tests.store.claim_commands import give
from tests.store.claim_rows import claim, content, hold
from tests.store.customer_lines import payment

CLAIMS: Final = 10_000
OWN_COMMANDS: Final = 30
"""Commands of the user's own that are on their way."""
PAYMENTS: Final = 260
"""A payment for each four weeks of twenty years."""
BETWEEN_FRAMES: Final = 16
"""Milliseconds: whoever types sees the letter and what is said of it in the same frame."""
_BARE: Final = (
    "SELECT id, version, status, name, masked, non_disclosure, basis, benefit, first, last, cents, payment_day, latest,"
    " late, paid, registered, registered_by, hearing_until, editors, expires FROM replica.claim"
    " WHERE generation = 12 AND (expires IS NULL OR expires > ?)"
)


def listing(folder: Path, rounds: int) -> Row:
    """Measure the list with own commands on their way."""
    store = open_store(folder / "claims")
    try:
        store.attach(OWN)
        _fill(store)
        mine, bare = alternate(lambda: _timed(store, _ours), lambda: _timed(store, _bare), rounds, min)
        detail = f"({mine * 1000:.0f} ms ÷ {bare * 1000:.0f} ms)"
        return Row(f"list of {CLAIMS} claims ÷ the bare statement", mine / bare, 4, detail=detail)
    finally:
        store.close()


def measured(folder: Path, rounds: int) -> Iterator[Row]:
    """Measure both."""
    yield listing(folder, rounds * 4)
    yield judging(folder, rounds * 20)


def judging(folder: Path, rounds: int) -> Row:
    """Measure what one key of the form costs: the payee's file read, every rule judged."""
    profile = Profile("demo", folder / "judging", folder / "settings.toml")
    home = sessions.user_folder(profile, "", "u1")
    home.parent.mkdir(parents=True, exist_ok=True)
    with closing(Store.open(home, DemoKeys(home, profile), Time(), SeededIds(1))) as store:
        put_secrets(store, {"session": session_text(), "device": "d" * 32})
        sessions.make_current(profile, home)
        context = making_claims(profile, store, claim("c1"))
        keep_file(store, payments=map(_payment, range(PAYMENTS)))
        draft = Partial.of(content(benefit="rehabilitation_allowance"))
        assert len(context.claims.facts(CODE).payments or ()) == PAYMENTS

        def key() -> float:
            begin = time.perf_counter()
            context.claims.check(draft)
            return time.perf_counter() - begin

        took = min(key() for _ in range(rounds)) * 1000
    return Row(f"a claim judged at a key, file of {PAYMENTS} payments", took, BETWEEN_FRAMES, unit="ms")


def _payment(number: int) -> PaymentRow:
    day = date(2026, 11, 13) - timedelta(days=28 * number)
    return payment(
        f"pay{number:04}",
        benefit="rehabilitation_allowance",
        paid_on=day,
        period_from=day - timedelta(days=27),
        period_to=day,
    )


def _fill(store: Store) -> None:
    states = tuple(Status)
    hold(
        store,
        [
            claim(f"c{number:05d}", family=f"Sukunimi{number:05d}", status=states[number % len(states)])
            for number in range(CLAIMS)
        ],
    )
    for number in range(0, OWN_COMMANDS, 3):
        give(store, f"n{number}", "claim-register", Register(content()), 0)
        give(store, f"c{number * 7:05d}", "claim-change", Change(content()))
        give(store, f"c{number * 7 + 7:05d}", "claim-cancel", Cancel())


def _timed(store: Store, work: Callable[[Store], None]) -> float:
    begin = time.perf_counter()
    work(store)
    return time.perf_counter() - begin


def _ours(store: Store) -> None:
    with store.read() as db:
        assert len(claims.lines(db, Frame(OWN, "user", NOW))) == CLAIMS + OWN_COMMANDS // 3


def _bare(store: Store) -> None:
    with store.read() as db:
        assert len(db.execute(_BARE, (microseconds(NOW),)).fetchall()) == CLAIMS
