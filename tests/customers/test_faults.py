"""What a user reads when something is wrong with a look-up: the real backend, the real app, each fault end to end."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from kelmu_backend.customers.sources import State, names
from kelmu_tui.api.errors import ProblemAnswer
from kelmu_tui.domain.identifiers import parse_identity_code
from kelmu_tui.domain.sections import Section
from kelmu_tui.i18n import Translator
from kelmu_tui.screens.customer import CustomerScreen
from kelmu_tui.screens.customer_find import FindScreen
from kelmu_tui.store import customer_files
from tests.backend.conftest import INBOX, LOOK_UP, A, grant
from tests.backend.customers.support import REASON, code
from tests.screens.support import HOSTILE, check_grid
from tests.widgets.support import until

from .terminals import Place, Terminal, query

FI = Translator("fi")
CODE, OLD, NOBODY = code(900), code(901), code(902)
NAME = "Sukunimi-p1"
MATTER: dict[str, Any] = {
    "id": "m1",
    "benefit": "sickness_allowance",
    "kind": "appeal",
    "received": "2026-10-01",
    "stage": "received",
    "missing": [],
    "office": "Toimisto-1",
}
PAID: dict[str, Any] = {
    "benefit": "basic_social_assistance",
    "tax": None,
    "deductions": [],
    "payee": "customer",
    "account": None,
    "incomes_register": False,
    "status": "paid",
}


def payment(number: int) -> dict[str, Any]:
    day = date(2026, 11, 2) - timedelta(days=28 * number)
    sums = {"gross": "100.00", "net": "100.00"}
    return (
        PAID
        | sums
        | {"id": f"y{number:04}"}
        | {name: day.isoformat() for name in ("paid_on", "period_from", "period_to")}
    )


@pytest.fixture
def place(place: Place) -> Place:
    """One person with a pending matter and a payment."""
    place.register.add("p1", CODE)
    place.register.rows("p1", Section.PENDING, MATTER)
    place.register.rows("p1", Section.PAYMENTS, payment(0))
    return place


def held(terminal: Terminal) -> bool:
    with terminal.store.read() as db:
        return customer_files.file(db, "p1", terminal.app.now()) is not None


# --- whom was asked for ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        (f"{CODE[:-1]}{'A' if CODE[-1] != 'A' else 'B'}", "customer_view.wrong.check"),
        ("010130A9001", "customer_view.wrong.future"),
    ],
)
async def test_a_code_that_cannot_be_is_told_and_never_sent(place: Place, typed: str, told: str) -> None:
    async with place.terminal() as terminal:
        await terminal.press("2")
        await terminal.type(typed)
        await terminal.press("enter")
        assert isinstance(terminal.app.screen, FindScreen)
        assert FI(told, at=11 if "check" in told else 7) in terminal.words
    assert place.register.logged() == []


async def test_somebody_unknown_and_somebody_out_of_reach_are_told_alike(place: Place) -> None:
    async with place.terminal() as terminal:
        await terminal.press("2")
        await terminal.type(NOBODY)
        await terminal.press("enter", "enter", "enter")
        await terminal.type(REASON)
        await terminal.press("enter")
        assert isinstance(terminal.app.screen, FindScreen)
        assert FI("customer_view.unknown_person")[:60] in terminal.words
        for asked in (query(customer="p1"), query(customer="p9")):
            with pytest.raises(ProblemAnswer) as told:
                await terminal.fetch(asked)
            assert told.value.code == "not_found"
        assert not held(terminal)
        assert terminal.logged() == []
    assert [outcome for outcome, _, _ in place.register.logged()] == ["not_found"] * 3


async def test_who_died_or_has_another_code_is_told_first(place: Place) -> None:
    changes = {"died": date(2026, 9, 1), "guardian": "Edunvalvoja", "interpreter_language": "ar"}
    place.register.add("p2", code(903), OLD, noticed=False, **changes)
    place.register.notice(OLD)
    async with place.terminal() as terminal:
        await terminal.look_up(OLD)
        await terminal.settled()
        assert terminal.file.customer == "p2"
        for warning in ("deceased", "guardian", "interpreter", "code_changed"):
            assert FI(f"customers.warning.{warning}") in terminal.words
        assert "1.9.2026" in terminal.words
        await terminal.press("c")
        assert code(903) in terminal.text
        assert OLD not in terminal.text


@pytest.mark.parametrize("size", [(40, 12), (80, 24), (120, 40)])
async def test_very_long_names_with_markup_and_control_codes(place: Place, size: tuple[int, int]) -> None:
    long = (HOSTILE * 4)[:200]
    place.register.change("p1", family_name=long, given_names=long, guardian=long, address=long)
    place.register.rows("p1", Section.PENDING, MATTER | {"id": "m2", "office": long, "missing": [long]})
    async with place.terminal(size=size) as terminal:
        await terminal.show(await terminal.fetch(query(parse_identity_code(CODE, today=date(2026, 11, 23)))))
        check_grid(terminal.app, size)
        assert "[b]x[/]" in terminal.text
        for key in "234":
            await terminal.press(key)
            check_grid(terminal.app, size)
            await terminal.press("K")
            check_grid(terminal.app, size)
            await terminal.press("q", "e")
            check_grid(terminal.app, size)
            await terminal.press("q")
        await terminal.press("1", "y")
        check_grid(terminal.app, size)


# --- sources --------------------------------------------------------------------------------------------------------


async def test_a_source_that_is_down_says_so_until_it_is_back(place: Place) -> None:
    place.register.source("payments", State.DOWN)
    async with place.terminal() as terminal:
        await terminal.look_up(CODE)
        await terminal.settled()
        assert "Sairauspäiväraha" in terminal.words
        assert FI("customers.state_down") in terminal.words
        await terminal.press("4")
        assert FI("customer_view.down_text", key="r")[:40] in terminal.words
        place.register.source("payments", State.UP)
        await terminal.press("r")
        assert terminal.file.rows.count == 1
        assert FI("customers.state_down") not in terminal.words
        # When it goes away again, what it said stays and is marked with its age.
        place.register.source("payments", State.DOWN)
        place.register.world.clock.pass_by(minutes=1)
        await terminal.press("r")
        assert terminal.file.rows.count == 1
        assert FI("customers.state_stale", at="")[:16] in terminal.words


async def test_the_first_section_is_painted_before_the_slowest_source_answers(place: Place) -> None:
    place.register.source("matters", State.SLOW, 3000)
    async with place.terminal() as terminal:
        await terminal.look_up(CODE)
        await terminal.until_words("Maksut 1", FI("customers.state_waiting"))
        assert place.register.gate.asked == [3.0]
        assert not place.register.gate.opened.is_set()
        assert "Sairauspäiväraha" not in terminal.words
        assert terminal.logged() == [("customer", "p1", "supplementary_social_assistance", "123/26")]
        place.register.gate.opened.set()
        await terminal.until_words("Sairauspäiväraha")
        await terminal.settled()
        assert FI("customers.state_waiting") not in terminal.words
        assert len(terminal.logged()) == 1, "what comes later belongs to the same look"


async def test_with_all_sources_down_the_person_is_there_and_each_part_says_why(place: Place) -> None:
    for name in names():
        place.register.source(name, State.DOWN)
    async with place.terminal() as terminal:
        await terminal.look_up(CODE)
        await terminal.settled()
        assert NAME in terminal.words
        assert terminal.words.count(FI("customers.state_down")) == 7
        for number in range(2, 10):
            await terminal.press(str(number))
            assert FI("customer_view.down_text", key="r")[:40] in terminal.words


async def test_an_answer_that_breaks_off_leaves_what_came(place: Place) -> None:
    place.register.source("payments", State.SLOW, 3000)
    async with place.terminal() as terminal:
        await terminal.look_up(CODE)
        await terminal.until_words("Sairauspäiväraha")
        place.wire.lines_left = 0
        place.register.gate.opened.set()
        await terminal.until_words(FI("customers.state_down"))
        await terminal.settled()
        assert "Sairauspäiväraha" in terminal.words
        assert FI("errors.api.unreachable")[:30] in terminal.words
        await terminal.press("4")
        assert "100,00" not in terminal.words
        place.wire.lines_left = None
        await terminal.press("r")
        assert "100,00" in terminal.words


# --- rights and time ------------------------------------------------------------------------------------------------


async def test_a_mandate_that_ends_in_the_middle_of_an_answer_takes_all_of_it(place: Place) -> None:
    place.register.source("matters", State.SLOW, 3000)
    async with place.terminal() as terminal:
        await terminal.look_up(CODE)
        await terminal.until_words("Maksut 1", FI("customers.state_waiting"))
        place.register.grant("viewer", grant(INBOX, A))
        place.register.gate.opened.set()
        await until(terminal.pilot, lambda: not held(terminal), "the file to go")
        await until(terminal.pilot, lambda: NAME not in terminal.text, "the name to go from the screen")
        assert "Maksut 1" not in terminal.words
        assert "Sairauspäiväraha" not in terminal.text


async def test_a_mandate_that_ended_between_look_ups_is_told_and_takes_the_file(place: Place) -> None:
    async with place.terminal() as terminal:
        await terminal.look_up(CODE)
        await terminal.settled()
        await terminal.press("4")
        assert "100,00" in terminal.words
        place.register.grant("viewer", grant(INBOX, A))
        await terminal.pilot.press("r")
        await until(terminal.pilot, lambda: not held(terminal), "the file to go")
        await until(terminal.pilot, lambda: NAME not in terminal.text, "the name to go from the screen")
        await until(terminal.pilot, lambda: "100,00" not in terminal.text, "the payment to go from the screen")


async def test_a_file_whose_time_ends_while_it_is_open_is_taken_away(place: Place) -> None:
    async with place.terminal() as terminal:
        await terminal.look_up(CODE)
        await terminal.settled()
        clock = place.register.world.clock
        clock.pass_by(hours=6)
        terminal.app._poke()  # the lease goes on, as it does while there is a connection
        await terminal.online()
        await until(terminal.pilot, lambda: terminal.app._status.synced_at == clock.now(), "news of now")
        await terminal.settled()
        assert NAME in terminal.words
        clock.pass_by(hours=6)
        terminal.app._minute()
        await until(terminal.pilot, lambda: terminal.app.locked, "the lock of an unattended terminal")
        await terminal.settled()
        await terminal.press("enter")
        await terminal.until_words(FI("customer_view.gone"))
        await terminal.settled()
        assert isinstance(terminal.app.screen, CustomerScreen)
        assert NAME not in terminal.text
        assert "100,00" not in terminal.text
        await terminal.press("4")
        assert FI("customer_view.gone")[:40] in terminal.words


async def test_the_file_is_there_again_behind_the_lock_of_who_may_only_look_up(place: Place) -> None:
    place.register.grant("viewer", grant(LOOK_UP, A))
    async with place.terminal() as terminal:
        await terminal.show(await terminal.fetch(query(parse_identity_code(CODE, today=date(2026, 11, 23)))))
        await terminal.press("4")
        await terminal.pilot.press("ctrl+l")
        await until(terminal.pilot, lambda: terminal.app.locked, "the lock")
        await terminal.settled()
        assert NAME not in terminal.text
        await terminal.press("enter")
        await until(terminal.pilot, lambda: not terminal.app.locked, "the end of the lock")
        await terminal.until_words(NAME, "100,00")
        assert terminal.file.part is Section.PAYMENTS


async def test_twenty_years_of_payments_come_whole_and_scroll_to_the_first(place: Place) -> None:
    place.register.rows("p1", Section.PAYMENTS, *(payment(number) for number in range(1, 260)))
    async with place.terminal() as terminal:
        await terminal.look_up(CODE)
        await terminal.settled()
        await terminal.press("4")
        assert terminal.file.rows.count == 260
        total = FI.formats.euros(Decimal(26_000))
        assert " ".join(total.split()) in terminal.words
        await terminal.press("G")
        first = min(payment(number)["paid_on"] for number in range(260))
        assert FI.formats.date(date.fromisoformat(first)) in terminal.words
