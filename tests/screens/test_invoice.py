"""An invoice and its review: begun by itself, stopped, in every size, never of another version than it says."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from kelmu_tui.domain.review import rules
from kelmu_tui.i18n import LANGUAGES, Translator
from kelmu_tui.screens.finding_rows import FindingRowsScreen
from kelmu_tui.screens.invoice import InvoiceScreen
from kelmu_tui.screens.invoice_pages import DisputeScreen, FactsScreen, FindingScreen
from kelmu_tui.screens.invoices import InvoicesScreen
from kelmu_tui.screens.list_rows import ListRowsScreen
from kelmu_tui.services.reviewing import Missing
from kelmu_tui.sync.status import Connection
from tests.screens.invoices import (
    KIND,
    LIST,
    PERIOD,
    InvoicesOffice,
    billing,
    head_of,
    opened,
    right,
    screen,
    shown,
    wrong,
)
from tests.screens.lists import looks, words
from tests.screens.support import HOSTILE, SIZES, check_grid, press, settled, text_of
from tests.services.invoices import ABROAD
from tests.store.list_rows import invoiced
from tests.widgets.support import until

SUBJECT = f"{LIST}/{PERIOD}"


def hold_pages(app: InvoicesOffice) -> asyncio.Event:
    """Let reviews wait before each page of rows until the event is set."""
    assert app.desk is not None
    gate, run = asyncio.Event(), app.desk.run

    async def held(function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        if getattr(function, "__name__", "") == "page" and "after" in named and "before" not in named:
            await gate.wait()
        work: Awaitable[Any] = run(function, *arguments, **named)
        return await work

    app.desk.run = held
    return gate


async def begun(app: InvoicesOffice, pilot: Any) -> None:
    """Open an invoice whose review will not be over soon."""
    await pilot.press("4")
    await until(pilot, lambda: isinstance(app.screen, InvoicesScreen) and app.screen.rows.count, "the calendar")
    assert isinstance(app.screen, InvoicesScreen)
    app.screen.rows.jump(f"{KIND}/{PERIOD}")
    await pilot.press("enter")


# --- how it looks -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("language", LANGUAGES)
async def test_an_invoice_in_every_size(tmp_path: Path, size: tuple[int, int], language: str) -> None:
    async with billing(tmp_path, size, language=language) as (app, pilot):
        app.have(wrong(3))
        found = await opened(app, pilot)
        t = app.t
        assert [rule for rule, _ in shown(found)] == ["share_wrong"] * 3
        assert t("invoice_view.findings", count=3) in words(app)
        assert looks(app) == [("list_rows", SUBJECT, len(right()))]
        check_grid(app, size)
        await press(pilot, "a", "j", "d")
        check_grid(app, size)
        await press(pilot, "x", "ctrl+s")
        assert t.choice("invoice_view.state", "disputed") in words(app) or size == SIZES[0]
        check_grid(app, size)
        for key, page in (("K", FindingScreen), ("t", FactsScreen), ("enter", FindingRowsScreen), ("w", DisputeScreen)):
            await press(pilot, key)
            assert isinstance(app.screen, page)
            check_grid(app, size)
            await press(pilot, "q")
        for key in ("v", "s", "slash"):
            await press(pilot, key)
            check_grid(app, size)
            await press(pilot, "escape")
        assert isinstance(app.screen, InvoiceScreen)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("language", LANGUAGES)
async def test_nothing_to_object(tmp_path: Path, size: tuple[int, int], language: str) -> None:
    async with billing(tmp_path, size, language=language) as (app, pilot):
        rows = right()
        app.have(rows)
        found = await opened(app, pilot)
        t = app.t
        assert shown(found) == []
        text = words(app)
        counted = t("lists.rows", count=len(rows))
        assert t("invoice_view.nothing_to_object", rows=counted, count=15).split(":")[0] in text
        # What was not checked is said beside it.
        assert t.choice("invoice_view.missing", Missing.EARLIER) in text
        check_grid(app, size)
        await press(pilot, "t", "G")
        assert t.choice("invoice_view.help", Missing.RESIDENTS, key="i")[:20] in words(app)


async def test_earlier_invoices_that_are_here_are_looked_at(tmp_path: Path) -> None:
    async with billing(tmp_path, (120, 40), language="en") as (app, pilot):
        app.have(right("2026-09"), period="2026-09")
        app.have(right())
        found = await opened(app, pilot)
        assert found.reviewed is not None
        assert found.reviewed.without == {Missing.RESIDENTS}
        assert app.t.choice("invoice_view.missing", Missing.EARLIER) not in words(app)
        assert looks(app) == [("list_rows", SUBJECT, len(right())), ("list_rows", f"{LIST}/2026-09", 45)]
        await press(pilot, "t")
        assert app.t("invoice_view.earlier_read", count=1) in words(app)


async def test_the_answers_of_a_county_are_said_to_be_missing(tmp_path: Path) -> None:
    async with billing(tmp_path, (120, 40), language="en") as (app, pilot):
        app.work_for("wellbeing_county", ABROAD)
        app.have(right("2026-H1", "treatment_abroad"), kind="treatment_abroad", period="2026-H1")
        found = await opened(app, pilot, "treatment_abroad", "2026-H1")
        assert shown(found) == []
        assert app.t.choice("invoice_view.missing", Missing.ANSWERS) in words(app)
        assert app.t("invoice_view.nothing_to_object", rows=app.t("lists.rows", count=7), count=9) in words(app)


@pytest.mark.parametrize(("total", "text"), [("-12.30", "invoice_view.credit"), ("0.00", "invoice_view.zero")])
async def test_negative_and_zero_invoices_say_so(tmp_path: Path, total: str, text: str) -> None:
    async with billing(tmp_path, (120, 40), language="en") as (app, pilot):
        app.have(right(), total=Decimal(total))
        found = await opened(app, pilot)
        assert [rule for rule, _ in shown(found)] == ["total_wrong"]
        assert app.t.choice("invoice_view", text.split(".")[1]) in words(app)
        assert app.t.formats.euros(Decimal(total)) in words(app)
        # It is about the whole invoice: its rows are all the rows.
        await press(pilot, "enter")
        assert isinstance(app.screen, ListRowsScreen)


async def test_names_are_shown_as_they_are(tmp_path: Path) -> None:
    async with billing(tmp_path, (120, 40), language="en") as (app, pilot):
        rows = wrong(1)
        row = next(row for row in rows if row != next(one for one in right() if one["id"] == row["id"]))
        row["name"] = HOSTILE
        app.have(rows)
        await opened(app, pilot)
        check_grid(app, (120, 40))
        assert "[b]x[/]" in text_of(app)
        await press(pilot, "d", *"[b]x[/b]", "ctrl+s", "w")
        check_grid(app, (120, 40))
        assert "[b]x[/b]" in text_of(app)


async def test_the_language_changes_all_of_it(tmp_path: Path) -> None:
    async with billing(tmp_path, (120, 40), language="fi") as (app, pilot):
        app.have(wrong(2))
        await opened(app, pilot)
        assert app.t("invoice_view.findings", count=2) in words(app)
        await press(pilot, "L")
        assert app.t.language == "sv"
        text = words(app)
        assert app.t("invoice_view.findings", count=2) in text
        assert app.t("invoice_view.column_what") in text
        assert "Kommunens andel är" in text


# --- the review -------------------------------------------------------------------------------------------------------


async def test_the_review_tells_how_far_it_is_and_waits_for_no_key(tmp_path: Path) -> None:
    async with billing(tmp_path, language="en") as (app, pilot):
        app.have(wrong(2))
        gate = hold_pages(app)
        await begun(app, pilot)
        await until(pilot, lambda: "Reviewing: 0/37 rows (0%)" in words(app), "the beginning of the review")
        await pilot.press("t")
        await until(pilot, lambda: isinstance(app.screen, FactsScreen), "another page")
        await pilot.press("q")
        gate.set()
        await settled(pilot)
        assert app.t("invoice_view.findings", count=2) in words(app)
        assert app.t("invoice_view.reviewed_now", count=2) in words(app)


async def test_a_review_is_stopped_and_begun_again(tmp_path: Path) -> None:
    async with billing(tmp_path, language="en") as (app, pilot):
        app.have(wrong(2))
        gate = hold_pages(app)
        await begun(app, pilot)
        await until(pilot, lambda: "Reviewing:" in words(app), "the beginning of the review")
        await press(pilot, "escape")
        assert app.t("invoice_view.stopped", key="R") in words(app)
        assert shown(screen(app)) == []
        gate.set()
        # Nothing begins it again but the user.
        app.have(right("2026-09"), period="2026-09")
        await settled(pilot)
        assert shown(screen(app)) == []
        await press(pilot, "R")
        assert len(shown(screen(app))) == 2


async def test_a_review_goes_on_behind_other_screens(tmp_path: Path) -> None:
    async with billing(tmp_path, language="en") as (app, pilot):
        app.have(wrong(2))
        gate = hold_pages(app)
        await begun(app, pilot)
        await until(pilot, lambda: "Reviewing:" in words(app), "the beginning of the review")
        await pilot.press("4")
        reviewing = app.t("invoice_view.reviewing_short", percent="0%")
        await until(pilot, lambda: reviewing in words(app), "the calendar with the review")
        gate.set()
        await settled(pilot)
        await opened(app, pilot)
        assert len(shown(screen(app))) == 2
        assert [view for view, _, _ in looks(app)] == ["list_rows"]


async def test_rows_that_are_not_here_are_fetched_and_reviewed(tmp_path: Path) -> None:
    async with billing(tmp_path, language="en") as (app, pilot):
        app.bill(wrong(2))
        app.gate.clear()
        await opened(app, pilot)
        assert app.t("invoice_view.not_here_text", key="f")[:40] in words(app)
        await press(pilot, "A")
        assert app.t("invoice_view.no_rows") in words(app)
        await press(pilot, "w")
        assert app.t("invoice_view.not_reviewed_yet") in words(app)
        await pilot.press("f")
        await until(pilot, lambda: "Fetching rows: 18/37" in words(app), "half of the rows")
        app.gate.set()
        await settled(pilot)
        assert len(shown(screen(app))) == 2


async def test_offline_the_rows_cannot_be_fetched_but_reviewed(tmp_path: Path) -> None:
    async with billing(tmp_path, language="en") as (app, pilot):
        app.have(wrong(1))
        app.bill(right("2026-09"), period="2026-09")
        app.lists.announce([one for one, _ in app.published], [LIST])
        app.invoices.announce(app.billed)
        app.set_status(state=Connection.OFFLINE)
        assert len(shown(await opened(app, pilot))) == 1
        await press(pilot, "q")
        await opened(app, pilot, period="2026-09")
        await press(pilot, "f")
        assert app.t.choice("invoice_view.fetch", "offline") in words(app)


async def test_a_new_version_is_told_and_then_reviewed_anew(tmp_path: Path) -> None:
    async with billing(tmp_path, (120, 40), language="en") as (app, pilot):
        app.have(wrong(3))
        await opened(app, pilot)
        await press(pilot, "a")
        rows = wrong(1)
        app.bill(rows, version=2, total=head_of(wrong(3), KIND, PERIOD).total)
        await press(pilot, "r")
        assert app.t("invoice_view.outdated", key="f")[:50] in words(app)
        assert len(shown(screen(app))) == 3
        await press(pilot, "f")
        # What was said of a finding that is there again stays said; the others are not there any more.
        assert shown(screen(app)) == [("total_wrong", ""), ("share_wrong", "accepted")]
        assert app.t("invoice_view.outdated", key="f")[:50] not in words(app)


async def test_a_correction_that_comes_is_reviewed_with_the_rest(tmp_path: Path) -> None:
    async with billing(tmp_path, (120, 40), language="en") as (app, pilot):
        app.have(right())
        found = await opened(app, pilot)
        assert shown(found) == []
        first = app.billed[0]
        app.billed.append(first._replace(number="2-536-2026-10-1", total=Decimal("-1.00"), corrects=first.number))
        await press(pilot, "r")
        assert shown(found) == [("total_wrong", "")]
        assert app.t("invoice_view.corrections", count=1) in words(app)


async def test_what_is_withdrawn_is_not_shown_any_more(tmp_path: Path) -> None:
    async with billing(tmp_path, (120, 40), language="en") as (app, pilot):
        app.have(wrong(3))
        found = await opened(app, pilot)
        name = found.rows.rows[0].rows[0].values["name"]
        assert name in words(app)
        app.published = [(one._replace(withdrawn=True), rows) for one, rows in app.published]
        await press(pilot, "r")
        assert shown(found) == []
        assert name not in words(app)
        assert app.t("errors.api.list_withdrawn")[:30] in words(app)


@pytest.mark.parametrize("keys", [(), ("K",), ("enter",), ("w",)])
async def test_a_mandate_that_ends_takes_all_of_it(tmp_path: Path, keys: tuple[str, ...]) -> None:
    async with billing(tmp_path, (120, 40), language="en") as (app, pilot):
        app.have(wrong(3))
        found = await opened(app, pilot)
        name = str(found.rows.rows[0].rows[0].values["name"])[:10]  # a column may cut it
        await press(pilot, "d", "x", "ctrl+s", *keys)
        assert name in words(app)
        app.work_for("municipality", "childcare_support_material")
        # The mandates are looked at whenever something is read: here by what the calendar below asks.
        await app.thread.run(app.lists.hold)
        await press(pilot, "down")
        assert name not in words(app)
        if keys:
            await press(pilot, "q")
        assert shown(found) == []
        assert app.t("invoice_view.not_any_more") in words(app)
        await press(pilot, "f", "R", "A", "w", "t", "K", "enter")
        assert app.screen is found
        assert name not in words(app)


# --- many findings, and finding among them ----------------------------------------------------------------------------


async def test_many_findings_are_listed_filtered_and_sorted(tmp_path: Path) -> None:
    async with billing(tmp_path, (120, 40), language="en") as (app, pilot):
        app.have([invoiced(number, number, municipality="536", share_percent=31) for number in range(1500)])
        found = await opened(app, pilot)
        assert found.reviewed is not None
        count = len(found.reviewed.found)
        assert count >= 3000
        assert found.rows.count == count
        await press(pilot, "G")
        assert found.rows.current is not None
        assert found.rows.current.found.key == found.reviewed.found[-1].key
        await press(pilot, "slash", *"i00007", "enter")
        assert {line.found.finding.rows for line in found.rows.rows} == {("i00007",)}
        await press(pilot, "escape", "s", *"rule", "enter")
        ruled = [line.found.finding.rule for line in found.rows.rows]
        assert ruled == sorted(ruled, key=list(rules()).index)
        await press(
            pilot, "v", *(letter if letter != " " else "space" for letter in "municipal share"), "percent_sign", "enter"
        )
        assert {rule for rule, _ in shown(found)} == {"percent_wrong"}
        assert app.t.formats.number(1500) in words(app)
        await press(pilot, "q")
        assert found.rows.count == count
        assert app.screen is found


async def test_findings_are_listed_by_state(tmp_path: Path) -> None:
    async with billing(tmp_path, (120, 40), language="en") as (app, pilot):
        app.have(wrong(4))
        found = await opened(app, pilot)
        await press(pilot, "j", "a", "v", *"open", "enter")
        assert [state for _, state in shown(found)] == ["", "", ""]
        # What is judged leaves the view, and the next one is under the cursor.
        await press(pilot, "g", "a", "a")
        assert [state for _, state in shown(found)] == [""]
        await press(pilot, "v", *"accepted", "enter")
        assert [state for _, state in shown(found)] == ["accepted"] * 3
        await press(pilot, "v", *"disputed", "enter")
        assert app.t("invoice_view.nothing_fits") in words(app)
        await press(pilot, "q", "s", *"state", "enter")
        assert [state for _, state in shown(found)] == ["", "accepted", "accepted", "accepted"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_rule_has_a_name_of_a_few_words(language: str) -> None:
    t = Translator(language)
    assert all(0 < len(t.choice("invoice_view.rule", rule)) <= 40 for rule in rules())
