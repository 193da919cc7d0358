"""A customer's file on the screen: every part and state in every size and language, and what can be done with it."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from kelmu_tui.actions import REGISTRY
from kelmu_tui.api.contract import SectionLine
from kelmu_tui.api.contract.customers import ClaimRow, PassedOnRow
from kelmu_tui.api.errors import Unreachable
from kelmu_tui.domain.sections import Hidden, Section
from kelmu_tui.screens.customer import CustomerScreen
from kelmu_tui.services.session import put_secrets
from kelmu_tui.sync.status import Connection
from kelmu_tui.widgets.sheet import Field, Paragraph, Sheet
from tests.screens.customers import LATER, LookUpOffice, line, reading, whole
from tests.screens.support import HOSTILE, LANGUAGES, SESSION, SIZES, check_grid, press, settled, text_of
from tests.services.customers import grant
from tests.services.signed_in import MANDATE, organisation, session_text
from tests.store.build import NOW, OWN
from tests.store.customer_lines import answer, down, head, hidden, matters, payment, payments, pending, person
from tests.widgets.support import until

PARTS = {str(number): section for number, section in enumerate(Section, 2)}


def words(app: LookUpOffice) -> str:
    return " ".join(text_of(app).split())


def told(app: LookUpOffice) -> str:
    """Return what the page beside the list says."""
    blocks = app.screen.query_one("#preview", Sheet).blocks
    return "\n".join(
        f"{block.label} {block.value}" if isinstance(block, Field) else block.text
        for block in blocks
        if isinstance(block, Field | Paragraph)
    )


# --- every part, size and language ----------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("size", [*SIZES, (200, 50)])
async def test_every_part_paints(tmp_path: Path, language: str, size: tuple[int, int]) -> None:
    async with reading(tmp_path, size, language=language) as (app, pilot):
        check_grid(app, size)
        assert app.t("customer_view.now") in text_of(app)
        assert "******-*" in text_of(app)
        for key, section in PARTS.items():
            await press(pilot, key)
            check_grid(app, size)
            assert app.t.choice("customer_view.tab", section) in text_of(app)
            assert app.file_screen.rows.current is not None
            assert app.file_screen.rows.count == len(app.file_screen.shown.rows)  # type: ignore[union-attr]
            await press(pilot, "enter")
            check_grid(app, size)
            await press(pilot, "q", "K")
            check_grid(app, size)
            await press(pilot, "q")
        assert isinstance(app.screen, CustomerScreen)


async def test_the_overview_answers_at_a_glance_at_80_by_24(tmp_path: Path) -> None:
    async with reading(tmp_path) as (app, _):
        text = words(app)
        assert "Perustoimeentulotuki 1.11.–30.11.2026, 578,43 € kuukaudessa" in text
        assert "Työmarkkinatuki 1.2.2026–, 37,21 € päivässä" in text
        assert "Yleinen asumistuki, saapunut 12.11.2026, liitteitä puuttuu (Vuokrasopimus)" in text
        assert "ti 1.12.2026 578,43 € Perustoimeentulotuki" in text
        assert "28.10.2026 Perustoimeentulotuki, myönnetty" in text
        assert "Pirkanmaan hyvinvointialue: Työmarkkinatuki, voimassa, 310,00 €" in text
        assert "64 % 412,10 € / 636,12 €" in text
        assert "jäljellä 320,00 € / 640,00 €, 40,00 € kuukaudessa" in text
        assert "haettu 10:00, vanhenee 22:00" in text
        assert "123/26" in text


async def test_the_first_frame_of_a_file_is_its_filled_overview(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames: list[str] = []
    paint = CustomerScreen._compositor_refresh

    def watched(screen: CustomerScreen) -> None:
        paint(screen)
        if screen.is_current and not screen.face.curtain.down:
            frames.append(text_of(screen.app))

    monkeypatch.setattr(CustomerScreen, "_compositor_refresh", watched)
    async with reading(tmp_path) as (app, _):
        assert "578,43" in frames[0]
        assert "Virtanen, Aino" in frames[0]
        assert frames[0] == text_of(app)


async def test_charts_are_numbers_for_those_who_read(tmp_path: Path) -> None:
    async with reading(tmp_path, (120, 50)) as (app, pilot):
        charts = text_of(app)
        assert "█" in charts
        assert "TMT ▁" in charts
        await press(pilot, "n")
        numbers = words(app)
        assert "█" not in numbers
        assert "▁" not in numbers
        assert "11/2026 510,00 € netto, 530,00 € brutto, 1 maksu" in numbers
        assert "TMT Työmarkkinatuki: 1.2.–28.2.2026" in numbers
        await press(pilot, "n")
        assert text_of(app) == charts


async def test_plain_terminals_get_plain_signs(tmp_path: Path) -> None:
    async with reading(tmp_path, (120, 50), ascii_only=True) as (app, pilot):
        assert "[#########.....]" in text_of(app)
        await press(pilot, "8")
        assert "[#########.....]" in text_of(app)
        for sign in "█▁▇░":
            assert sign not in text_of(app)


# --- states ---------------------------------------------------------------------------------------------------------

STATES: dict[str, tuple[SectionLine, str]] = {
    "none": (line(Section.CLAIMS), "customers.state_none"),
    "law": (hidden(Section.CLAIMS, Hidden.LAW), "customers.hidden.law"),
    "agreement": (hidden(Section.CLAIMS, Hidden.AGREEMENT), "customers.hidden.agreement"),
    "mandate": (
        SectionLine(
            section=Section.CLAIMS,
            state="hidden",
            hidden=Hidden.MANDATE,
            mandates=["benefit_viewing_and_claims"],
        ),
        "customers.hidden.mandate",
    ),
    "down": (down(Section.CLAIMS), "customers.state_down"),
}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("state", STATES)
async def test_a_section_without_rows_says_why(tmp_path: Path, state: str, size: tuple[int, int]) -> None:
    section, key = STATES[state]
    async with reading(tmp_path, size, sections=(section,)) as (app, pilot):
        await press(pilot, "5")
        for language in LANGUAGES:
            app.set_language(language)
            await settled(pilot)
            check_grid(app, size)
            assert app.t(key) in told(app)
            if section.hidden is not None:
                assert app.t.choice("customer_view.ask", section.hidden) in told(app)
                assert app.t.choice("customer_view.hidden_short", section.hidden) in text_of(app)
            assert (app.t("customers.field.mandates") in told(app)) == (state == "mandate")
            assert app.screen.query_one("#preview", Sheet).display
            assert app.t(key).split()[0] in words(app)


async def test_old_rows_of_a_source_that_is_down_are_marked_as_such(tmp_path: Path) -> None:
    async with reading(tmp_path) as (app, pilot):
        answer(app.store, head(LATER), down(Section.PAYMENTS))
        app.store_changed_now()
        await press(pilot, "4")
        assert "4 Maksut 14!" in text_of(app)
        assert app.t("customers.state_stale", at="20.11.2026 10:00") in words(app)
        await press(pilot, "1")
        assert app.t("customers.state_stale", at="20.11.2026 10:00") in words(app)


async def test_a_narrow_mandate_says_that_rows_are_left_out(tmp_path: Path) -> None:
    some = payments(payment("p", payee=None, account=None, deductions=None), narrowed=True, hidden_fields=["payee"])
    async with reading(tmp_path, sections=(some,)) as (app, pilot):
        await press(pilot, "4")
        assert app.t("customers.narrowed") in words(app)
        assert app.t("customers.field.payee") not in told(app)
        assert app.t("customer_view.fields_hidden") in told(app)


@pytest.mark.parametrize("size", SIZES)
async def test_warnings_stand_above_everything(tmp_path: Path, size: tuple[int, int]) -> None:
    who = person(
        warnings=["non_disclosure", "guardian", "interpreter", "deceased", "code_changed"],
        non_disclosure=True,
        guardian="Edunvalvoja Oy",
        interpreter_language="so",
        died=date(2026, 10, 1),
        earlier_codes=["010190-900P"],
        home_municipality=None,
        address=None,
        telephone=None,
    )
    async with reading(tmp_path, size, first=head(who=who)) as (app, pilot):
        for key in ("1", "4", "9"):
            await press(pilot, key)
            check_grid(app, size)
            for name in who.warnings:
                assert app.t.choice("customers.warning", name) in text_of(app)
            assert "1.10.2026" in text_of(app)
            assert "Tampere" not in text_of(app)


@pytest.mark.parametrize("size", SIZES)
async def test_a_very_long_name_leaves_the_code_in_sight(tmp_path: Path, size: tuple[int, int]) -> None:
    who = person(family_name="Von und zu " * 20 + "Hohenfels", given_names="日本語 " * 30)
    async with reading(tmp_path, size, first=head(who=who)) as (app, pilot):
        for key in ("1", "4"):
            await press(pilot, key)
            check_grid(app, size)
            assert "******-*" in text_of(app)
            assert "Von" in text_of(app)


async def test_hostile_text_is_shown_and_obeyed_by_nobody(tmp_path: Path) -> None:
    who = person(family_name=HOSTILE, given_names=HOSTILE, guardian=HOSTILE)
    rows = (
        matters(pending("m", missing=[HOSTILE], office=HOSTILE)),
        payments(payment("p", account=HOSTILE)),
        line(
            Section.CLAIMS,
            ClaimRow(
                id="c",
                benefit="labour_market_subsidy",
                basis="social_assistance_23",
                claimant=HOSTILE,
                period_from=date(2026, 1, 1),
                status="in_force",
                received=date(2026, 1, 8),
            ),
        ),
        line(
            Section.PASSED_ON,
            PassedOnRow(
                id="o",
                sender=HOSTILE,
                kind="wage",
                period_from=date(2026, 9, 1),
                period_to=date(2026, 9, 30),
                received=date(2026, 10, 6),
            ),
        ),
    )
    async with reading(tmp_path, first=head(who=who), sections=rows) as (app, pilot):
        check_grid(app, (80, 24))
        assert "[b]x[/]" in text_of(app)
        for part in ("2", "4", "5", "9"):
            await press(pilot, part)
            for keys in (("enter",), ("q", "K"), ("q", "y"), ("escape", "e"), ("q",)):
                await press(pilot, *keys)
                check_grid(app, (80, 24))
            assert "[b]x[/]" in told(app)
            assert app.file_screen.is_current


# --- arriving, changing, ending -------------------------------------------------------------------------------------


async def test_sections_arrive_without_moving_what_is_read(tmp_path: Path) -> None:
    async with reading(tmp_path) as (app, pilot):
        await press(pilot, "4", "j", "j", "j")
        key = app.file_screen.rows.current_key
        app.gate.clear()
        fresh = payments(payment("new", paid_on=date(2026, 12, 20), status="planned"), *map(_again, range(11, 0, -1)))
        app.answer = lambda _: (head(LATER), (line(Section.INSURANCE), fresh))
        app.time.at = LATER
        await pilot.press("r")
        await until(pilot, lambda: app.asked and not app.thread.busy, "the question")
        assert app.file_screen.rows.current_key == key
        app.gate.set()
        await settled(pilot)
        assert app.file_screen.rows.current_key == key
        assert app.file_screen.rows.count == 12
        assert "•" in text_of(app)
        assert app.asked[0].customer == "p1"
        assert app.asked[0].code is None


def _again(month: int) -> Any:
    return payment(
        f"pay{month:02d}",
        f"{400 + month * 10}.00",
        paid_on=date(2026, month, 2),
        period_from=date(2026, month, 1),
        period_to=date(2026, month, 28),
    )


async def test_news_are_marked_until_they_have_been_seen(tmp_path: Path) -> None:
    async with reading(tmp_path) as (app, pilot):
        assert "•" not in text_of(app)
        answer(app.store, head(LATER), payments(payment("new"), at=LATER))
        app.store_changed_now()
        await settled(pilot)
        assert "4 Maksut 1•" in text_of(app)
        await press(pilot, "4")
        assert "▌ •" in text_of(app)
        assert app.t("customer_view.new_row") in told(app)
        await press(pilot, "5")
        assert "•" not in text_of(app)


async def test_the_place_in_each_section_is_kept(tmp_path: Path) -> None:
    async with reading(tmp_path) as (app, pilot):
        await press(pilot, "4", "j", "j", "3", "j", "4")
        assert app.file_screen.rows.current_key == "pay10"
        await press(pilot, "tab", "shift+tab", "shift+tab")
        assert app.file_screen.part is Section.DECISIONS
        assert app.file_screen.rows.current_key == "d2"
        await press(pilot, "left_square_bracket", "left_square_bracket")
        assert app.file_screen.has_class("-overview")
        await press(pilot, "left_square_bracket")
        assert app.file_screen.shown == app.file_screen.file.sections[Section.PASSED_ON]  # type: ignore[union-attr]


async def test_a_file_that_ends_is_taken_away(tmp_path: Path) -> None:
    async with reading(tmp_path) as (app, pilot):
        await press(pilot, "4")
        app.time.at = NOW + timedelta(hours=12)
        app.update_frames()
        await settled(pilot)
        text = words(app)
        assert app.t("customer_view.gone") in text
        assert "Virtanen" not in text
        assert "578,43" not in text
        await press(pilot, "1")
        assert app.t("customer_view.gone") in words(app)


async def test_a_mandate_that_ends_takes_the_file_away(tmp_path: Path) -> None:
    async with reading(tmp_path) as (app, pilot):
        made = organisation(OWN, "Pirkanmaa", grants=[grant(MANDATE)])
        user = {"id": SESSION.user_id, "name": "Laura Koski", "language": "fi"}
        put_secrets(app.store, {"session": session_text(made, user=user)})
        app.store_changed_now()
        await settled(pilot)
        assert app.t("customer_view.gone") in words(app)
        assert "Virtanen" not in words(app)


async def test_fetching_again_needs_a_connection_and_tells_what_hinders(tmp_path: Path) -> None:
    async with reading(tmp_path) as (app, pilot):
        app.set_status(state=Connection.OFFLINE)
        await press(pilot, "r")
        assert app.t("actions.why.offline") in words(app)
        assert app.asked == []
        app.set_status(state=Connection.ONLINE)
        app.problem = Unreachable()
        await press(pilot, "r")
        assert len(app.asked) == 1
        assert app.t("errors.api.unreachable")[:40] in words(app)
        assert "Virtanen" in words(app)


async def test_twenty_years_of_payments_scroll(tmp_path: Path) -> None:
    rows = [payment(f"p{number:04d}", paid_on=date(2026, 11, 2) - timedelta(days=10 * number)) for number in range(720)]
    async with reading(tmp_path, sections=(payments(*rows),)) as (app, pilot):
        await press(pilot, "4", "G")
        assert app.file_screen.rows.current_key == "p0719"
        assert "720" in text_of(app)
        check_grid(app, (80, 24))


async def test_sums_are_those_of_the_rows(tmp_path: Path) -> None:
    async with reading(tmp_path, (120, 50)) as (app, _):
        paid = [row.net for one in whole() for row in one.payments if row.status != "returned"]
        assert app.t.formats.euros(sum(paid, Decimal(0)) - Decimal("611.00")) in text_of(app)


def test_each_section_has_its_own_key() -> None:
    assert {key: f"customer.{section.value}" for key, section in PARTS.items()} == {
        action.keys[0]: name for name, action in REGISTRY.items() if name.removeprefix("customer.") in set(Section)
    }
