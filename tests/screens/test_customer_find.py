"""Looking a customer up: the code while it is typed, purpose and case once a sitting, a reason when it is asked."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from textual import events

from kelmu_tui.api.contract import Problem, ProblemCode
from kelmu_tui.api.errors import ProblemAnswer, Unreachable
from kelmu_tui.domain.capabilities import NOTICES_INBOX
from kelmu_tui.domain.identifiers import make_identity_code
from kelmu_tui.domain.sections import Section
from kelmu_tui.screens.closed import ClosedPartScreen
from kelmu_tui.screens.customer import CustomerScreen
from kelmu_tui.screens.customer_find import FindScreen
from tests.screens.customers import LookUpOffice, line, logged, looking, reading, whole
from tests.screens.support import HOSTILE, LANGUAGES, SESSION, SIZES, check_grid, notices, press, text_of, type_text
from tests.services.signed_in import MANDATE
from tests.store.build import notice
from tests.store.customer_lines import answer, head, person
from tests.widgets.support import until

CODE = make_identity_code(date(1990, 1, 1), "-", 900).value
RELATED = [notice("n1") | {"customer": notice("n1")["customer"] | {"identity_code": CODE}}]


def words(app: LookUpOffice) -> str:
    return " ".join(text_of(app).replace("│", " ").split())


def known(app: LookUpOffice) -> None:
    """Let the backend know the customer by the code."""
    app.answer = lambda _: (head(who=person(identity_code=CODE)), whole())


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("size", SIZES)
async def test_the_dialog_paints(tmp_path: Path, size: tuple[int, int], language: str) -> None:
    async with looking(tmp_path, size, language=language) as (app, pilot):
        await press(pilot, "2")
        assert isinstance(app.screen, FindScreen)
        check_grid(app, size)
        for key in ("customer_view.find_code", "customer_view.find_purpose", "customer_view.find_case"):
            assert app.t(key) in text_of(app)
        assert app.t("customer_view.find_logged")[:24] in words(app)
        await press(pilot, "tab")
        assert app.desk is not None
        assert app.desk.customers.purposes()[0].name.get(language)[:20] in text_of(app)
        check_grid(app, size)


async def test_the_whole_way_from_the_code_to_the_file(tmp_path: Path) -> None:
    async with looking(tmp_path, rows=RELATED) as (app, pilot):
        known(app)
        await press(pilot, "2")
        await type_text(pilot, CODE)
        assert "syntynyt 1.1.1990" in words(app)
        await press(pilot, "enter")
        await type_text(pilot, "lastens")
        await press(pilot, "enter")
        assert app.asked == []
        await type_text(pilot, "123/26")
        await press(pilot, "enter")
        (query,) = app.asked
        assert query.code is not None
        assert (query.code.value, query.purpose, query.case_reference) == (CODE, "child_protection", "123/26")
        assert query.reason is None
        assert isinstance(app.screen, CustomerScreen)
        assert "Virtanen, Aino" in words(app)


async def test_purpose_and_case_are_kept_for_the_sitting(tmp_path: Path) -> None:
    async with looking(tmp_path, rows=RELATED) as (app, pilot):
        known(app)
        await press(pilot, "2")
        await type_text(pilot, CODE)
        await press(pilot, "enter", "enter")
        await type_text(pilot, "7/26")
        await press(pilot, "enter", "i")
        assert "7/26" in text_of(app)
        assert "Täydentävä" in text_of(app)
        await type_text(pilot, CODE)
        await press(pilot, "enter")
        assert [(query.purpose, query.case_reference) for query in app.asked] == [
            ("supplementary_social_assistance", "7/26")
        ] * 2
        assert sum(isinstance(screen, CustomerScreen) for screen in app.screen_stack) == 1


async def test_what_is_wrong_with_the_code_is_told_while_it_is_typed(tmp_path: Path) -> None:
    async with looking(tmp_path) as (app, pilot):
        await press(pilot, "2")
        await type_text(pilot, "3")
        assert app.t("customer_view.find_missing", count=10) in words(app)
        await type_text(pilot, "9")
        assert app.t("customer_view.wrong.day", at=2) in words(app)
        await press(pilot, "ctrl+u")
        await type_text(pilot, CODE[:-1] + "X")
        assert app.t("customer_view.wrong.check", at=11) in words(app)
        await press(pilot, "enter")
        assert app.asked == []
        assert isinstance(app.screen, FindScreen)


@pytest.mark.parametrize("pasted", [f"  {CODE.lower()} ", CODE.replace("-", "\u2013"), f"{CODE[:6]} {CODE[6:]}\u200b"])
async def test_a_pasted_code_is_mended(tmp_path: Path, pasted: str) -> None:
    async with looking(tmp_path) as (app, pilot):
        await press(pilot, "2")
        app.screen.query_one("#code").post_message(events.Paste(pasted))
        await press(pilot, "end")
        assert "syntynyt 1.1.1990" in words(app)


async def test_nobody_in_the_inbox_needs_a_reason_first(tmp_path: Path) -> None:
    async with looking(tmp_path, rows=notices(2)) as (app, pilot):
        known(app)
        await press(pilot, "2")
        await type_text(pilot, CODE)
        await press(pilot, "enter", "enter", "enter")
        assert app.t("customer_view.reason_why.unrelated")[:40] in words(app)
        assert app.asked == []
        await press(pilot, "enter")
        assert app.asked == []
        await type_text(pilot, "soitti")
        await press(pilot, "enter")
        assert [query.reason for query in app.asked] == ["soitti"]
        assert isinstance(app.screen, CustomerScreen)


async def test_the_backend_may_ask_for_a_reason_too(tmp_path: Path) -> None:
    async with looking(tmp_path, rows=RELATED) as (app, pilot):
        problem = Problem(title="x", status=403, code=ProblemCode.REASON_NEEDED, rule="self")
        app.problem = ProblemAnswer(403, problem)
        await press(pilot, "2")
        await type_text(pilot, CODE)
        await press(pilot, "enter", "enter", "enter")
        assert app.t("customer_view.reason_why.self")[:40] in words(app)
        app.problem = None
        known(app)
        await type_text(pilot, "oma asia")
        await press(pilot, "enter")
        assert [query.reason for query in app.asked] == [None, "oma asia"]
        assert isinstance(app.screen, CustomerScreen)


@pytest.mark.parametrize("code", [ProblemCode.LOOKUPS_SPENT, ProblemCode.LOOKUPS_PAUSED, ProblemCode.NOT_FOUND])
async def test_a_refusal_stays_in_the_dialog_with_all_that_was_typed(tmp_path: Path, code: ProblemCode) -> None:
    async with looking(tmp_path, rows=RELATED) as (app, pilot):
        app.problem = ProblemAnswer(403, Problem(title="x", status=403, code=code))
        await press(pilot, "2")
        await type_text(pilot, CODE)
        await press(pilot, "enter", "enter")
        await type_text(pilot, "9/26")
        await press(pilot, "enter")
        text = (
            app.t("customer_view.unknown_person") if code is ProblemCode.NOT_FOUND else app.t.choice("errors.api", code)
        )
        assert text[:40] in words(app)
        assert CODE in text_of(app)
        assert "9/26" in text_of(app)


async def test_from_a_notice_the_person_is_known(tmp_path: Path) -> None:
    async with looking(tmp_path, rows=RELATED) as (app, pilot):
        known(app)
        await press(pilot, "i")
        assert "Virtanen, Aino ******-*" in words(app)
        assert CODE not in text_of(app)
        await press(pilot, "enter", "enter")
        (query,) = app.asked
        assert query.code is not None
        assert query.code.value == CODE
        await press(pilot, "q")
        assert app.screen is app.inbox
        assert logged(app)[-1] == ("customer", "p1")


async def test_those_fetched_today_open_without_a_question_and_are_logged(tmp_path: Path) -> None:
    async with looking(tmp_path) as (app, pilot):
        answer(app.store, head(who=person(identity_code=CODE)), *whole())
        answer(app.store, head(who=person("p9", family_name="Korpi", given_names="Helmi")), line(Section.CLAIMS))
        await press(pilot, "2")
        assert app.t("customer_view.find_recent") in words(app)
        assert "Korpi, Helmi" in text_of(app)
        assert logged(app) == [("customer_list", None)]
        await type_text(pilot, "virt")
        assert "Korpi" not in text_of(app)
        assert logged(app)[-1] == ("customer_list:filtered", None)
        await press(pilot, "enter")
        assert app.asked == []
        assert app.file_screen.customer == "p1"
        assert logged(app)[-1] == ("customer", "p1")


async def test_without_a_connection_the_file_of_today_is_shown(tmp_path: Path) -> None:
    async with looking(tmp_path, rows=RELATED) as (app, pilot):
        answer(app.store, head(who=person(identity_code=CODE)), *whole())
        app.problem = Unreachable()
        await press(pilot, "2")
        await type_text(pilot, CODE)
        await press(pilot, "enter", "enter", "enter")
        assert isinstance(app.screen, CustomerScreen)
        assert app.t("customer_view.find_held") in words(app)
        assert "Virtanen" in words(app)


async def test_without_a_connection_and_a_file_it_says_so(tmp_path: Path) -> None:
    async with looking(tmp_path, rows=RELATED) as (app, pilot):
        app.problem = Unreachable()
        await press(pilot, "2")
        await type_text(pilot, CODE)
        await press(pilot, "enter", "enter", "enter")
        assert isinstance(app.screen, FindScreen)
        assert app.t("errors.api.unreachable")[:40] in words(app)


async def test_sections_come_while_the_first_ones_are_read(tmp_path: Path) -> None:
    async with looking(tmp_path, rows=RELATED) as (app, pilot):
        known(app)
        app.gate.clear()
        await press(pilot, "2")
        await type_text(pilot, CODE)
        await pilot.press("enter", "enter", "enter")
        await until(pilot, lambda: isinstance(app.screen, CustomerScreen), "the file")
        await until(pilot, lambda: app.t("customers.state_waiting") in words(app), "waiting sections")
        assert "578,43" not in text_of(app)
        app.gate.set()
        await until(pilot, lambda: "578,43" in text_of(app), "the payments")


async def test_a_case_reference_that_is_none_is_refused(tmp_path: Path) -> None:
    async with looking(tmp_path, rows=RELATED) as (app, pilot):
        await press(pilot, "2")
        await type_text(pilot, CODE)
        await press(pilot, "enter", "enter")
        await type_text(pilot, "a;b")
        await press(pilot, "enter")
        assert app.t("customer_view.find_case_wrong")[:40] in words(app)
        assert app.asked == []


async def test_who_may_not_look_up_is_told_why_and_whom_to_ask(tmp_path: Path) -> None:
    narrow = SESSION._replace(capabilities=frozenset({NOTICES_INBOX}))
    async with looking(tmp_path, rows=RELATED, session=narrow, mandates=(MANDATE,)) as (app, pilot):
        for key in ("2", "i"):
            await press(pilot, key)
            assert isinstance(app.screen, ClosedPartScreen)
            assert "Etuustietojen katselu ja maksuvaatimusten rekisteröinti" in words(app)
            assert "suomi.fi/valtuudet" in words(app)
            check_grid(app, (80, 24))
            await press(pilot, "q")


async def test_a_hostile_name_among_recents_is_only_text(tmp_path: Path) -> None:
    async with reading(tmp_path, first=head(who=person(family_name=HOSTILE))) as (app, pilot):
        await press(pilot, "i")
        check_grid(app, (80, 24))
        assert "[b]x[/]" in text_of(app)
