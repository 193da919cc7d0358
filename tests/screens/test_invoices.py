"""The calendar of invoices: every state, days and marks, fetching, what is closed and why, and being offline."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from textual.screen import Screen

from kelmu_tui.api.errors import Timeout
from kelmu_tui.domain.lists import invoices as kinds
from kelmu_tui.i18n import LANGUAGES, Translator
from kelmu_tui.screens.customers import CustomersScreen
from kelmu_tui.screens.fetches import FRESH
from kelmu_tui.screens.house import KelmuApp
from kelmu_tui.screens.inbox import InboxScreen
from kelmu_tui.screens.invoice import InvoiceScreen
from kelmu_tui.screens.invoices import InvoicesScreen
from kelmu_tui.screens.list_shelf import ListsScreen
from kelmu_tui.sync.status import Connection
from tests.screens.invoices import KIND, LIST, PERIOD, InvoicesOffice, billing, opened, right, wrong
from tests.screens.lists import looks, words
from tests.screens.support import SIZES, check_grid, press, settled
from tests.services.invoices import ABROAD, MUNICIPAL
from tests.widgets.support import until


def screen(app: InvoicesOffice) -> InvoicesScreen:
    assert isinstance(app.screen, InvoicesScreen)
    return app.screen


def states(app: InvoicesOffice) -> dict[str, str]:
    """Return what stands in the last column, by kind and period."""
    return {key: cells["state"] for key, cells in table(app).items()}


def table(app: InvoicesOffice) -> dict[str, dict[str, str]]:
    """Return the cells of the rows, by kind and period."""
    shown = screen(app)
    return {shown.key(row): {name: cell.text for name, cell in shown.cells(row).items()} for row in shown.rows.rows}


async def at(app: InvoicesOffice, key: str) -> None:
    screen(app).rows.jump(key)


def some(app: InvoicesOffice) -> None:
    """Let there be an invoice in every state."""
    app.have(right("2026-06"), period="2026-06")
    app.have(right("2026-07"), period="2026-07")
    app.bill(right("2026-07"), period="2026-07", version=2)
    app.bill(right("2026-08"), period="2026-08")
    rows = right("2026-09")
    app.bill(rows, period="2026-09")
    app.bill(right(), period=PERIOD)
    app.published = [
        (one._replace(withdrawn=one.period == "2026-08"), kept) for one, kept in app.published if one.period != PERIOD
    ]
    app.lists.take(app.lists.begin(next(one for one, _ in app.published if one.period == "2026-09")), rows[:3])


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("language", LANGUAGES)
async def test_every_state_of_an_invoice(tmp_path: Path, size: tuple[int, int], language: str) -> None:
    async with billing(tmp_path, size, language=language) as (app, pilot):
        some(app)
        await press(pilot, "4")
        t, found = app.t, states(app)
        assert found[f"{KIND}/2026-11"] == t("invoice_view.to_come")
        assert found[f"{KIND}/{PERIOD}"] == t("invoice_view.no_rows_published")
        assert found[f"{KIND}/2026-09"] == t("lists.part_here", count=3)
        assert found[f"{KIND}/2026-08"] == t("lists.withdrawn")
        assert found[f"{KIND}/2026-07"] == t("lists.anew")
        assert found[f"{KIND}/2026-06"] == t("invoice_view.not_reviewed")
        assert found["treatment_abroad/"] == t("lists.closed")
        check_grid(app, size)
        if size != SIZES[0]:
            assert t("invoice_view.heading") in words(app)
        for key in found:
            await at(app, key)
            await settled(pilot)
            check_grid(app, size)
        assert looks(app) == []


async def test_the_days_and_sums_of_an_invoice(tmp_path: Path) -> None:
    async with billing(tmp_path, (120, 40), language="en") as (app, pilot):
        rows = right()
        app.have(rows)
        app.time.at = datetime(2026, 11, 26, 8, tzinfo=UTC)
        await press(pilot, "4")
        cells = table(app)[f"{KIND}/{PERIOD}"]
        assert cells["sent"] == "16.11."
        assert cells["due"].replace("\xa0", " ") == "30.11. 2 wd"
        total = sum((Decimal(row["municipal_share_eur"]) for row in rows), Decimal())
        assert cells["total"] == app.t.formats.euros(total)
        assert cells["rows"] == str(len(rows))
        assert "corrections" not in cells
        row = next(row for row in screen(app).rows.rows if screen(app).key(row) == f"{KIND}/{PERIOD}")
        assert screen(app).flag(row).text == app.glyphs.urgent
        app.time.at = datetime(2026, 12, 2, 8, tzinfo=UTC)
        assert screen(app).cells(row)["due"].text == "30.11."
        assert screen(app).flag(row).text == " "


async def test_what_is_to_come_cannot_be_opened_yet(tmp_path: Path) -> None:
    async with billing(tmp_path, (120, 40), language="en") as (app, pilot):
        await press(pilot, "4", "enter")
        assert isinstance(app.screen, InvoicesScreen)
        assert screen(app).rows.rows[0].billing.expected
        assert app.t("invoice_view.not_come_yet") in words(app)
        assert app.t("invoice_view.to_come_text")[:40] in words(app)


async def test_a_correction_is_counted_and_told(tmp_path: Path) -> None:
    async with billing(tmp_path, (120, 40), language="en") as (app, pilot):
        app.have(right())
        first = app.billed[0]
        more = first._replace(number="2-536-2026-10-1", total=Decimal("-12.50"), rows=1, corrects=first.number)
        app.billed.append(more)
        app.invoices.announce(app.billed)
        await press(pilot, "4")
        cells = table(app)[f"{KIND}/{PERIOD}"]
        assert cells["corrections"] == "1"
        assert cells["total"] == app.t.formats.euros(first.total - Decimal("12.50"))
        await at(app, f"{KIND}/{PERIOD}")
        await settled(pilot)
        assert app.t("invoice_view.correction", number=more.number) in words(app)
        await press(pilot, "enter")
        assert app.t("invoice_view.corrections", count=1) in words(app)
        await press(pilot, "t")
        text = words(app)
        assert app.t("invoice_view.correction", number=more.number) in text
        assert app.t.formats.euros(more.total) in text
        check_grid(app, (120, 40))


async def test_fetching_the_rows_and_opening(tmp_path: Path) -> None:
    async with billing(tmp_path, language="en") as (app, pilot):
        rows = right()
        app.bill(rows)
        app.gate.clear()
        await press(pilot, "4")
        await at(app, f"{KIND}/{PERIOD}")
        await pilot.press("f")
        await until(pilot, lambda: f"/{len(rows)} rows" in words(app), "half of it")
        await press(pilot, "escape")
        await until(pilot, lambda: "lists.fetch" not in app.tasks.names, "the end")
        await settled(pilot)
        assert states(app)[f"{KIND}/{PERIOD}"] == app.t("lists.part_here", count=len(rows) // 2)
        app.gate.set()
        await press(pilot, "f")
        assert states(app)[f"{KIND}/{PERIOD}"] == app.t("invoice_view.not_reviewed")
        assert looks(app) == []
        await press(pilot, "enter")
        assert isinstance(app.screen, InvoiceScreen)
        assert looks(app) == [("list_rows", f"{LIST}/{PERIOD}", len(rows))]


async def test_a_fetch_that_fails_says_why(tmp_path: Path) -> None:
    async with billing(tmp_path, language="en") as (app, pilot):
        app.bill(right())
        await press(pilot, "4")
        await at(app, f"{KIND}/{PERIOD}")
        app.refused = Timeout()
        await press(pilot, "f")
        assert states(app)[f"{KIND}/{PERIOD}"] == app.t("lists.failed")
        assert app.t("errors.api.timeout")[:30] in words(app)


@pytest.mark.parametrize(
    ("key", "text"),
    [
        (f"{KIND}/2026-06", "invoice_view.fetch.here"),
        (f"{KIND}/2026-08", "invoice_view.fetch.withdrawn"),
        (f"{KIND}/{PERIOD}", "invoice_view.fetch.none"),
        (f"{KIND}/2026-11", "invoice_view.not_come_yet"),
        ("treatment_abroad/", "errors.reason.organisation_type"),
    ],
)
async def test_what_cannot_be_fetched_says_why(tmp_path: Path, key: str, text: str) -> None:
    async with billing(tmp_path, (120, 40), language="en") as (app, pilot):
        some(app)
        await press(pilot, "4")
        await at(app, key)
        await press(pilot, "f")
        area, _, family = text.rpartition(".")
        said = app.t.choice(area, family) if area.count(".") else app.t(text)
        assert said[:40] in words(app)


async def test_how_far_the_review_is(tmp_path: Path) -> None:
    async with billing(tmp_path, (120, 40), language="en") as (app, pilot):
        app.have(wrong(2))
        app.have(right("2026-09"), period="2026-09")
        await opened(app, pilot, period="2026-09")
        await press(pilot, "q")
        assert states(app)[f"{KIND}/2026-09"] == app.t("invoice_view.nothing_found")
        await opened(app, pilot)
        await press(pilot, "q")
        assert states(app)[f"{KIND}/{PERIOD}"] == app.t("invoice_view.open", count=2)
        assert states(app)[f"{KIND}/2026-09"] == app.t("invoice_view.nothing_found")
        await press(pilot, "enter", "a", "j", "d", "x", "ctrl+s", "q")
        done, disputed = app.t("invoice_view.all_judged"), app.t.choice("invoice_view.counted", "disputed", count=1)
        assert states(app)[f"{KIND}/{PERIOD}"] == f"{done}, {disputed}"
        app.have(wrong(2), version=2)
        await settled(pilot)
        assert states(app)[f"{KIND}/{PERIOD}"] == app.t("invoice_view.judged_before", count=2)


async def test_offline_it_says_since_when_it_is_known(tmp_path: Path) -> None:
    async with billing(tmp_path, language="en") as (app, pilot):
        app.bill(right())
        await press(pilot, "4")
        at_ = app.t.formats.moment(app.now(), app.now())
        app.set_status(state=Connection.OFFLINE)
        await settled(pilot)
        assert app.t("invoice_view.offline_at", at=at_) in words(app)
        await at(app, f"{KIND}/{PERIOD}")
        await press(pilot, "f")
        assert app.t.choice("invoice_view.fetch", "offline") in words(app)


async def test_an_idle_screen_does_not_go_on_asking(tmp_path: Path) -> None:
    async with billing(tmp_path, language="en") as (app, pilot):
        await press(pilot, "4")
        assert app.refreshed == 1
        app.time.at += 2 * FRESH
        app.update_frames()
        await settled(pilot)
        assert app.refreshed == 1


async def test_asking_anew(tmp_path: Path) -> None:
    async with billing(tmp_path, language="en") as (app, pilot):
        await press(pilot, "4")
        assert app.refreshed == 1
        app.bill(right())
        await press(pilot, "r")
        assert (app.refreshed, app.pokes) == (2, 1)
        assert states(app)[f"{KIND}/{PERIOD}"] == app.t("lists.not_here")


@pytest.mark.parametrize(
    ("kind", "mandates", "open_kinds"),
    [
        ("municipality", MUNICIPAL[:1], {"lms_pre_2025"}),
        ("wellbeing_county", (ABROAD,), {"treatment_abroad"}),
        ("reception_centre", (), set()),
    ],
)
async def test_what_is_closed_says_why(
    tmp_path: Path, kind: str, mandates: tuple[str, ...], open_kinds: set[str]
) -> None:
    async with billing(tmp_path, (120, 40), language="en") as (app, pilot):
        app.work_for(kind, *mandates)
        await press(pilot, "4")
        closed = [row for row in screen(app).rows.rows if row.denied is not None]
        assert {row.kind.id for row in closed} == set(kinds()) - open_kinds
        await at(app, screen(app).key(closed[0]))
        await settled(pilot)
        assert app.t.choice("errors.reason", closed[0].denied.reason)[:40] in words(app)
        await press(pilot, "enter")
        assert isinstance(app.screen, InvoicesScreen)


async def test_a_mandate_that_ends_closes_the_kind(tmp_path: Path) -> None:
    async with billing(tmp_path, language="en") as (app, pilot):
        app.have(right())
        await press(pilot, "4")
        app.work_for("municipality", "childcare_support_material")
        await press(pilot, "r")
        assert f"{KIND}/{PERIOD}" not in states(app)
        assert states(app)[f"{KIND}/"] == app.t("lists.closed")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_kind_has_a_short_name_that_fits(language: str) -> None:
    t = Translator(language)
    assert all(0 < len(t.choice("invoice_view.kind", kind)) <= 22 for kind in kinds())


@pytest.mark.parametrize(
    ("opened_by", "first"),
    [
        ({"notices_inbox", LIST}, InboxScreen),
        ({"customer_lookup", LIST}, CustomersScreen),
        ({LIST}, InvoicesScreen),
        ({"list_front_veterans_supplement"}, ListsScreen),
    ],
)
async def test_what_is_shown_first_is_what_the_mandates_open(
    tmp_path: Path, opened_by: set[str], first: type[Screen[None]]
) -> None:
    async with billing(tmp_path) as (app, _):
        assert app.desk is not None
        session = app.desk.session._replace(capabilities=frozenset(opened_by))
        assert type(KelmuApp._first_screen(replace(app.desk, session=session))) is first


async def test_as_the_first_screen_it_is_not_left_and_asks_when_there_is_somebody(tmp_path: Path) -> None:
    async with billing(tmp_path, language="en") as (app, pilot):
        app.set_status(state=Connection.CONNECTING)
        app.bill(right())
        assert app.desk is not None
        await app.pop_screen()
        await app.push_screen(InvoicesScreen(app.desk))
        await settled(pilot)
        assert app.refreshed == 0
        app.set_status(state=Connection.ONLINE)
        await settled(pilot)
        assert app.refreshed == 1
        assert f"{KIND}/{PERIOD}" in states(app)
        await press(pilot, "q", "4")
        assert len(app.screen_stack) == 2
        assert app.t("common.quit_hint", key="ctrl+q") in words(app)
        await press(pilot, "3")
        assert type(app.screen).__name__ == ListsScreen.__name__
        await press(pilot, "q")
        assert isinstance(app.screen, InvoicesScreen)
