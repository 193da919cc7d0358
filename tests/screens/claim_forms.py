"""The form of a payment claim on the real store and services, as somebody fills it in by keyboard."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from textual import events
from textual.app import App
from textual.pilot import Pilot
from textual.screen import Screen

from kelmu_tui.domain.claims.life import Status
from kelmu_tui.screens.claim_begin import Begin
from kelmu_tui.screens.claim_fields import Notes
from kelmu_tui.screens.claim_form import ClaimFormScreen
from kelmu_tui.services.claim_typing import CHOSEN, Field, fields_of
from kelmu_tui.store.claim_rows import ClaimDraft
from tests.screens.claims import ClaimsOffice, claim, claiming, words
from tests.screens.customers import whole
from tests.screens.support import press, settled, type_text
from tests.store.customer_lines import CODE, answer, head
from tests.widgets.support import until

NAME: Final = "Virtanen, Aino Örnvik"
ASSISTANCE: Final[Mapping[str, str]] = {
    "basis": "23",
    "benefit": "asumistuki",
    "first": "1.1.2027",
    "last": "31.1.2027",
    "amount": "310,50",
    "assistance_first": "1.1.2027",
    "assistance_last": "31.1.2027",
    "assistance_amount": "1 400",
    "assistance_decided_on": "1.11.2026",
    "telephone": "09 123 4567",
}
"""A claim against a benefit that is waited for, by the texts of its fields; of what is chosen the letters typed."""
CARE: Final[Mapping[str, str]] = {
    "basis": "14",
    "benefit": "vanhuuseläke",
    "first": "1.1.2027",
    "last": "-",
    "amount": "412,50",
    "care_first": "1.12.2026",
    "reference": "RF18 5390",
    "grounds": "Laitoshoito.",
    "telephone": "09 123 4567",
}

CHOSEN_IDS: Final[Mapping[str, str]] = {
    "23": "social_assistance_23",
    "14": "client_fees_14",
    "asumistuki": "general_housing_allowance",
    "vanhuuseläke": "national_pension_old_age",
}


class Forms(list[tuple[str, ...] | None]):
    """What forms have answered."""


def on_top(app: ClaimsOffice, kind: type[Screen[Any]]) -> bool:
    """Tell whether a screen of a kind is on top now."""
    return isinstance(app.screen, kind)


def form(app: App[Any]) -> ClaimFormScreen:
    """Return the form, which has to be there."""
    return next(screen for screen in app.screen_stack if isinstance(screen, ClaimFormScreen))


async def begin(app: ClaimsOffice, pilot: Pilot[Any], how: Begin | None = None) -> Forms:
    """Show the form; what it answers is put into what is returned."""
    answers, desk = Forms(), app.desk
    assert desk is not None

    async def show() -> None:
        await app.push_screen(ClaimFormScreen(desk, how or Begin.new()), answers.append)

    app.call_later(show)
    await until(pilot, lambda: isinstance(app.screen, ClaimFormScreen) and app.screen._begun, "the form")
    await settled(pilot)
    return answers


@asynccontextmanager
async def filling(
    folder: Path,
    how: Begin | None = None,
    rows: Iterable[dict[str, Any]] = (),
    size: tuple[int, int] = (80, 24),
    *,
    file: bool = True,
    **options: Any,
) -> AsyncIterator[tuple[ClaimsOffice, Pilot[Any], Forms]]:
    """Run an office with the form on top; with `file` the payee was looked up before."""
    async with claiming(folder, rows, size, **options) as (app, pilot):
        if file:
            answer(app.store, head(), *whole())
        answers = await begin(app, pilot, how)
        yield app, pilot, answers


def changeable(id: str = "one", **changes: Any) -> dict[str, Any]:  # noqa: A002
    """Return a claim that Kela has not begun to handle."""
    return claim(id, **{"status": Status.REGISTERED, "code": CODE, "first": "2027-01-01", "last": None} | changes)


async def go(app: ClaimsOffice, pilot: Pilot[Any], field: str) -> None:
    """Go to a field with the keys."""
    chain = [widget.id for widget in app.screen.focus_chain]
    at = -1 if app.focused is None else chain.index(app.focused.id)
    await press(pilot, *["tab"] * ((chain.index(field) - at) % len(chain)))
    assert app.focused is not None
    assert app.focused.id == field


async def paste(app: ClaimsOffice, pilot: Pilot[Any], text: str) -> None:
    """Paste a text into the field that has the focus."""
    assert app.focused is not None
    app.focused.post_message(events.Paste(text))
    await settled(pilot)


async def write(app: ClaimsOffice, pilot: Pilot[Any], field: str, text: str) -> None:
    """Put a text into a field, or choose by its letters."""
    await go(app, pilot, field)
    if field in CHOSEN:
        await type_text(pilot, text[:1])
        await paste(app, pilot, text[1:])
        await press(pilot, "enter")
        assert isinstance(app.screen, ClaimFormScreen), f"{field} is not chosen by {text!r}"
    else:
        await press(pilot, "ctrl+u")
        await paste(app, pilot, text)


async def say(app: ClaimsOffice, pilot: Pilot[Any], values: Mapping[str, str]) -> None:
    """Let the fields say something at once, also what the lists do not offer, as a draft does."""
    screen = form(app)
    screen.values.update({field: CHOSEN_IDS.get(text, text) for field, text in values.items()})
    screen.show_values()
    screen.edited()
    await settled(pilot)


async def type_in(app: ClaimsOffice, pilot: Pilot[Any], texts: Mapping[str, str], payee: str = CODE) -> None:
    """Type a form from its first field to its last, key by key."""
    await type_text(pilot, payee)
    for field in fields_in(texts):
        await go(app, pilot, field)
        await pilot.press(*("space" if letter == " " else letter for letter in texts[field]))
        if field in CHOSEN:
            await press(pilot, "enter")
    await settled(pilot)


async def fill_in(app: ClaimsOffice, pilot: Pilot[Any], texts: Mapping[str, str], payee: str = CODE) -> None:
    """Fill in a form from its first field to its last."""
    if payee:
        await write(app, pilot, "payee", payee)
    for field in fields_in(texts):
        await write(app, pilot, field, texts[field])


def fields_in(texts: Mapping[str, str]) -> list[str]:
    """Return which fields are filled, in the order of the form."""
    return [field.value for field in Field if field.value in texts]


def plain(app: ClaimsOffice) -> str:
    """Return what is on the screen as one line of words, without the frames of boxes."""
    return words(app).replace("│", " ").replace("  ", " ").replace("  ", " ")


def notes(app: ClaimsOffice, field: str) -> str:
    """Return what is told below a field."""
    return "\n".join(text for text, _ in form(app).row(Field(field)).notes)


def alarms(app: ClaimsOffice) -> dict[str, str]:
    """Return what is told in red, by field."""
    used = fields_of(form(app).values.get("basis", ""))
    told = {field.value: [text for text, role in form(app).row(field).notes if role == "alarm"] for field in used}
    return {field: "\n".join(texts) for field, texts in told.items() if texts}


def status(app: ClaimsOffice) -> str:
    """Return how the whole stands."""
    return "\n".join(text for text, _ in form(app).query_one("#status", Notes).notes)


def drafts(app: ClaimsOffice) -> list[ClaimDraft]:
    """Return what is kept, the newest first."""
    desk = app.desk
    assert desk is not None
    with app.store.read() as db:
        ids = [row[0] for row in db.execute("SELECT id FROM main.claim_draft").fetchall()]
    found = [desk.claims.draft(id_) for id_ in ids]
    return [one for one in found if one is not None]


async def kept(app: ClaimsOffice, pilot: Pilot[Any]) -> ClaimDraft:
    """Wait until what was typed is kept, and return it."""
    screen = form(app)
    await until(pilot, lambda: screen.typing.draft is not None and screen.typing._kept == screen.typing._now, "a draft")
    return next(one for one in drafts(app) if one.id == screen.typing.draft)
