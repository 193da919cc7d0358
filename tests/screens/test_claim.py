"""One claim on the screen: what it says, how it stands and what comes next; live, explained, as text, and its end."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from kelmu_tui.domain.claims.life import Status
from kelmu_tui.i18n import LANGUAGES
from kelmu_tui.screens.claim import ClaimScreen
from kelmu_tui.screens.claim_begin import Begin
from kelmu_tui.screens.claim_day import EndScreen, ProlongScreen
from kelmu_tui.screens.claim_form import ClaimFormScreen
from kelmu_tui.screens.claim_pages import ClaimExplainScreen, ClaimTextScreen
from kelmu_tui.screens.claims import ClaimsScreen
from kelmu_tui.screens.confirm import ConfirmScreen
from kelmu_tui.services.claim_words import (
    basis_name,
    end_reason_name,
    event_text,
    rejection_text,
    rule_name,
    status_name,
)
from kelmu_tui.sync.status import Connection
from tests.screens.claims import (
    CODE,
    COLLEAGUE,
    IBAN,
    ClaimsOffice,
    claim,
    editing,
    in_every_state,
    listing,
    opened,
    page,
    words,
)
from tests.screens.support import HOSTILE, SIZES, check_grid, press, settled, text_of
from tests.store.build import NOW
from tests.widgets.support import until

HOUR = timedelta(hours=1)
STATES = [row["id"] for row in in_every_state()]


def told(app: ClaimsOffice) -> str:
    """Return everything that stands on the page, also below the screen's edge."""
    from kelmu_tui.widgets.sheet import layout

    return " ".join(" ".join(text for text, _ in line) for line in layout(page(app).sheet.blocks, 200)).replace(
        "\xa0", " "
    )


async def show(app: ClaimsOffice, pilot: Any, id: str) -> ClaimScreen:  # noqa: A002
    """Show a claim whatever view it would stand in."""
    app.show_claim(id)
    await until(pilot, lambda: isinstance(app.screen, ClaimScreen) and app.screen.ready, "the page")
    await settled(pilot)
    return page(app)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_claim_in_every_state(tmp_path: Path, size: tuple[int, int], language: str) -> None:
    async with listing(tmp_path, in_every_state(), size, language=language) as (app, pilot):
        for id_ in STATES:
            screen = await show(app, pilot, id_)
            check_grid(app, size)
            assert screen.file is not None
            text = told(app)
            assert status_name(screen.file.line.status, app.t) in text
            assert basis_name("client_fees_14", app.t) in text
            await press(pilot, "G")
            check_grid(app, size)
            await press(pilot, "q")


async def test_what_it_says_what_was_paid_and_what_happened(tmp_path: Path) -> None:
    async with listing(tmp_path, in_every_state(), (120, 40), language="en") as (app, pilot):
        await opened(app, pilot, "paid")
        text, euros = told(app), app.t.formats.euros
        for wanted in (
            "Lahti, Aino",
            "1.10.2026–31.3.2027",
            euros(Decimal("412.50")),
            "FI21 1234 5600 0007 85 Sosiaalipalvelut",
            "RF18 5390",
            "Laitoshoito jatkuu.",
            "Laura Koski, 09 123 4567",
            f"19.11.2026 {euros(Decimal(100))}",
            app.t("claim_view.paid_in_all", amount=euros(Decimal("512.50"))),
            f"{event_text('register', app.t)}, Laura Koski",
        ):
            assert wanted in " ".join(text.split()), wanted
        assert CODE not in text
        assert app.looks()[1:] == [("claim", "paid", 1)]


async def test_a_rejected_and_an_ended_claim_say_why(tmp_path: Path) -> None:
    async with listing(tmp_path, in_every_state(), (120, 40), language="en") as (app, pilot):
        await show(app, pilot, "rejected")
        assert rejection_text("no_benefit", app.t) in told(app)
        assert app.t("claim_view.next_rejected", again="C", letter="w") in words(app)
        await press(pilot, "q")
        await show(app, pilot, "ended")
        assert f"10.11.2026, {end_reason_name('care_ended', app.t)}" in told(app)


async def test_a_late_one_says_so_with_its_days(tmp_path: Path) -> None:
    async with listing(tmp_path, in_every_state(), (120, 40), language="en") as (app, pilot):
        screen = await opened(app, pilot, "late")
        assert screen.file is not None
        latest = screen.file.line.latest
        assert latest is not None
        said = app.t("claim_view.late_text", day=app.t.formats.date(latest))
        assert said in told(app)
        assert app.t("claim_view.late_first", day="7.1.2027") in told(app)


async def test_the_feed_changes_what_is_being_read(tmp_path: Path) -> None:
    async with listing(tmp_path, [claim("x", status=Status.REGISTERED)], (120, 40), language="en") as (app, pilot):
        await opened(app, pilot, "x")
        app.hold([claim("x", version=2, status=Status.HEARING, hearing_until="2026-12-04")])
        await settled(pilot)
        assert app.t("claim_view.next_hearing_until", day="4.12.2026") in words(app)
        paid = [{"on": "2026-12-04", "amount": "412.50"}]
        app.hold([claim("x", version=3, payments=paid)])
        await settled(pilot)
        assert app.t("claim_view.paid_in_all", amount="€412.50") in told(app)
        assert [view for view, _, _ in app.looks()].count("claim") == 3  # each answer of Kela's is another look


async def test_painting_it_anew_is_no_other_look(tmp_path: Path) -> None:
    async with listing(tmp_path, [claim("x")], language="en") as (app, pilot):
        await opened(app, pilot, "x")
        app.time.at = NOW + timedelta(minutes=5)
        app.update_frames()
        app.set_language("sv")
        await settled(pilot)
        assert [view for view, _, _ in app.looks()].count("claim") == 1
        assert app.t("claim_view.says") in words(app)


async def test_two_people_on_one_claim_see_each_other(tmp_path: Path) -> None:
    async with listing(tmp_path, [claim("x", status=Status.REGISTERED)], language="en") as (app, pilot):
        await opened(app, pilot, "x")
        app.hold([claim("x", status=Status.REGISTERED, editing=editing(NOW + timedelta(minutes=2)))])
        await settled(pilot)
        assert app.t("claim_view.editing_text", who=COLLEAGUE) in words(app)
        await press(pilot, "e")
        assert isinstance(app.screen, ConfirmScreen)
        await press(pilot, "escape")
        app.time.at = NOW + timedelta(minutes=3)
        app.update_frames()
        await settled(pilot)
        assert COLLEAGUE not in words(app)


async def test_own_commands_show_at_once_and_come_back(tmp_path: Path) -> None:
    async with listing(tmp_path, [claim("x")], (120, 40), language="en") as (app, pilot):
        await opened(app, pilot, "x")
        await press(pilot, "d")
        assert isinstance(app.screen, EndScreen)
        await press(pilot, "enter")
        what = app.t.choice("claim_view.pending", "claim-end")
        assert app.t("claim_view.on_its_way", what=what) in words(app)
        assert app.t("claim_view.not_sent_yet") in told(app)
        await press(pilot, "u")
        assert app.commands() == []
        assert app.t("claim_view.on_its_way", what=what) not in told(app)


async def test_acts_of_the_page(tmp_path: Path) -> None:
    async with listing(tmp_path, [claim("x", status=Status.REGISTERED), claim("y")], language="en") as (app, pilot):
        await opened(app, pilot, "x")
        for key, begin in (("e", Begin.of_change("x")), ("C", Begin.of_copy("x")), ("n", Begin.new())):
            await press(pilot, key)
            await until(pilot, lambda: isinstance(app.screen, ClaimFormScreen), "the form")
            form = app.screen
            assert isinstance(form, ClaimFormScreen)
            assert form.begin == begin
            form.dismiss(None)
            await settled(pilot)
        await press(pilot, "c", "down", "enter")
        assert [(verb, id_) for verb, id_, _ in app.commands()] == [("claim-cancel", "x")]
        await press(pilot, "q")
        await show(app, pilot, "y")
        await press(pilot, "p")
        assert isinstance(app.screen, ProlongScreen)


async def test_offline_the_page_says_of_when_it_is(tmp_path: Path) -> None:
    async with listing(tmp_path, [claim("x")], (120, 40), language="en") as (app, pilot):
        app.set_status(state=Connection.OFFLINE)
        await opened(app, pilot, "x")
        screen = page(app)
        assert screen.file is not None
        at = screen.file.data_at
        said = (
            app.t("claim_view.never_heard") if at is None else app.t("claim_view.data_of", at=app.t.formats.instant(at))
        )
        assert said in told(app)


async def test_the_explanation_names_rules_with_their_sources(tmp_path: Path) -> None:
    async with listing(tmp_path, [claim("x")], (120, 40), language="en") as (app, pilot):
        await opened(app, pilot, "x")
        await press(pilot, "K")
        await until(pilot, lambda: isinstance(app.screen, ClaimExplainScreen), "the explanation")
        await settled(pilot)
        from kelmu_tui.widgets.sheet import layout

        explained = app.screen
        assert isinstance(explained, ClaimExplainScreen)
        lines = ["".join(text for text, _ in line) for line in layout(explained.sheet.blocks, 400)]
        text = "\n".join(lines)
        assert app.t("claim_view.explain_rules") in text
        assert rule_name("two_weeks", app.t) in text
        assert "https://www.kela.fi/" in text
        assert app.t.choice("claim_view.means", Status.IN_FORCE) in text
        for size in SIZES:
            await pilot.resize_terminal(*size)
            await settled(pilot)
            check_grid(app, size)
        await press(pilot, "q")
        assert isinstance(app.screen, ClaimScreen)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_claim_as_text_leaves_after_it_was_logged(tmp_path: Path, language: str) -> None:
    async with listing(tmp_path, in_every_state(), (120, 40), language=language) as (app, pilot):
        await opened(app, pilot, "paid")
        sent: list[str] = []
        app.send_copy = sent.append  # type: ignore[method-assign,assignment]
        await press(pilot, "y")
        await until(pilot, lambda: isinstance(app.screen, ClaimTextScreen), "the text")
        await settled(pilot)
        assert app.looks()[-1] == ("claim:copy", "paid", 1)
        check_grid(app, (120, 40))
        await press(pilot, "y")
        assert len(sent) == 1
        text = " ".join(sent[0].split())
        assert app.t("claim_view.record_title") in text
        assert "Lahti, Aino" in text
        assert IBAN[:4] in text
        assert CODE not in text
        assert app.t("customer_view.sent")[:30] in words(app)


async def test_the_text_is_saved_in_a_file_without_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    async with listing(tmp_path, in_every_state(), (120, 40), language="en") as (app, pilot):
        await opened(app, pilot, "paid")
        await press(pilot, "y", "w")
        await press(pilot, "enter")
        await until(pilot, lambda: list(tmp_path.glob("kelmu-claim-*.txt")), "the file")
        await settled(pilot)
        saved = next(tmp_path.glob("kelmu-claim-*.txt"))
        assert "Lahti, Aino" in saved.read_text(encoding="utf-8")
        assert saved.stat().st_mode & 0o077 == 0
        assert app.looks()[-2:] == [("claim:copy", "paid", 1)] * 2


async def test_hostile_texts_are_text(tmp_path: Path) -> None:
    rows = [claim("x", grounds=HOSTILE, handler=HOSTILE[:60], given=HOSTILE)]
    async with listing(tmp_path, rows, (120, 40), language="en") as (app, pilot):
        await opened(app, pilot, "x")
        check_grid(app, (120, 40))
        assert "[b]x[/]" in text_of(app)
        await press(pilot, "y")
        await settled(pilot)
        check_grid(app, (120, 40))


async def test_when_the_mandate_ends_the_page_is_closed(tmp_path: Path) -> None:
    async with listing(tmp_path, in_every_state(), (120, 40), language="en") as (app, pilot):
        await opened(app, pilot, "paid")
        assert "Lahti" in words(app)
        app.lose()
        await settled(pilot)
        assert "Lahti" not in words(app)
        assert app.t("claim_view.closed_text", key="?")[:60] in words(app)
        await press(pilot, "d")
        assert isinstance(app.screen, ClaimScreen)
        assert app.commands() == []


async def test_the_text_is_taken_away_with_the_mandate(tmp_path: Path) -> None:
    async with listing(tmp_path, in_every_state(), (120, 40), language="en") as (app, pilot):
        await opened(app, pilot, "paid")
        await press(pilot, "y")
        await settled(pilot)
        assert "Lahti" in words(app)
        app.lose()
        await settled(pilot)
        assert isinstance(app.screen, ClaimTextScreen)
        assert "Lahti" not in words(app)


async def test_a_claim_that_is_gone_says_so(tmp_path: Path) -> None:
    async with listing(tmp_path, [claim("x", status=Status.CANCELLED, expires_at=NOW + HOUR)], language="en") as (
        app,
        pilot,
    ):
        await show(app, pilot, "x")
        app.time.at = NOW + 2 * HOUR
        app.store_changed_now()
        page(app).reload()
        await settled(pilot)
        assert app.t("claim_view.gone")[:40] in words(app)
        await press(pilot, "q")
        assert isinstance(app.screen, ClaimsScreen)


async def test_the_letter_names_the_payee_whole_and_says_how_it_goes(tmp_path: Path) -> None:
    async with listing(tmp_path, in_every_state(), (120, 40), language="en") as (app, pilot):
        await opened(app, pilot, "paid")
        sent: list[str] = []
        app.send_copy = sent.append  # type: ignore[method-assign,assignment]
        await press(pilot, "w")
        await until(pilot, lambda: isinstance(app.screen, ClaimTextScreen), "the letter")
        await settled(pilot)
        assert app.looks()[-1] == ("claim:letter", "paid", 1)
        assert app.t("claims.letter_in_kelmu")[:60] in words(app)
        await press(pilot, "y")
        assert CODE in sent[0]
        assert app.t("claims.letter_title") in sent[0]
        assert app.t("claims.letter_in_kelmu")[:60] not in " ".join(sent[0].split())
        for size in SIZES:
            await pilot.resize_terminal(*size)
            await settled(pilot)
            check_grid(app, size)
