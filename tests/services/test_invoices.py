"""Invoices: the calendar of what came and comes, what is said of findings, and what ends with a mandate."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from kelmu_tui.domain.capabilities import Allowed, Denied
from kelmu_tui.domain.deadlines import is_working_day
from kelmu_tui.domain.lists import invoices as kinds
from kelmu_tui.domain.lists import lists, read_period, retention
from kelmu_tui.domain.review import Finding
from kelmu_tui.domain.review.verdicts import Verdict, finding_key
from kelmu_tui.platform.ids import SeededIds
from kelmu_tui.platform.paths import Profile
from kelmu_tui.services.context import Context, activate
from kelmu_tui.services.inbox import NotAllowed
from kelmu_tui.services.invoices import MAX_TEXT, Billing, NeedsReason, NoHead, TooLong
from kelmu_tui.services.lists import NotHere
from kelmu_tui.services.reviewing import Found
from kelmu_tui.services.session import put_secrets
from kelmu_tui.store.database import Store
from kelmu_tui.store.errors import LeaseEnded
from kelmu_tui.store.invoices import InvoiceHead
from kelmu_tui.store.lists import Publication
from tests.services.customers import events, give, grant
from tests.services.invoices import ABROAD, MUNICIPAL, NEEDS, at_invoices, grant_invoices
from tests.services.signed_in import FIRST, NOW, SECOND, Time, organisation, session_text
from tests.store.list_rows import invoiced

LMS = lists()["list_lms_invoice_persons_2025"]
PAYMENTS = lists()["list_childcare_payments"]
REIMBURSED = lists()["list_treatment_abroad_reimbursements"]
KIND, PERIOD = "lms_2025", "2026-10"


@pytest.fixture
def context(profile: Profile, store: Store) -> Context:
    return at_invoices(profile, store, LMS)


def head(period: str = PERIOD, *, kind: str = KIND, **changes: Any) -> InvoiceHead:
    """Return the first invoice of a period, as the catalogue has its days."""
    one, of = kinds()[kind], read_period(period)
    list_ = next(
        list_.id for list_ in lists().values() if list_.invoice == kind and list_.id != "list_childcare_recipients"
    )
    sent, due = one.sent.on(of), one.due(of)
    found = InvoiceHead(f"{kind}-{period}", kind, period, sent, due, Decimal("240.03"), 1, list_, "536")
    return found._replace(**changes)


def fetch(context: Context, count: int = 1, *, period: str = PERIOD, version: int = 1) -> None:
    """Have the rows of the invoice for labour market subsidy here."""
    found, rows = context.lists, [invoiced(number, number) for number in range(count)]
    found.finish(found.take(found.begin(Publication(LMS.id, period, version, NOW, count)), rows))


def days(found: Sequence[Billing], kind: str) -> list[tuple[str, date, date, bool]]:
    return [(one.period, one.sent_on, one.due_on, one.expected) for one in found if one.kind.id == kind]


def found_of(*rows: str, rule: str = "sum_missing", value: Any = None) -> Found:
    finding = Finding(rule, rows, None, None, value)
    return Found(finding_key(finding), finding)


# --- what there is --------------------------------------------------------------------------------------------------


def test_every_kind_is_offered_or_tells_why_not(context: Context, store: Store) -> None:
    offers = {offer.kind.id: offer for offer in context.invoices.offers()}
    assert list(offers) == list(kinds())
    assert offers[KIND].list is LMS
    assert offers["childcare"].list is PAYMENTS
    assert isinstance(offers[KIND].verdict, Allowed)
    assert isinstance(offers["treatment_abroad"].verdict, Denied)
    grant_invoices(store, LMS, "labour_market_subsidy_material")
    verdicts = {offer.kind.id: offer.verdict for offer in context.invoices.offers()}
    assert [kind for kind, verdict in verdicts.items() if isinstance(verdict, Allowed)] == ["lms_pre_2025"]
    closed = verdicts["childcare"]
    assert isinstance(closed, Denied)
    assert closed.mandates == ("childcare_support_material",)


def test_of_each_open_kind_the_next_one_is_told_with_its_days(context: Context) -> None:
    found = context.invoices.calendar()
    assert all(one.expected and one.total is None and one.heads == () for one in found)
    assert days(found, KIND) == [("2026-11", date(2026, 12, 15), date(2026, 12, 28), True)]
    # In advance: on the tenth of the month before, and due on the twentieth, which is a Sunday.
    assert days(found, "childcare") == [("2027-01", date(2026, 12, 10), date(2026, 12, 21), True)]
    # Of the old law no period is left.
    assert days(found, "lms_pre_2025") == []
    assert days(found, "treatment_abroad") == []


def test_treatment_abroad_comes_twice_a_year(profile: Profile, store: Store) -> None:
    found = at_invoices(profile, store, REIMBURSED).invoices.calendar()
    assert days(found, "treatment_abroad") == [("2026-H2", date(2027, 1, 15), date(2027, 1, 28), True)]
    assert len(found) == 1


@pytest.mark.parametrize(
    ("today", "kind", "expected"),
    [
        # 15 March 2026 is a Sunday, 28 March a Saturday.
        (date(2026, 3, 1), KIND, ("2026-02", date(2026, 3, 16), date(2026, 3, 30))),
        # On the day itself it may not have come yet; the day after, the next one is waited for.
        (date(2026, 3, 16), KIND, ("2026-02", date(2026, 3, 16), date(2026, 3, 30))),
        (date(2026, 3, 17), KIND, ("2026-03", date(2026, 4, 15), date(2026, 4, 28))),
        # 28 December 2025 is a Sunday.
        (date(2025, 12, 1), KIND, ("2025-11", date(2025, 12, 15), date(2025, 12, 29))),
        # The new law begins, the old one ends.
        (date(2024, 6, 1), KIND, ("2025-01", date(2025, 2, 17), date(2025, 2, 28))),
        (date(2024, 6, 1), "lms_pre_2025", ("2024-05", date(2024, 6, 17), date(2024, 6, 28))),
        (date(2025, 1, 14), "lms_pre_2025", ("2024-12", date(2025, 1, 15), date(2025, 1, 28))),
        (date(2025, 1, 16), "lms_pre_2025", None),
        # 10 May 2026 is a Sunday; 20 June 2026 is midsummer's Saturday, and 19 June its eve.
        (date(2026, 4, 20), "childcare", ("2026-06", date(2026, 5, 11), date(2026, 5, 20))),
        (date(2026, 5, 20), "childcare", ("2026-07", date(2026, 6, 10), date(2026, 6, 22))),
    ],
)
def test_what_comes_next_by_the_day(
    context: Context, time: Time, today: date, kind: str, expected: tuple[str, date, date] | None
) -> None:
    time.at = datetime(today.year, today.month, today.day, 9, tzinfo=UTC)
    grant_from(context, "2020-01-01")
    found = days(context.invoices.calendar(), kind)
    assert found == ([] if expected is None else [(*expected, True)])
    for _, sent, due, _ in found:
        assert is_working_day(sent)
        assert is_working_day(due)


def grant_from(context: Context, day: str) -> None:
    """Let the mandates be valid from a day on."""
    grants = [grant(mandate, valid_from=day) for mandate in MUNICIPAL]
    changed = {"grants": grants, "type": "municipality", "municipalities": ["536"], "agreement_from": day}
    put_secrets(context.store, {"session": session_text(organisation(FIRST, "Nokia", **changed))})


def test_what_came_stands_with_its_rows_the_newest_first(context: Context) -> None:
    fetch(context)
    context.invoices.announce([head("2026-09"), head(), head("2026-12", kind="childcare")])
    found = context.invoices.calendar()
    assert [(one.kind.id, one.period) for one in found] == [
        (KIND, "2026-11"),
        ("basic_allowance_2025", "2026-11"),
        ("earnings_related_2025", "2026-11"),
        ("childcare", "2027-01"),
        (KIND, PERIOD),
        ("childcare", "2026-12"),
        (KIND, "2026-09"),
    ]
    (came,) = [one for one in found if (one.kind.id, one.period) == (KIND, PERIOD)]
    assert came.entry is not None
    assert came.entry.copy is not None
    assert (came.total, came.expected) == (Decimal("240.03"), False)
    # The invoice in advance is here before its list is published.
    (advance,) = [one for one in found if (one.kind.id, one.period) == ("childcare", "2026-12")]
    assert (advance.entry, advance.sent_on) == (None, date(2026, 11, 10))


def test_what_comes_next_has_not_come(context: Context) -> None:
    context.invoices.announce([head("2026-11")])  # earlier than the catalogue says
    assert [one[0] for one in days(context.invoices.calendar(), KIND)] == ["2026-12", "2026-11"]


def test_corrections_belong_to_their_period(context: Context) -> None:
    first = head()
    more = [
        head(number="c2", corrects="c1", sent_on=date(2026, 11, 23), total=Decimal("0.50")),
        head(number="c1", corrects=first.number, sent_on=date(2026, 11, 20), total=Decimal("-12.34")),
    ]
    context.invoices.announce([*more, first])
    (found,) = [one for one in context.invoices.calendar() if one.period == PERIOD]
    assert [one.number for one in found.heads] == [first.number, "c1", "c2"]
    assert found.total == Decimal("228.19")
    assert (found.sent_on, found.due_on) == (first.sent_on, first.due_on)


def test_what_is_not_open_is_not_kept_and_not_shown(context: Context, store: Store) -> None:
    context.invoices.announce([head(), head("2026-H1", kind="treatment_abroad")])
    with store.read() as db:
        assert db.execute("SELECT kind FROM replica.invoice_head").fetchall() == [(KIND,)]
    grant_invoices(store, LMS, "labour_market_subsidy_material")
    assert days(context.invoices.calendar(), KIND) == []
    with store.read() as db:
        assert db.execute("SELECT kind FROM replica.invoice_head").fetchall() == []


def test_nothing_is_shown_after_the_lease(context: Context, store: Store, time: Time) -> None:
    context.invoices.announce([head()])
    with store.write("replica") as db:
        db.execute("INSERT INTO replica.state VALUES ('lease_until', ?)", (NOW.isoformat(),))
    time.at = NOW + timedelta(seconds=1)
    for look in (
        context.invoices.calendar,
        lambda: context.invoices.judgements(KIND, PERIOD),
        lambda: context.invoices.prepare(KIND, PERIOD),
    ):
        with pytest.raises(LeaseEnded):
            look()


# --- what a review needs --------------------------------------------------------------------------------------------


def test_a_look_at_the_rows_and_at_earlier_ones_is_logged(context: Context, store: Store) -> None:
    for period in ("2026-07", "2026-09", PERIOD):
        fetch(context, 3, period=period)
    context.invoices.announce([head()])
    prepared = context.invoices.prepare(KIND, PERIOD)
    # There is a gap before September: what was paid in July says nothing of August.
    assert [one.copy.period for one in prepared.earlier] == ["2026-09"]
    assert prepared.since == date(2026, 9, 1)
    assert prepared.head.payer == "536"
    assert [(one["view"], one["subject"], one["rows"]) for one in events(store)] == [
        ("list_rows", f"{LMS.id}/{PERIOD}", 3),
        ("list_rows", f"{LMS.id}/2026-09", 3),
    ]


def test_so_many_earlier_rows_are_held_against_it_as_can_be_kept(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kelmu_tui.services.invoices.MOST_EARLIER", 5)
    for period in ("2026-07", "2026-08", "2026-09", PERIOD):
        fetch(context, 2, period=period)
    context.invoices.announce([head()])
    prepared = context.invoices.prepare(KIND, PERIOD)
    assert [one.copy.period for one in prepared.earlier] == ["2026-08", "2026-09"]
    assert prepared.since == date(2026, 8, 1)


def test_what_cannot_be_reviewed(context: Context, store: Store) -> None:
    with pytest.raises(NotHere):
        context.invoices.prepare(KIND, PERIOD)
    context.invoices.announce([head()])
    with pytest.raises(NotHere):
        context.invoices.prepare(KIND, PERIOD)
    fetch(context, period="2026-09")
    with pytest.raises(NoHead):
        context.invoices.prepare(KIND, "2026-09")
    with pytest.raises(NotAllowed):
        context.invoices.prepare("treatment_abroad", "2026-H1")
    with pytest.raises(KeyError):
        context.invoices.prepare("unknown", PERIOD)
    assert events(store) == []


@pytest.mark.parametrize("demo", [True, False])
def test_artificial_people_are_real_ones_in_the_demo_alone(context: Context, store: Store, demo: bool) -> None:
    fetch(context)
    context.invoices.announce([head()])
    made = organisation(FIRST, "Nokia", type="municipality", municipalities=["536"], grants=_grants(FIRST))
    put_secrets(store, {"session": session_text(made, demo=demo)})
    assert context.invoices.prepare(KIND, PERIOD).artificial is demo


def _grants(organisation_: str) -> list[dict[str, Any]]:
    return [grant(mandate, principal=organisation_, employer=organisation_) for mandate in MUNICIPAL]


# --- judging --------------------------------------------------------------------------------------------------------


def test_what_is_said_of_findings_is_kept_and_taken_back(context: Context, profile: Profile, store: Store) -> None:
    one, other = found_of("r1"), found_of("r2")
    context.invoices.judge(KIND, PERIOD, [one, other], Verdict.DISPUTED, "  Väärä porras\x1b[2J\n\nkatso rivit ")
    again = activate(profile, store, FIRST, SeededIds(3), NEEDS).invoices
    said = again.judgements(KIND, PERIOD)
    assert set(said) == {one.key, other.key}
    assert said[one.key] == (Verdict.DISPUTED, "Väärä porras\ufffd[2J\n\nkatso rivit", "Outi Rautio", NOW)
    again.judge(KIND, PERIOD, [other], Verdict.ACCEPTED)
    again.judge(KIND, PERIOD, [one], None)
    assert {key: judgement.verdict for key, judgement in again.judgements(KIND, PERIOD).items()} == {
        other.key: Verdict.ACCEPTED
    }
    assert again.judgements(KIND, "2026-09") == {}


@pytest.mark.parametrize("text", ["", "  \n\t"])
def test_a_dispute_needs_a_reason(context: Context, text: str) -> None:
    with pytest.raises(NeedsReason):
        context.invoices.judge(KIND, PERIOD, [found_of("r1")], Verdict.DISPUTED, text)
    assert context.invoices.judgements(KIND, PERIOD) == {}
    context.invoices.judge(KIND, PERIOD, [found_of("r1")], Verdict.NOTED, text)
    assert len(context.invoices.judgements(KIND, PERIOD)) == 1


def test_a_reason_is_not_without_end(context: Context) -> None:
    context.invoices.judge(KIND, PERIOD, [found_of("r1")], Verdict.DISPUTED, "x" * MAX_TEXT)
    with pytest.raises(TooLong):
        context.invoices.judge(KIND, PERIOD, [found_of("r1")], Verdict.DISPUTED, "x" * (MAX_TEXT + 1))
    assert context.invoices.judgements(KIND, PERIOD)[found_of("r1").key].text == "x" * MAX_TEXT


def test_judgements_are_hidden_with_the_mandate_and_come_back_with_it(context: Context, store: Store) -> None:
    context.invoices.judge(KIND, PERIOD, [found_of("r1")], Verdict.NOTED)
    give(store, ABROAD)
    assert context.invoices.judgements(KIND, PERIOD) == {}
    with pytest.raises(NotAllowed):
        context.invoices.judge(KIND, PERIOD, [found_of("r1")], None)
    grant_invoices(store, LMS)
    assert len(context.invoices.judgements(KIND, PERIOD)) == 1


def test_judgements_are_of_one_organisation(context: Context, profile: Profile, store: Store) -> None:
    context.invoices.judge(KIND, PERIOD, [found_of("r1")], Verdict.NOTED)
    changed = {"type": "municipality", "municipalities": ["980"], "grants": _grants(SECOND)}
    put_secrets(store, {"session": session_text(organisation(SECOND, "Ylöjärvi", **changed))})
    other = activate(profile, store, SECOND, SeededIds(3), NEEDS)
    assert other.invoices.judgements(KIND, PERIOD) == {}


def test_judgements_end_with_the_time_of_the_lists(context: Context, store: Store, time: Time) -> None:
    context.invoices.judge(KIND, PERIOD, [found_of("r1")], Verdict.NOTED)
    time.at = NOW + retention().kept
    store.clock.hear(time.at)
    assert context.invoices.judgements(KIND, PERIOD) == {}
    with store.read() as db:
        assert db.execute("SELECT count(*) FROM main.judgement").fetchone() == (0,)
