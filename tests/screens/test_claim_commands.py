"""What is done with claims from the list: drafts and the form, bulk commands, undoing, repeating, being offline."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from kelmu_tui.domain.claims.life import Status
from kelmu_tui.screens.claim_begin import Begin
from kelmu_tui.screens.claim_day import EndScreen
from kelmu_tui.screens.claim_form import ClaimFormScreen
from kelmu_tui.screens.confirm import ConfirmScreen
from kelmu_tui.services.claim_views import ClaimView, Wanted
from kelmu_tui.services.claim_words import end_reason_name, status_name
from kelmu_tui.services.inbox import NotAllowed
from kelmu_tui.store.errors import StoreFull
from kelmu_tui.sync.status import Connection
from kelmu_tui.widgets.text_field import LineField
from tests.screens.claims import (
    CODE,
    ClaimsOffice,
    at,
    cells,
    claim,
    claiming,
    draft,
    effect,
    ids,
    listing,
    shown,
    top,
    words,
)
from tests.screens.support import press, settled, type_text
from tests.store.build import NOW
from tests.store.claim_rows import content
from tests.widgets.support import until

# --- drafts and the form --------------------------------------------------------------------------------------------


async def test_drafts_come_first_and_open_the_form(tmp_path: Path) -> None:
    async with claiming(tmp_path, [claim("x", status=Status.HEARING)], language="en") as (app, pilot):
        made = draft(app, amount="12,50")
        await press(pilot, "5")
        assert ids(app) == [made, "x"]
        assert cells(app, made)["state"] == status_name("draft", app.t)
        assert app.t("claim_view.next_draft", key="enter")[:30] in words(app)
        for key in ("enter", "e"):
            await press(pilot, key)
            await until(pilot, lambda: isinstance(app.screen, ClaimFormScreen), "the form")
            form = top(app)
            assert isinstance(form, ClaimFormScreen)
            assert form.begin == Begin.of_draft(made)
            form.dismiss(None)
            await settled(pilot)


async def test_what_comes_of_the_form_is_under_the_cursor(tmp_path: Path) -> None:
    rows = [claim(f"c{number:02}", status=Status.HEARING, family=f"Suku{number:02}") for number in range(40)]
    async with listing(tmp_path, rows, language="en") as (app, pilot):
        await press(pilot, "G", "n")
        await until(pilot, lambda: isinstance(app.screen, ClaimFormScreen), "the form")
        form = top(app)
        assert isinstance(form, ClaimFormScreen)
        app.hold([claim("a-colleagues", status=Status.HEARING)])
        await settled(pilot)
        made = draft(app)
        form.dismiss(None)
        await settled(pilot)
        assert shown(app).rows.current_key == made
        await press(pilot, "G")
        app.hold([claim("other", status=Status.HEARING)])
        await settled(pilot)
        assert shown(app).rows.current_key != "other"  # what others make moves nothing


@pytest.mark.parametrize("kept", [False, True])
async def test_a_form_that_brings_no_row_moves_nothing_later(tmp_path: Path, kept: bool) -> None:
    async with listing(tmp_path, [claim("a", family="Aalto"), claim("b", family="Berg")]) as (app, pilot):
        shown(app).change_wanted(Wanted(ClaimView.IN_FORCE if kept else ClaimView.ALL))
        await press(pilot, "j")
        before = shown(app).rows.current_key
        await press(pilot, "n")
        await until(pilot, lambda: isinstance(app.screen, ClaimFormScreen), "the form")
        if kept:  # a draft, which this view does not list
            draft(app)
        app.hold([claim("a-colleagues")])
        await settled(pilot)
        app.screen.dismiss(None)
        await settled(pilot)
        assert shown(app).rows.current_key == before
        app.hold([claim("other")])
        await settled(pilot)
        assert "other" in ids(app)
        assert shown(app).rows.current_key == before


async def test_a_draft_is_dropped_after_a_question_and_no_command_is_for_it(tmp_path: Path) -> None:
    async with claiming(tmp_path, language="en") as (app, pilot):
        made = draft(app)
        await press(pilot, "5")
        for key in ("p", "d", "C", "w", "y", "K"):
            await press(pilot, key)
            assert app.t("claim_view.draft_only", key="e") in words(app), key
        await press(pilot, "c")
        assert isinstance(app.screen, ConfirmScreen)
        await press(pilot, "escape")
        assert ids(app) == [made]
        await press(pilot, "c", "down", "enter")
        assert ids(app) == []
        assert app.t("claim_view.dropped", count=1) in words(app)
        assert app.commands() == []


async def test_what_the_form_gave_can_be_taken_back(tmp_path: Path) -> None:
    async with listing(tmp_path, [claim("x", status=Status.REGISTERED)], language="en") as (app, pilot):
        assert app.desk is not None
        await press(pilot, "n")
        await until(pilot, lambda: isinstance(app.screen, ClaimFormScreen), "the form")
        given = await app.thread.run(app.desk.claims.cancel, ["x"])
        app.screen.dismiss(tuple(given))
        await settled(pilot)
        assert [verb for verb, _, _ in app.commands()] == ["claim-cancel"]
        await press(pilot, "u")
        assert app.commands() == []
        assert app.t.choice("claim_view.undone", "claim-cancel", count=1) in words(app)


# --- commands -------------------------------------------------------------------------------------------------------


async def test_ending_many_at_once_and_undoing_it(tmp_path: Path) -> None:
    rows = [claim(f"c{number}", family=f"Suku{number}") for number in range(4)]
    rows.append(claim("other", family="Yrjö", status=Status.REGISTERED))
    async with listing(tmp_path, rows, language="en") as (app, pilot):
        await press(pilot, "asterisk", "d")
        assert isinstance(app.screen, EndScreen)
        assert app.t("claim_view.left_out", count=1) in effect(app)
        await press(pilot, "down")
        reason = end_reason_name("assistance_recovered", app.t)
        assert app.t("claim_view.will_end", count=4, day="20.11.2026", reason=reason) in effect(app)
        await press(pilot, "enter")
        given = app.commands()
        assert sorted(id_ for _, id_, _ in given) == ["c0", "c1", "c2", "c3"]
        assert {(verb, payload["last"], payload["reason"]) for verb, _, payload in given} == {
            ("claim-end", "2026-11-20", "assistance_recovered")
        }
        assert app.t.choice("claim_view.done", "claim-end", count=4) in words(app)
        assert not shown(app).rows.marks
        assert app.pokes == 1
        assert cells(app, "c0")["state"] == app.t.choice("claim_view.pending", "claim-end")
        await press(pilot, "u")
        assert app.commands() == []
        assert app.t.choice("claim_view.undone", "claim-end", count=4) in words(app)
        assert cells(app, "c0")["state"] == status_name(Status.IN_FORCE, app.t)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("31.2.2026", "claim_form.day_fault.none"),
        ("huomenna", "claim_form.day_fault.format"),
        ("", "claim_view.give_last_day"),
    ],
)
async def test_a_day_that_is_none_is_not_taken(tmp_path: Path, typed: str, said: str) -> None:
    async with listing(tmp_path, [claim("x")], language="en") as (app, pilot):
        await press(pilot, "d", "ctrl+u")
        await type_text(pilot, typed)
        await press(pilot, "enter")
        assert isinstance(app.screen, EndScreen)
        assert effect(app) == app.t(said)
        assert app.commands() == []


@pytest.mark.parametrize(
    ("first", "last", "offered"),
    [
        ("2027-01-01", "2027-03-31", "1.1.2027"),
        ("2027-01-01", None, "1.1.2027"),
    ],
)
async def test_the_day_that_is_offered_is_one_of_the_claim(
    tmp_path: Path, first: str, last: str | None, offered: str
) -> None:
    async with listing(tmp_path, [claim("x", first=first, last=last)], language="en") as (app, pilot):
        await press(pilot, "d")
        assert app.screen.query_one(LineField).value == offered
        assert effect(app).endswith(app.t("claim_view.not_begun")), "a mistake is mended by telephone"
        await press(pilot, "enter")
        assert [verb for verb, _, _ in app.commands()] == ["claim-end"]


async def test_an_end_that_was_told_is_shown_and_not_asked_for_again(tmp_path: Path) -> None:
    rows = [claim("x", last=None, ended_on="2026-12-31", end_reason="care_ended")]
    async with listing(tmp_path, rows, (120, 40), language="en") as (app, pilot):
        assert "31.12.2026, as was told." in words(app)
        assert words(app).count(app.t.formats.period(date(2026, 10, 1), date(2026, 12, 31))) == 2, "row and pane"
        assert app.t("claim_view.next_in_force", key="d") not in words(app)
        await press(pilot, "d", "ctrl+u")
        await type_text(pilot, "1.1.2027")
        assert effect(app) == app.t("claim_view.end_told", key="C"), "it cannot be prolonged either"


async def test_a_claim_ends_within_its_days(tmp_path: Path) -> None:
    async with listing(tmp_path, [claim("x")], language="en") as (app, pilot):
        await press(pilot, "d", "ctrl+u")
        await type_text(pilot, "30.9.2026")
        assert effect(app) == app.t("claim_view.before_first", day="1.10.2026")
        await press(pilot, "ctrl+u")
        await type_text(pilot, "1.4.2027")
        assert effect(app) == app.t("claim_view.after_last", day="31.3.2027", key="p")
        await press(pilot, "ctrl+u")
        await type_text(pilot, "31.3.2027")
        await press(pilot, "enter")
        assert [(verb, payload["last"]) for verb, _, payload in app.commands()] == [("claim-end", "2027-03-31")]


async def test_the_last_command_is_given_again_to_others(tmp_path: Path) -> None:
    rows = [claim("a", family="A"), claim("b", family="B")]
    async with listing(tmp_path, rows, language="en") as (app, pilot):
        await press(pilot, "full_stop")
        assert app.t.choice("actions.why", "nothing_to_repeat")[:20] in words(app)
        await at(app, pilot, "a")
        await press(pilot, "d", "down", "enter")
        await at(app, pilot, "b")
        await press(pilot, "full_stop")
        given = app.commands()
        assert [(id_, payload["reason"]) for _, id_, payload in given] == [
            ("a", "assistance_recovered"),
            ("b", "assistance_recovered"),
        ]


@pytest.mark.parametrize(
    ("status", "key", "verb", "instead"),
    [
        (Status.REGISTERED, "d", "claim-end", "c"),
        (Status.REGISTERED, "p", "claim-prolong", "e"),
        (Status.IN_FORCE, "c", "claim-cancel", "d"),
        (Status.IN_HANDLING, "e", "claim-change", "d"),
        (Status.HEARING, "c", "claim-cancel", "d"),
    ],
)
async def test_what_a_state_does_not_allow_says_what_to_do(
    tmp_path: Path, status: Status, key: str, verb: str, instead: str
) -> None:
    async with listing(tmp_path, [claim("x", status=status)], (120, 40), language="en") as (app, pilot):
        await press(pilot, key)
        assert app.t.choice("claim_view.not_now", verb, key=instead) in words(app)
        assert app.commands() == []


async def test_cancelling_is_asked_and_given(tmp_path: Path) -> None:
    async with listing(tmp_path, [claim("x", status=Status.REGISTERED)], language="en") as (app, pilot):
        await press(pilot, "c", "enter")
        assert app.commands() == []
        await press(pilot, "c", "down", "enter")
        assert [(verb, id_) for verb, id_, _ in app.commands()] == [("claim-cancel", "x")]
        assert app.t.choice("claim_view.done", "claim-cancel", count=1) in words(app)


@pytest.mark.parametrize("failure", [StoreFull(), NotAllowed("payment_claims")], ids=["full", "ended"])
@pytest.mark.parametrize("method", ["drop_draft", "cancel"])
async def test_what_fails_after_the_question_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str, failure: Exception
) -> None:
    def fails(*_: object) -> None:
        raise failure

    async with claiming(tmp_path, [claim("x", status=Status.REGISTERED)], language="en") as (app, pilot):
        made = draft(app)
        assert app.desk is not None
        await press(pilot, "5", "asterisk")
        with monkeypatch.context() as patch:
            patch.setattr(app.desk.claims, method, fails)
            await press(pilot, "c", "down", "enter")
        said = app.t("errors.store.store_full" if isinstance(failure, StoreFull) else "claim_view.closed")
        assert " ".join(said.split()[:3]) in words(app)
        assert app.commands() == []
        assert ids(app) == ([made, "x"] if method == "drop_draft" else ["x"])
        await at(app, pilot, "x")
        await press(pilot, "c", "down", "enter")
        assert [(verb, id_) for verb, id_, _ in app.commands()] == [("claim-cancel", "x")]


async def test_offline_a_command_waits_and_says_so(tmp_path: Path) -> None:
    async with listing(tmp_path, [claim("x")], (120, 40), language="en") as (app, pilot):
        app.set_status(state=Connection.OFFLINE)
        await press(pilot, "d", "enter")
        assert app.t("claim_view.waits") in words(app)
        what = app.t.choice("claim_view.pending", "claim-end")
        assert app.t("claim_view.waits_text", what=what)[:60] in words(app)


def registered_now(app: ClaimsOffice, family: str) -> None:
    """Register a claim on a pension from December on, which is paid by surname."""
    assert app.desk is not None
    said = content(
        payee=CODE,
        basis="client_fees_14",
        benefit="national_pension_old_age",
        assistance=None,
        care_first=date(2026, 12, 1),
    )
    app.desk.claims.register(said, name=f"{family}, Aino", non_disclosure=False, draft=None)


@pytest.mark.parametrize("online", [True, False])
async def test_the_two_weeks_and_what_being_offline_risks(tmp_path: Path, online: bool) -> None:
    async with claiming(tmp_path, (), (120, 40), language="en") as (app, pilot):
        if not online:
            app.set_status(state=Connection.OFFLINE)
        registered_now(app, "Virtanen")  # paid on the 7th: it has to arrive on the 23rd of November, a Monday
        await press(pilot, "5")
        line = shown(app).rows.rows[0]
        assert (line.latest, line.payment_day, line.late) == (date(2026, 11, 23), date(2026, 12, 7), False)
        assert cells(app, line.id)["day"] == app.t("claim_view.at_latest", day="23.11.")
        left = app.t.formats.due_long(line.latest, app.today())
        safe = app.t("claim_view.two_weeks", day="23.11.2026", left=left)
        risk = app.t("claim_view.risk_offline", day="23.11.2026")
        assert (safe if online else risk) in words(app).replace("\xa0", " ")
        app.time.at = NOW + timedelta(days=3)
        app.update_frames()
        await press(pilot, "r")
        shown(app).reload()
        await settled(pilot)
        assert app.t("claim_view.risk_text") in words(app)
        app.time.at = NOW + timedelta(days=4)
        shown(app).reload()
        await settled(pilot)
        assert app.t("claim_view.late_to_come", day="23.11.2026")[:60] in words(app)
        assert app.t("claim_view.late_first", day="7.1.2027") in words(app)


async def test_taking_a_registration_back_makes_a_draft_of_it(tmp_path: Path) -> None:
    async with listing(tmp_path, (), language="en") as (app, pilot):
        await press(pilot, "n")
        await until(pilot, lambda: isinstance(app.screen, ClaimFormScreen), "the form")
        form = top(app)
        assert isinstance(form, ClaimFormScreen)
        registered_now(app, "Virtanen")
        form.dismiss((app.desk.outbox.lines()[0].id,) if app.desk is not None else ())
        await settled(pilot)
        assert [line.pending for line in shown(app).rows.rows] == ["claim-register"]
        await press(pilot, "u")
        assert app.commands() == []
        assert [line.status for line in shown(app).rows.rows] == ["draft"]
        assert app.t.choice("claim_view.undone", "claim-register", count=1) in words(app)


async def test_what_was_sent_cannot_be_taken_back(tmp_path: Path) -> None:
    from kelmu_tui.store import outbox
    from tests.store.build import OWN

    async with listing(tmp_path, [claim("x")], (120, 40), language="en") as (app, pilot):
        await press(pilot, "d", "enter")
        with app.store.write() as db:
            outbox.freeze(db, outbox.pending(db, OWN)[0].id)
            app.store.changed("command", keys=("x",))
        await press(pilot, "u")
        assert app.t.choice("claim_view.too_late", "claim-end", key="C") in words(app)


async def test_a_refused_command_stands_out_and_leads_to_the_outbox(tmp_path: Path) -> None:
    async with listing(tmp_path, [claim("x")], (120, 40), language="en") as (app, pilot):
        await press(pilot, "d", "enter")
        app.refuse("version_conflict", current=claim("x", version=2, status=Status.ENDED))
        await settled(pilot)
        assert cells(app, "x")["state"] == app.t("claim_view.refused")
        assert app.t("claim_view.refused_text", key="6")[:50] in words(app)
