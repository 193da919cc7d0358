"""The county's own answers in the ledger: kept, replaced, forgotten, ended; and which columns were chosen."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from kelmu_tui.domain import own_files as facts
from kelmu_tui.domain.own_files import Wanted, limits
from kelmu_tui.domain.review import Answer
from kelmu_tui.platform.ids import SeededIds
from kelmu_tui.platform.paths import Profile
from kelmu_tui.services.context import Context, activate
from kelmu_tui.services.inbox import NotAllowed
from kelmu_tui.services.known import OPENERS
from kelmu_tui.services.own_data import AT_ONCE, parts
from kelmu_tui.services.own_files import print_of
from kelmu_tui.services.session import choose_keys, put_secrets, user_folder
from kelmu_tui.store import expiry, own_answers
from kelmu_tui.store.database import Store
from kelmu_tui.store.errors import StoreFull
from kelmu_tui.store.own_answers import MOST_MAPPINGS, Outcome, TooManyAnswers
from tests.services.customers import grant
from tests.services.signed_in import FIRST, MANDATE, SECOND, Time, organisation, session_text

ABROAD = "treatment_abroad_reimbursements"


def answer(cost: str, fee: str = "0.00") -> Answer:
    return Answer(Decimal(cost), Decimal(fee))


GIVEN = {"TP-1": answer("1234.50", "20.00"), "TP-2": answer("800.00"), "TP-3": answer("99.95", "9.95")}


def give(store: Store, *mandates: str, codes: tuple[str, ...] = (FIRST,)) -> None:
    """Let the session have these mandates, for each of the organisations."""
    grants = [grant(mandate) for mandate in mandates]
    made = [
        organisation(code, code, grants=[one | {"principal": code, "employer": code} for one in grants])
        for code in codes
    ]
    put_secrets(store, {"session": session_text(*made)})


@pytest.fixture
def context(profile: Profile, store: Store) -> Context:
    give(store, MANDATE, ABROAD)
    return activate(profile, store, None, SeededIds(7), OPENERS)


def test_answers_are_kept_as_they_were(context: Context) -> None:
    assert context.own_data.answers() == {}
    assert context.own_data.kept() is None
    assert context.own_data.keep_answers(GIVEN) == Outcome(new=3)
    assert context.own_data.answers() == GIVEN
    assert all(str(one.cost) == str(GIVEN[ref].cost) for ref, one in context.own_data.answers().items())


def test_they_stay_over_a_new_start(context: Context, profile: Profile, store: Store, time: Time) -> None:
    context.own_data.keep_answers(GIVEN)
    context.own_data.remember(print_of(("a", "b")), Wanted.ANSWERS, (1, 0, 2))
    store.close()
    folder = user_folder(profile, "", "u1")
    again = Store.open(folder, choose_keys(profile, folder, lambda _: ""), time, SeededIds(2))
    try:
        found = activate(profile, again, None, SeededIds(8), OPENERS)
        assert found.own_data.answers() == GIVEN
        assert found.own_data.mapping_for(print_of(("A ", "b:")), Wanted.ANSWERS) == (1, 0, 2)
    finally:
        again.close()


def test_nothing_of_them_stands_readable_on_the_disk(context: Context, store: Store) -> None:
    context.own_data.keep_answers({"TP-READABLE-REFERENCE": answer("5.00")})
    store.scrub()
    for path in store.folder.rglob("*"):
        if path.is_file():
            assert b"TP-READABLE" not in path.read_bytes()


def test_the_newest_answer_counts_and_it_is_said_what_changes(context: Context, time: Time) -> None:
    context.own_data.keep_answers(GIVEN)
    first = time.at
    time.at += timedelta(days=2)
    more = {"TP-1": GIVEN["TP-1"], "TP-2": answer("800.01"), "TP-9": answer("1.00")}
    assert context.own_data.compare(more) == Outcome(new=1, changed=1, same=1)
    assert context.own_data.answers() == GIVEN
    assert context.own_data.keep_answers(more) == Outcome(new=1, changed=1, same=1)
    assert context.own_data.answers() == GIVEN | more
    kept = context.own_data.kept()
    assert kept is not None
    assert (kept.answers, kept.first_at, kept.last_at) == (4, first, time.at)


def test_many_are_written_in_parts(context: Context) -> None:
    many = {f"TP-{number}": answer("1.00") for number in range(2 * AT_ONCE + 1)}
    assert [len(part) for part in parts(many)] == [AT_ONCE, AT_ONCE, 1]
    assert context.own_data.keep_answers(many) == Outcome(new=len(many))
    assert context.own_data.answers() == many


def test_there_are_not_more_than_can_be_kept(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    fewer = limits()._replace(answers=3)
    monkeypatch.setattr(facts, "limits", lambda: fewer)
    context.own_data.keep_answers(GIVEN)
    for work in (context.own_data.compare, context.own_data.keep_answers):
        with pytest.raises(TooManyAnswers):
            work({"TP-4": answer("1.00")})
    assert context.own_data.answers() == GIVEN
    assert context.own_data.keep_answers({"TP-1": answer("2.00")}) == Outcome(changed=1)


def test_two_organisations_know_nothing_of_each_other(context: Context, profile: Profile, store: Store) -> None:
    give(store, MANDATE, ABROAD, codes=(FIRST, SECOND))
    context.own_data.keep_answers(GIVEN)
    context.own_data.remember("digest", Wanted.ANSWERS, (0, 1, 2))
    other = activate(profile, store, SECOND, SeededIds(9), OPENERS)
    assert other.own_data.answers() == {}
    assert other.own_data.mapping_for("digest", Wanted.ANSWERS) is None
    other.own_data.keep_answers({"TP-1": answer("7.00")})
    assert context.own_data.answers() == GIVEN
    assert other.own_data.forget() == 1
    assert context.own_data.answers() == GIVEN
    assert context.own_data.forget() == 3
    assert context.own_data.answers() == {}


def test_they_end_with_the_retention(context: Context, store: Store, time: Time) -> None:
    context.own_data.keep_answers(GIVEN)
    time.at += timedelta(days=1)
    context.own_data.keep_answers({"TP-1": GIVEN["TP-1"]})
    time.at += facts.kept() - timedelta(days=1, microseconds=1)
    with store.read() as db:
        assert len(own_answers.answered(db, FIRST, time.at)) == 3
    time.at += timedelta(microseconds=1)
    with store.read() as db:
        assert own_answers.answered(db, FIRST, time.at) == {"TP-1": GIVEN["TP-1"]}
    assert expiry.sweep(store) == 2
    with store.read() as db:
        assert db.execute("SELECT ref FROM main.own_answer").fetchall() == [("TP-1",)]
    time.at += timedelta(days=1)
    store.detach()
    assert expiry.sweep(store) == 1
    with store.read() as db:
        assert db.execute("SELECT count(*) FROM main.own_answer").fetchone() == (0,)


def test_they_are_for_who_may_fetch_the_list(context: Context, store: Store) -> None:
    context.own_data.keep_answers(GIVEN)
    give(store, MANDATE)
    for work in (
        context.own_data.answers,
        lambda: context.own_data.keep_answers(GIVEN),
        lambda: context.own_data.compare(GIVEN),
    ):
        with pytest.raises(NotAllowed):
            work()
    kept = context.own_data.kept()
    assert kept is not None
    assert kept.answers == 3
    assert context.own_data.forget() == 3


def test_a_full_disk_keeps_what_was_there(context: Context, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    context.own_data.keep_answers(GIVEN)
    with store.read() as db:
        pages = db.execute("PRAGMA main.page_count").fetchone()[0]
    store.db.execute(f"PRAGMA main.max_page_count = {pages}")
    with pytest.raises(StoreFull):
        context.own_data.keep_answers({f"TP-{'x' * 50}-{number}": answer("1.00") for number in range(AT_ONCE)})
    store.db.execute("PRAGMA main.max_page_count = 1000000")
    assert context.own_data.answers() == GIVEN


def test_mappings_are_remembered_apart_and_not_for_ever(context: Context, time: Time) -> None:
    own = context.own_data
    own.remember("h", Wanted.ANSWERS, (2, 1, 0))
    own.remember("h", Wanted.RESIDENTS, (4,))
    own.remember("h", Wanted.ANSWERS, (0, 1, 2))
    assert own.mappings(Wanted.ANSWERS) == {"h": (0, 1, 2)}
    assert own.mappings(Wanted.RESIDENTS) == {"h": (4,)}
    for number in range(MOST_MAPPINGS):
        time.at += timedelta(seconds=1)
        own.remember(f"h{number}", Wanted.ANSWERS, (0, 1, 2))
    assert len(own.mappings(Wanted.ANSWERS)) == MOST_MAPPINGS
    assert "h" not in own.mappings(Wanted.ANSWERS)
    assert own.mappings(Wanted.RESIDENTS) == {"h": (4,)}
