"""Customers who are followed, on the screen: what happened, what is new, renewing and ending, and how it begins."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from kelmu_tui.domain.following import FollowEnd, What
from kelmu_tui.screens.confirm import ConfirmScreen
from kelmu_tui.screens.customer_find import FindScreen
from kelmu_tui.screens.follow import ReasonScreen
from kelmu_tui.screens.followed import FollowedScreen
from kelmu_tui.store import outbox
from kelmu_tui.store.rows import CommandLine
from tests.screens.customers import LookUpOffice, logged, looking, reading
from tests.screens.support import LANGUAGES, press, settled, text_of, type_text
from tests.store.build import NOW, notice
from tests.store.customer_lines import person
from tests.store.follow_rows import change, followed, hold
from tests.widgets.support import until

HOUR = timedelta(hours=1)
HOSTILE = "Virtanen\x1b]52;c;aGVp\x07, [bold]Aino[/bold]\u202e"


RELATED = [notice("n1") | {"customer": notice("n1")["customer"] | {"identity_code": person().identity_code}}]


def words(app: LookUpOffice) -> str:
    return " ".join(text_of(app).split())


def commands(app: LookUpOffice) -> list[CommandLine]:
    assert app.desk is not None
    return app.desk.outbox.lines()


def some(app: LookUpOffice) -> None:
    hold(
        app.store,
        [
            followed("aino", change(1, NOW - HOUR), change(2, NOW - 2 * HOUR, What.PAYMENT)),
            followed("eino", until=NOW + timedelta(days=3)),
            followed("over", ended=FollowEnd.MANDATE, expires_at=NOW + timedelta(days=20)),
        ],
    )


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
@pytest.mark.parametrize("language", LANGUAGES)
async def test_who_is_followed_and_what_happened(tmp_path: Path, size: tuple[int, int], language: str) -> None:
    async with looking(tmp_path, size, language=language) as (app, pilot):
        some(app)
        await press(pilot, "8")
        assert isinstance(app.screen, FollowedScreen)
        text, t = words(app), app.t
        assert t("followed.heading") in text
        assert t("followed.news", count=2) in text
        assert [row.id for row in app.screen.rows.rows] == ["aino", "eino", "over"]
        assert t.choice("followed.what", What.DECISION) in text
        assert t.choice("followed.what", What.PAYMENT) in text
        assert "123/26" in text
        assert t("followed.over") in text
        assert logged(app) == [("customer_list:followed", None)]
        await press(pilot, "G")
        assert t.choice("followed.ended", FollowEnd.MANDATE)[:20] in words(app)


async def test_nobody_is_followed(tmp_path: Path) -> None:
    async with looking(tmp_path, language="en") as (app, pilot):
        await press(pilot, "8")
        assert app.t("followed.empty", key="f")[:40] in words(app)
        assert logged(app) == []


async def test_what_was_read_is_no_news_any_more(tmp_path: Path) -> None:
    async with looking(tmp_path) as (app, pilot):
        hold(app.store, [followed("aino", change(1, NOW - HOUR)), followed("eino", change(2, NOW - 2 * HOUR))])
        await press(pilot, "8")
        assert app.desk is not None
        await press(pilot, "j")
        await until(pilot, lambda: "followed.seen" not in app.tasks.names, "that the first was seen")
        assert {one.id: one.news for one in app.desk.following.lines()} == {"aino": 0, "eino": 1}
        await press(pilot, "q")
        await until(pilot, lambda: "followed.seen" not in app.tasks.names, "that the second was seen")
        assert app.desk.following.news() == 0


async def test_news_stand_behind_the_section(tmp_path: Path) -> None:
    async with looking(tmp_path, (120, 40), language="en") as (app, pilot):
        app.counts.followed = 3
        app.update_frames()
        await settled(pilot)
        assert "8 Followed 3" in words(app)


async def test_names_from_outside_are_text(tmp_path: Path) -> None:
    async with looking(tmp_path, (120, 40)) as (app, pilot):
        hold(app.store, [followed("aino", change(1, benefit="[red]x"), name=HOSTILE, case_reference="[b]9")])
        await press(pilot, "8")
        text = text_of(app)
        assert "[bold]Aino[/bold]" in text
        assert "[b]9" in text
        assert "\x1b" not in text
        assert "\u202e" not in text


async def test_renewing_and_ending_are_commands(tmp_path: Path) -> None:
    async with looking(tmp_path, language="en") as (app, pilot):
        some(app)
        await press(pilot, "8", "x", "x", "n")
        assert [(line.verb, line.aggregate) for line in commands(app)] == [
            ("follow-renew", "eino"),
            ("follow-renew", "aino"),
        ]
        assert app.t("followed.renewed", count=2) in words(app)
        assert app.pokes == 1
        await press(pilot, "g", "d")
        assert isinstance(app.screen, ConfirmScreen)
        await press(pilot, "escape")
        assert len(commands(app)) == 2
        await press(pilot, "d", "down", "enter")
        await until(pilot, lambda: len(commands(app)) == 3, "the command")
        await settled(pilot)
        assert (commands(app)[0].verb, commands(app)[0].aggregate) == ("follow-end", "aino")
        assert app.t.choice("followed.pending", "end") in words(app)
        assert app.desk is not None
        assert app.desk.following.of("customer-aino") is None


async def test_what_has_ended_stays_ended(tmp_path: Path) -> None:
    async with looking(tmp_path, language="en") as (app, pilot):
        some(app)
        await press(pilot, "8", "G", "n")
        assert app.t("errors.refusal.follow_ended")[:30] in words(app)
        assert commands(app) == []


async def test_enter_looks_the_customer_up_for_the_same_case(tmp_path: Path) -> None:
    async with looking(tmp_path, language="en") as (app, pilot):
        some(app)
        await press(pilot, "8", "enter")
        await until(pilot, lambda: isinstance(app.screen, FindScreen), "the look-up")
        await settled(pilot)
        assert "Virtanen, Aino" in words(app)
        await press(pilot, "enter")
        await until(pilot, lambda: bool(app.asked), "the query")
        (query,) = app.asked
        assert (query.customer, query.purpose, query.case_reference) == ("customer-aino", "social_work", "123/26")


async def test_a_file_is_followed_for_its_case_once(tmp_path: Path) -> None:
    async with reading(tmp_path, language="en", rows=RELATED) as (
        app,
        pilot,
    ):
        await press(pilot, "f")
        await until(pilot, lambda: len(commands(app)) == 1, "the command")
        assert app.t("followed.begun")[:30] in words(app)
        with app.store.read() as db:
            (command,) = outbox.pending(db, commands(app)[0].organisation)
        assert command.payload == {
            "customer": "p1",
            "purpose": "supplementary_social_assistance",
            "case_reference": "123/26",
            "reason": None,
        }
        assert person().identity_code not in str(command.label)
        await press(pilot, "f")
        await until(pilot, lambda: isinstance(app.screen, FollowedScreen), "who is followed already")
        assert len(commands(app)) == 1


async def test_without_a_notice_a_reason_is_asked(tmp_path: Path) -> None:
    async with reading(tmp_path, language="en") as (app, pilot):
        await press(pilot, "f")
        await until(pilot, lambda: isinstance(app.screen, ReasonScreen), "the question")
        await press(pilot, "ctrl+s")
        assert isinstance(app.screen, ReasonScreen)
        assert commands(app) == []
        await type_text(pilot, "asiakas pyysi")
        await press(pilot, "ctrl+s")
        await until(pilot, lambda: len(commands(app)) == 1, "the command")
        assert commands(app)[0].text == "asiakas pyysi"


async def test_a_refused_follow_says_why_in_the_outbox(tmp_path: Path) -> None:
    async with looking(tmp_path, (120, 40), language="en") as (app, pilot):
        some(app)
        await press(pilot, "8", "n")
        command = commands(app)[0].id
        current = (
            '{"table": "follow", "id": "aino", "ended": "case", "until": "2027-01-01T00:00:00+00:00", "version": 2}'
        )
        with app.store.write() as db:
            outbox.freeze(db, command)
            outbox.refuse(db, command, {"code": "rule_refused", "rule": "follow_ended"}, current, NOW)
            app.store.changed("command", "conflict")
        await press(pilot, "6")
        text = words(app)
        assert app.t("errors.refusal.follow_ended")[:40] in text
        assert app.t.choice("followed.ended", "case")[:20] in text
        await press(pilot, "v")
        await until(pilot, lambda: isinstance(app.screen, FollowedScreen), "the follow as it is now")
