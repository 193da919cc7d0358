"""No combination of organisation type, agreement, mandates and non-disclosure shows what its rules hide.

The backend answers for real from marked rows; what came is sought in the store, in what commands print, and on the
screen with everything that can be opened there. What may be seen is known from the catalogues alone (`marks`).
"""

from __future__ import annotations

import io
import json
from typing import NamedTuple

import pytest

from kelmu_tui.api.client import Client
from kelmu_tui.api.errors import ProblemAnswer
from kelmu_tui.cli import customers as commands
from kelmu_tui.cli.env import Env
from kelmu_tui.cli.output import Output
from kelmu_tui.cli.parser import build
from kelmu_tui.domain.sections import Section
from kelmu_tui.i18n import Translator
from kelmu_tui.platform.ids import SeededIds
from kelmu_tui.platform.paths import HOME_VARIABLE
from kelmu_tui.services.context import Context, activate, open_store
from kelmu_tui.services.known import OPENERS, NothingOpens
from kelmu_tui.services.looking import _asked as wire_query
from kelmu_tui.services.looking import look_up
from kelmu_tui.services.network import calls, renew_session
from kelmu_tui.store.database import Store
from kelmu_tui.store.thread import StoreThread

from . import marks
from .marks import USER, WHO, House, flat
from .terminals import SIZES, URL, Place, Terminal, query

FI = Translator("fi")
PAYEE_NAME = FI.choice("customers.payee", marks.PAYEE)
PARTS = {section: str(number) for number, section in enumerate(Section, 2)}
HOUSES = tuple(marks.houses())


class Linked(NamedTuple):
    """What a look-up needs of a connection."""

    thread: StoreThread
    client: Client


def printed(place: Place, home: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return what `kelmu customer show --json` prints of the file that is held."""
    monkeypatch.setenv(HOME_VARIABLE, str(place.folder / home))
    out = io.StringIO()
    env = Env(Output(as_json=True, stdout=out), clock=place.register.world.clock, ids=SeededIds("command"))
    argv = ["--profile", "demo", "customer", "show", WHO, "--offline", "--json", "--full"]
    env.args = build(argv).parse_args(argv)
    assert commands.show(env) == 0
    return out.getvalue()


def check_printed(house: House, text: str) -> None:
    data = json.loads(text)["data"]
    shown = marks.sections_of(house)
    for section, pairs in shown.items():
        rows = data["sections"][section.value]["rows"]
        assert {row["id"] for row in rows} == {row.body["id"] for row, _ in pairs}
        assert marks.found(marks.values(pairs), json.dumps(rows)) == marks.values(pairs)
    person = data["person"]
    for name, told in (marks.PERSON | {"home_municipality": marks.PLACE}).items():
        assert person[name] == (None if name in house.person_away else told)


def check_hidden(house: House, text: str, where: str) -> None:
    """Assert that nothing hidden stands in a text."""
    visible, hidden = house.marks()
    assert not marks.found(hidden - visible, text), (where, house)
    away = [told for name, told in marks.PERSON.items() if name in house.person_away and told in text]
    assert not away, (where, house)


# --- the store and the command line -----------------------------------------------------------------------------------


async def test_nothing_hidden_is_stored_copied_or_printed(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    marks.add_customer(place.register)
    opened = 0
    for number, house in enumerate(marks.whole(HOUSES)):
        organisation = marks.settle_in(place.register, house, number).business_id
        place.register.world.clock.pass_by(seconds=10)  # the backend counts requests
        if number == 0:
            await place.sign_in(USER, "home")
        store = open_store(place.profile("home"), ask=lambda _: "", clock=place.register.world.clock)
        try:
            context = await _let_in(place, store, organisation, house)
            if context is None:
                assert not house.opens
                continue
            check_store(house, context)
        finally:
            store.close()
        opened += 1
        text = printed(place, "home", monkeypatch)
        check_hidden(house, text, "json")
        check_printed(house, text)
    assert opened > 30


async def _let_in(place: Place, store: Store, organisation: str, house: House) -> Context | None:
    """Take the session as it is now and look the customer up; None for somebody who may not, whom nobody answers."""
    clock = place.register.world.clock
    async with calls(store, URL, clock, place.wire) as (_, client):
        await renew_session(store, client, None, shut_out=True)
        asked = query(marks.who(), purpose=house.purpose)
        try:
            context = activate(place.profile("home"), store, organisation, SeededIds("context"), OPENERS)
        except NothingOpens:
            with pytest.raises(ProblemAnswer) as told:
                await anext(client.look_up(organisation, wire_query(asked)))
            assert told.value.code == "mandate_missing"
            return None
        thread = StoreThread(store)
        try:
            assert await look_up(Linked(thread, client), context, asked) == WHO
        finally:
            thread.close()
    return context


def check_store(house: House, context: Context) -> None:
    raw = marks.in_store(context.store)
    visible, _ = house.marks()
    check_hidden(house, raw, "store")
    assert marks.found(visible, raw) == visible, house
    for section, pairs in marks.sections_of(house).items():
        text = flat(context.customers.section_text(WHO, (section,), FI) or "")
        check_hidden(house, text, "text")
        assert marks.found(marks.values(pairs), text) == marks.values(pairs, without=("id",)), house


# --- the screen -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("half", [0, 1])
@pytest.mark.parametrize("size", SIZES)
async def test_everything_visible_and_nothing_hidden_is_on_the_screen(
    place: Place, size: tuple[int, int], half: int
) -> None:
    marks.add_customer(place.register)
    for number, house in enumerate(marks.drawn(HOUSES)[half::2]):
        marks.settle_in(place.register, house, number)
        home = f"home-{number}"
        async with place.terminal(USER, home, size) as terminal:
            assert await terminal.fetch(query(marks.who(), purpose=house.purpose)) == WHO
            await terminal.show(WHO)
            await visit(terminal, house)
            looks = [one for one in terminal.logged() if one[0] == "customer"]
            assert looks == [("customer", WHO, house.purpose, "123/26")]
            copies = [one for one in terminal.logged() if one[0] == "customer_copy"]
            assert copies == [("customer_copy", WHO, house.purpose, "123/26")] * len(Section)


async def visit(terminal: Terminal, house: House) -> None:
    """Go to every part and row, and open there whatever can be opened."""
    copied: list[str] = []
    terminal.app.send_copy = copied.append  # type: ignore[assignment, method-assign]
    seen = [terminal.text]
    await terminal.press("n")
    seen.append(terminal.text)
    await terminal.press("y")
    seen.append(terminal.text)
    person = flat(terminal.text)
    assert {name for name, told in marks.PERSON.items() if told in person} == marks.PERSON.keys() - house.person_away
    await terminal.press("escape", "K")
    seen.append(terminal.text)
    await terminal.press("q")
    for section, pairs in marks.sections_of(house).items():
        seen += await visit_section(terminal, section, pairs)
        await terminal.press("e")
        seen.append(terminal.text)
        await terminal.press("y", "q")
        text = flat(copied.pop())
        check_hidden(house, text, f"text of {section}")
        assert marks.found(marks.values(pairs), text) == marks.values(pairs, without=("id",)), house
    for text in seen:
        check_hidden(house, flat(text), text)
    hidden_words = [] if any("payee" in may for _, may in marks.sections_of(house)[Section.PAYMENTS]) else [PAYEE_NAME]
    assert not [word for word in hidden_words for text in seen if word in flat(text)]


async def visit_section(terminal: Terminal, section: Section, pairs: marks.Pairs) -> list[str]:
    """Visit a section and each of its rows, and have the first one explained; return what was on the screen."""
    await terminal.press(PARTS[section])
    assert terminal.file.part is section
    assert terminal.file.rows.count == len(pairs)
    await terminal.press("K")
    seen = [terminal.text]
    await terminal.press("q")
    left = {row.body["id"]: [(row, may)] for row, may in pairs}
    for _ in pairs:
        own = left.pop(str(terminal.file.rows.current_key))
        page = await read(terminal)
        told = flat(" ".join(page))
        assert marks.found(marks.values(own), told) == marks.values(own, without=("id",)), page
        seen += page
        await terminal.press("j")
    assert not left
    seen.append(terminal.text)
    return seen


async def read(terminal: Terminal) -> list[str]:
    """Return everything that can be read of the row under the cursor; where there is little room, page by page."""
    pages = [terminal.text]
    if terminal.app.screen.size.height < SIZES[1][1]:
        await terminal.press("enter", "pagedown")
        pages.append(terminal.text)
        await terminal.press("q")
    return pages
