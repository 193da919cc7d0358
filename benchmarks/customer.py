"""A customer's file from the local store: the key that opens it to the frame that holds its overview.

Held against what the same view asks of the store without any screen (mandates looked at, the file read, the look
committed to the log), and against a bare Textual app that pushes an empty screen. The file has a payment for each four
weeks of twenty years, as long a file as there is.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from benchmarks.fill import demo_profile, nobody
from benchmarks.ratios import Row
from benchmarks.screen import FILLED, open_app
from benchmarks.world import county
from kelmu_tui.domain.sections import Section
from kelmu_tui.platform.clock import SystemClock
from kelmu_tui.services.context import Context, open_context
from kelmu_tui.services.known import OPENERS
from kelmu_tui.store import customer_files, customers
from tests.support.terminal import Terminal

CUSTOMER: Final = "benchmark"
NAME: Final = "Mitattava"
OVERVIEW: Final = "Viime päätös".encode()
"""A label that stands in the overview alone, and only once it is filled."""
PUSHED: Final = b"pushed-screen"
BARE: Final = (sys.executable, "-m", "benchmarks.bare_push")
PAYMENTS: Final = 260
ROUNDS: Final = 25


def opened(home: Path) -> Context:
    """Open the store in `home`."""
    return open_context(demo_profile(home), organisation=county().business_id, ask=nobody, needs=OPENERS)


def hold_file(home: Path) -> None:
    """Let a file be held as an answer would leave it."""
    now = SystemClock().now()
    person = {
        "customer": CUSTOMER,
        "identity_code": "010190-900R",
        "earlier_codes": [],
        "family_name": NAME,
        "given_names": "Aino",
        "born": "1990-01-01",
        "language": "fi",
        "non_disclosure": False,
        "warnings": [],
        "household": [],
    }
    head: dict[str, Any] = {
        "person": person,
        "purpose": "social_work",
        "case_reference": "1/26",
        "fetched_at": now.isoformat(),
        "expires_at": (now + timedelta(hours=12)).isoformat(),
        "hidden_fields": [],
    }
    rows = {Section.PAYMENTS: _payments(now.date()), Section.DECISIONS: _decisions(now.date())}
    with opened(home) as context, context.store.write("replica") as db:
        customers.begin(db, head, tuple(Section), now)
        for section in Section:
            found = rows.get(section, [])
            line: dict[str, Any] = {
                "section": section.value,
                "state": "shown" if found else "none",
                "source_at": now.isoformat(),
                "hidden": None,
                "mandates": [],
                "narrowed": False,
                "hidden_fields": [],
                section.value: found,
            }
            customers.put_section(db, head, line, now)


def _payments(today: date) -> list[dict[str, Any]]:
    return [
        {
            "id": f"pay{number:04}",
            "benefit": ("basic_social_assistance", "labour_market_subsidy", "general_housing_allowance")[number % 3],
            "paid_on": (today - timedelta(days=28 * number)).isoformat(),
            "period_from": (today - timedelta(days=28 * number + 28)).isoformat(),
            "period_to": (today - timedelta(days=28 * number + 1)).isoformat(),
            "gross": str(Decimal(600 + number)),
            "tax": "20.00",
            "deductions": [{"kind": "recovery", "amount": "10.00"}],
            "net": str(Decimal(570 + number)),
            "payee": "customer",
            "account": "FI** **** 0889",
            "incomes_register": number % 3 == 1,
            "status": "paid",
        }
        for number in range(PAYMENTS)
    ]


def _decisions(today: date) -> list[dict[str, Any]]:
    return [
        {
            "id": f"dec{number:03}",
            "benefit": ("basic_social_assistance", "labour_market_subsidy")[number % 2],
            "decided": (today - timedelta(days=180 * number + 40)).isoformat(),
            "outcome": "granted",
            "valid_from": (today - timedelta(days=180 * number + 30)).isoformat(),
            "valid_to": (today - timedelta(days=180 * number - 150)).isoformat(),
            "amount": "578.43",
            "per": "month",
            "reason": None,
            "appealed": False,
        }
        for number in range(40)
    ]


def until_heard(terminal: Terminal, keys: Sequence[str], needle: bytes) -> float:
    """Press keys and return the seconds to the arrival of `needle`."""
    begun = len(terminal.output)
    start = time.perf_counter()
    terminal.send(*keys)
    while terminal.output.find(needle, begun) < 0:
        if not terminal.pump(20):
            raise AssertionError(f"{needle!r} did not come; the screen shows:\n{terminal.text}")
    return terminal.heard - start


def shown(terminal: Terminal) -> float:
    """Return the seconds from the key that opens the file, in the list of those fetched today, to its overview."""
    terminal.send("2")
    terminal.wait_for(NAME)
    terminal.settle(0.15)
    took = until_heard(terminal, ["enter"], OVERVIEW)
    terminal.settle(0.1)
    terminal.send("q")
    terminal.wait_for(FILLED)
    terminal.settle(0.1)
    return took


def pushed(terminal: Terminal) -> float:
    """Return the seconds from a key to an empty screen."""
    took = until_heard(terminal, ["enter"], PUSHED)
    terminal.settle(0.1)
    terminal.send("q")
    terminal.wait_for("ready-to-measure")
    terminal.settle(0.1)
    return took


def asked(context: Context) -> tuple[float, float]:
    """Return the seconds of the view's work in the store, and of the bare reading of the rows in it."""
    start = time.perf_counter()
    if context.customers.open(CUSTOMER) is None:
        raise AssertionError("no file")
    whole = time.perf_counter()
    with context.store.read() as db:
        customer_files.file(db, CUSTOMER, context.clock.now())
    return whole - start, time.perf_counter() - whole


def opening_a_file(home: Path) -> list[Row]:
    """Measure all three in turn; the best of each counts, as other work on the machine is most of so short a time."""
    hold_file(home)
    with open_app(home) as app, Terminal(BARE) as bare, opened(home) as context:
        app.wait_for(FILLED)
        bare.wait_for("ready-to-measure")
        app.settle(0.5)
        found = [(shown(app), pushed(bare), *asked(context)) for _ in range(ROUNDS)]
    ours, empty, work, read = (min(column) for column in zip(*found, strict=True))
    detail = f"{ours * 1000:.1f} ms ÷ {work * 1000:.1f} ms, of which {read * 1000:.1f} ms read the rows"
    floor = f"{empty * 1000:.1f} ms ÷ {work * 1000:.1f} ms"
    return [
        Row("a customer's file, key to filled overview ÷ the bare work in the store", ours / work, 3.0, detail=detail),
        Row("an empty Textual screen, key to its label ÷ the same", empty / work, 3.0, detail=floor),
    ]
