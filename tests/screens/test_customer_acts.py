"""What can be done with a customer's file on the screen; what leaves it is logged before."""

from __future__ import annotations

import base64
import threading
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from kelmu_tui.api.contract import HouseholdPerson, Problem, ProblemCode
from kelmu_tui.api.errors import ProblemAnswer
from kelmu_tui.domain.sections import Section
from kelmu_tui.screens.customer import CustomerScreen
from kelmu_tui.screens.customer_pages import ExplainScreen, TextScreen
from kelmu_tui.screens.save_file import SaveScreen
from kelmu_tui.widgets.sheet import Heading, Paragraph, Sheet
from kelmu_tui.widgets.text_field import LineField
from tests.screens.customers import LookUpOffice, line, logged, looking, reading, whole
from tests.screens.support import LANGUAGES, press, settled, text_of, type_text
from tests.store.customer_lines import answer, head, person
from tests.widgets.support import until


def words(app: LookUpOffice) -> str:
    return " ".join(text_of(app).split())


# --- what is logged -------------------------------------------------------------------------------------------------


async def test_a_look_is_logged_once_and_before_it_is_shown(tmp_path: Path) -> None:
    async with reading(tmp_path) as (app, pilot):
        assert logged(app) == [("customer", "p1")]
        await press(pilot, "4", "5", "1", "L")
        assert logged(app) == [("customer", "p1")]


async def test_what_changes_during_the_first_reading_is_no_second_look(tmp_path: Path) -> None:
    async with looking(tmp_path) as (app, pilot):
        answer(app.store, head(), *whole())
        may_go = threading.Event()
        app.spawn("test.disk", app.thread.run(may_go.wait))
        app.call_later(app.show_customer, "p1")
        await until(pilot, lambda: isinstance(app.screen, CustomerScreen) and app.screen.ready, "the screen")
        app.store_changed_now()
        app.store_changed_now()
        may_go.set()
        await settled(pilot)
        assert "578,43" in text_of(app)
        assert logged(app) == [("customer", "p1")]


async def test_the_code_is_shown_whole_for_ten_seconds_and_logged(tmp_path: Path) -> None:
    async with reading(tmp_path) as (app, pilot):
        code = person().identity_code
        assert code not in text_of(app)
        await press(pilot, "c")
        assert code in text_of(app)
        assert logged(app)[-1] == ("customer:code", "p1")
        timer = app.file_screen._whole_timer
        assert timer is not None
        assert timer._interval == 10.0
        app.file_screen._mask()
        await settled(pilot)
        assert code not in text_of(app)


async def test_one_field_is_copied_cleanly_and_logged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []
    async with reading(tmp_path) as (app, pilot):
        assert app._driver is not None
        write = app._driver.write

        def record(data: str) -> None:
            sent.append(data)
            write(data)

        monkeypatch.setattr(app._driver, "write", record)
        await press(pilot, "4", "y")
        await type_text(pilot, "netto")
        assert logged(app)[-1] == ("customer", "p1")
        await press(pilot, "enter")
        assert logged(app)[-1] == ("customer_copy", "p1")
        copies = [data for data in sent if data.startswith("\x1b]52;c;")]
        assert [base64.b64decode(data[7:-1]).decode() for data in copies] == ["578,43\u00a0€"]
        assert app.t("customer_view.sent")[:30] in words(app)


async def test_a_section_becomes_text_for_the_case_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []
    async with reading(tmp_path) as (app, pilot):
        await press(pilot, "5", "e")
        assert isinstance(app.screen, TextScreen)
        text = words(app)
        assert "Maksuvaatimukset: Virtanen, Aino Örnvik" in text
        assert "Lähde: Kela, tieto 20.11.2026 10:00. Haettu 20.11.2026 10:00." in text
        assert "Täydentävä tai ehkäisevä toimeentulotuki. Asia: 123/26." in text
        assert logged(app)[-1] == ("customer_copy", "p1")
        assert app._driver is not None
        monkeypatch.setattr(app._driver, "write", sent.append)
        await pilot.press("y")
        await until(pilot, lambda: any(data.startswith("\x1b]52;c;") for data in sent), "the copy")
        copy = next(data for data in sent if data.startswith("\x1b]52;c;"))
        assert "Pirkanmaan hyvinvointialue" in base64.b64decode(copy[7:-1]).decode()


async def test_from_the_overview_the_whole_file_becomes_text(tmp_path: Path) -> None:
    async with reading(tmp_path) as (app, pilot):
        await press(pilot, "e")
        assert isinstance(app.screen, TextScreen)
        text = "\n".join(block.text for block in app.screen.sheet.blocks if isinstance(block, Paragraph))
        assert app.file_screen.file is not None
        for section in app.file_screen.file.sections:
            assert app.t.choice("customers.section", section).upper() in text
        assert logged(app)[-1] == ("customer_copy", "p1")


# --- saving and printing --------------------------------------------------------------------------------------------


async def name_it(app: LookUpOffice, pilot: Pilot[Any], name: str) -> None:
    assert isinstance(app.screen, SaveScreen)
    await press(pilot, "ctrl+u")
    await type_text(pilot, name)
    await press(pilot, "enter")
    await until(pilot, lambda: "file.save" not in app.tasks.names, "the file")
    await settled(pilot)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_section_is_saved_in_the_form_of_its_ending(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int], language: str
) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    monkeypatch.setenv("HOME", str(home))
    async with reading(tmp_path, size, language=language) as (app, pilot):
        await press(pilot, "4", "w")
        suggested = app.screen.query_one(LineField).value
        assert suggested.startswith("~/kelmu-payments-2026")
        assert suggested.endswith(".txt")
        assert app.t("saving.about")[:30] in words(app)
        assert logged(app)[-1] == ("customer", "p1")
        await name_it(app, pilot, "maksut.csv")
        assert app.screen is app.file_screen
        assert app.t("saving.done", path="")[:5] in words(app)
        assert logged(app)[-1] == ("customer_export", "p1")
        saved = home / "maksut.csv"
        assert saved.read_bytes().startswith(b"\xef\xbb\xbfsection")
        assert saved.stat().st_mode & 0o777 == 0o600
        await press(pilot, "1", "w", "enter")
        await until(pilot, lambda: len(list(home.iterdir())) == 2, "the whole file")
        (whole,) = home.glob("kelmu-customer-*.txt")
        assert "1/" in whole.read_text()


async def test_what_hinders_saving_is_said_where_the_name_was_typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, shared = tmp_path / "home", tmp_path / "shared"
    home.mkdir(mode=0o700)
    shared.mkdir()
    shared.chmod(0o777)
    (home / "a.txt").write_text("vanha")
    monkeypatch.setenv("HOME", str(home))
    async with reading(tmp_path, (120, 40), language="en") as (app, pilot):
        await press(pilot, "4", "w")
        for name, reason in (("a.txt", "exists"), ("b.pdf", "ending"), ("none/a.txt", "no_folder")):
            await name_it(app, pilot, name)
            assert app.t.choice("saving.problem", reason, folder=str(home / "none"))[:18] in words(app)
            assert app.screen.query_one(LineField).value == name
        assert logged(app)[-1] == ("customer", "p1")
        await name_it(app, pilot, f"{shared}/b.txt")
        assert app.t("saving.shared")[:30] in words(app)
        assert list(shared.iterdir()) == []
        await press(pilot, "enter")
        await until(pilot, lambda: app.screen is app.file_screen, "the file in the shared folder")
        assert [path.name for path in shared.iterdir()] == ["b.txt"]
        assert (home / "a.txt").read_text() == "vanha"


async def test_the_text_is_printed_by_a_pipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs, printed = tmp_path / "bin", tmp_path / "printed"
    programs.mkdir()
    monkeypatch.setenv("PATH", str(programs))
    async with reading(tmp_path, (120, 40), language="en") as (app, pilot):
        await press(pilot, "4", "e", "P")
        await until(pilot, lambda: "lp" in words(app), "that there is no printer")
        assert logged(app)[-1] == ("customer_copy", "p1")
        lp = programs / "lp"
        lp.write_text(f'#!/bin/sh\necho "$@" > {printed}.args\nwhile read -r line; do echo "$line"; done > {printed}\n')
        lp.chmod(0o700)
        await press(pilot, "P")
        await until(pilot, lambda: app.t("saving.printed") in words(app), "that it was printed")
        assert "Payments: Virtanen" in printed.read_text()
        assert Path(f"{printed}.args").read_text() == "-s -t kelmu\n"
        assert logged(app)[-1] == ("customer_export", "p1")
        lp.write_text("#!/bin/sh\nexit 1\n")
        await press(pilot, "P")
        refused = app.t.choice("saving.not_printed", "refused", key="w")
        await until(pilot, lambda: refused in words(app), "that the printer refused")


# --- what can be done -----------------------------------------------------------------------------------------------


async def test_payments_are_sorted_and_filtered(tmp_path: Path) -> None:
    async with reading(tmp_path) as (app, pilot):
        await press(pilot, "4", "s")
        await type_text(pilot, "netto")
        await press(pilot, "enter")
        nets = [row.net for row in app.file_screen.rows.rows]
        assert nets == sorted(nets, reverse=True)
        assert app.t("inbox.sorted_by", what="netto") in words(app)
        await press(pilot, "slash")
        await type_text(pilot, "työm")
        await press(pilot, "enter")
        assert [row.id for row in app.file_screen.rows.rows] == ["paytmt"]
        assert app.t("customer_view.in_all", net="611,00\u00a0€") in text_of(app)
        assert "1/14" in text_of(app)
        await press(pilot, "q")
        assert app.file_screen.rows.count == 14
        await press(pilot, "3", "s")
        assert app.t("customer_view.sort_payments") in words(app)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_everything_in_a_row_is_explained(tmp_path: Path, language: str) -> None:
    async with reading(tmp_path, (120, 40), language=language) as (app, pilot):
        await press(pilot, "4", "K")
        assert isinstance(app.screen, ExplainScreen)
        assert app.t("explain.no_incomes_register") in words(app)
        assert app.t("explain.sums_text") in words(app)
        await press(pilot, "q", "5", "K")
        assert app.t("explain.basis.social_assistance_23") in words(app)
        await press(pilot, "q", "3", "G", "K")
        assert app.t("explain.outcome.rejected") in words(app)
        assert app.t("explain.appealed") in words(app)
        blocks = app.screen.query_one("#page", Sheet).blocks
        assert all(block.text for block in blocks if isinstance(block, Heading | Paragraph))
        await press(pilot, "q", "1", "K")
        assert app.t("explain.overview")[:40] in words(app)


async def test_the_household_is_looked_up_one_by_one(tmp_path: Path) -> None:
    async with reading(tmp_path) as (app, pilot):
        app.answer = lambda query: (head(who=person(query.customer or "", given_names="Eino")), (line(Section.CLAIMS),))
        await press(pilot, "H")
        assert "Virtanen, Eino" in text_of(app)
        await press(pilot, "enter")
        assert [query.customer for query in app.asked] == ["p2"]
        assert app.asked[0].purpose == "supplementary_social_assistance"
        assert app.asked[0].case_reference == "123/26"
        assert app.file_screen.customer == "p2"
        assert logged(app)[-1] == ("customer", "p2")


async def test_everybody_in_the_household_by_a_query_each(tmp_path: Path) -> None:
    two = [
        HouseholdPerson(customer=id_, name=name, masked_code="******A*01X", relation="child", born=date(2015, 5, 5))
        for id_, name in (("p2", "Virtanen, Eino"), ("p3", "Virtanen, Ilta"))
    ]
    async with reading(tmp_path, first=head(who=person(household=two))) as (app, pilot):
        app.answer = lambda query: (head(who=person(query.customer or "")), (line(Section.CLAIMS),))
        await press(pilot, "H", "enter")
        assert app.t("customer_view.everybody", count=2) not in words(app)
        assert [query.customer for query in app.asked] == ["p2", "p3"]
        assert app.t("customer_view.household_fetched", count=2, key="i") in words(app)
        assert app.file_screen.customer == "p1"
        refused = Problem(title="x", status=404, code=ProblemCode.NOT_FOUND)
        app.problem = ProblemAnswer(404, refused)
        await press(pilot, "H", "enter")
        assert len(app.asked) == 4
        assert app.t("customer_view.unknown_person")[:40] in words(app)


async def test_a_purpose_without_household_says_so(tmp_path: Path) -> None:
    async with reading(tmp_path, first=head(purpose="client_fee")) as (app, pilot):
        await press(pilot, "H")
        assert app.t("customer_view.household_closed") in words(app)
        assert app.asked == []


async def test_back_leads_to_the_list_then_out(tmp_path: Path) -> None:
    async with reading(tmp_path, (40, 12)) as (app, pilot):
        await press(pilot, "4", "enter")
        assert app.file_screen.has_class("-reading")
        before = text_of(app)
        await press(pilot, "j")
        assert text_of(app) != before
        assert app.file_screen.rows.current_key == "pay12"
        await press(pilot, "q")
        assert not app.file_screen.has_class("-reading")
        await press(pilot, "j")
        assert app.file_screen.rows.current_key == "pay11"
        await press(pilot, "q")
        assert app.screen is app.inbox
