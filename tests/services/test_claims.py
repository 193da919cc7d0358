"""Claims as a worker sees them: what is logged, what is known of a payee, how a form is judged as it is typed."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from kelmu_tui.api.contract.customers import ClaimRow, DecisionRow, PassedOnRow
from kelmu_tui.domain.claims.catalogue import RuleKind
from kelmu_tui.domain.claims.content import Partial
from kelmu_tui.domain.claims.facts import Days, Facts
from kelmu_tui.domain.claims.life import Status
from kelmu_tui.platform.paths import Profile
from kelmu_tui.services.claims import AT_RISK
from kelmu_tui.services.context import Context
from kelmu_tui.services.inbox import NotAllowed
from kelmu_tui.services.session import put_secrets
from kelmu_tui.store.claim_rows import DRAFT, Account, Payee
from kelmu_tui.store.database import Store
from kelmu_tui.store.errors import LeaseEnded, StoreFull
from tests.services.claims import (
    ACCOUNT,
    CODE,
    NAME,
    commands,
    hold_claims,
    keep_file,
    making_claims,
    register,
)
from tests.services.customers import WIDE, at_work, events, give
from tests.services.signed_in import FIRST, MANDATE, NOW, TODAY, Time, session_text
from tests.store.build import fill, notice
from tests.store.claim_rows import claim, content
from tests.store.customer_lines import payment

OTHER = "020290-9016"
DAY = timedelta(days=1)


@pytest.fixture
def context(profile: Profile, store: Store) -> Context:
    return making_claims(profile, store)


def test_nobody_without_the_mandate_gets_on(profile: Profile, store: Store) -> None:
    context = at_work(profile, store, MANDATE)
    hold_claims(store, claim("c1"))
    for way in (
        context.claims.lines,
        context.claims.accounts,
        lambda: context.claims.open("c1"),
        lambda: context.claims.payee(CODE),
        lambda: context.claims.cancel(["c1"]),
        lambda: context.claims.save_draft(None, claim=None, payee="", name="", values={}),
        lambda: context.claims.draft("d1"),
        lambda: register(context),
    ):
        with pytest.raises(NotAllowed):
            way()
    assert (commands(store), events(store)) == ([], [])


def test_a_mandate_that_ends_ends_it_while_the_program_runs(context: Context, store: Store) -> None:
    hold_claims(store, claim("c1"))
    assert [line.id for line in context.claims.lines()] == ["c1"]
    give(store, MANDATE)
    with pytest.raises(NotAllowed):
        context.claims.lines()


def test_nothing_is_shown_after_the_lease(context: Context, store: Store, time: Time) -> None:
    hold_claims(store, claim("c1"))
    put_secrets(store, {"lease_until": (NOW + timedelta(hours=12)).isoformat()})
    assert context.claims.facts(CODE).claims is not None
    time.at += timedelta(hours=13)
    for way in (context.claims.lines, context.claims.accounts, lambda: context.claims.open("c1")):
        with pytest.raises(LeaseEnded):
            way()
    assert context.claims.facts(CODE) == Facts()


def test_drafts_stand_first(context: Context, store: Store, time: Time) -> None:
    hold_claims(store, claim("c1"))
    typed = {"amount": "1 234,5", "first": "1.12.2026"}
    first = context.claims.save_draft(None, claim=None, payee=CODE, name=NAME, values=typed)
    time.at += timedelta(minutes=1)
    typed = {"amount": "x", "first": "31.2.2026"}
    second = context.claims.save_draft(None, claim="c1", payee="", name="", values=typed)
    one, other, third = context.claims.lines()
    assert [line.id for line in (one, other, third)] == [second, first, "c1"]
    assert (one.status, one.name, one.masked_code, one.first, one.amount) == (DRAFT, "", "", None, None)
    assert (other.first, other.amount, other.masked_code) == (date(2026, 12, 1), Decimal("1234.50"), "******-*00P")


def test_a_list_and_a_claim_are_logged(context: Context, store: Store, time: Time) -> None:
    hold_claims(store, claim("c1"), claim("c2"))
    context.claims.log_list(2)
    for _ in range(2):
        assert context.claims.open("c1") is not None
    assert context.claims.open("c9") is None
    hold_claims(store, claim("c1", version=2, status=Status.IN_HANDLING))
    assert context.claims.open("c1") is not None, "Kela changed it"
    time.at += timedelta(hours=1)
    assert context.claims.open("c1") is not None, "that is another sitting"
    logged = [(one["view"], one["subject"], one["rows"]) for one in events(store)]
    assert logged == [("claim_list", None, 2), *[("claim", "c1", 1)] * 3]


def test_what_cannot_be_logged_is_not_shown(context: Context, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    hold_claims(store, claim("c1"))
    keep_file(store)

    def full(*_: object) -> None:
        raise StoreFull

    monkeypatch.setattr("kelmu_tui.store.views.log", full)
    for way in (
        lambda: context.claims.open("c1"),
        lambda: context.claims.payee(CODE),
        lambda: context.claims.log_list(1),
    ):
        with pytest.raises(StoreFull):
            way()
    assert context.claims.facts(CODE).as_of is None, "nor is it used"


def test_claims_of_a_customer_are_found_by_their_file(context: Context, store: Store) -> None:
    hold_claims(store, claim("c1"), claim("c2", code=OTHER))
    draft = context.claims.save_draft(None, claim=None, payee=CODE, name=NAME, values={})
    context.claims.save_draft(None, claim=None, payee=OTHER, name="", values={})
    assert context.claims.of_customer("p1") == (), "without a file nobody knows who that is"
    keep_file(store)
    assert [line.id for line in context.claims.of_customer("p1")] == [draft, "c1"]


def test_accounts(context: Context) -> None:
    assert context.claims.accounts() == (Account("a1", ACCOUNT, "Toimeentulotuki"),)


# --- what is known of a payee ---------------------------------------------------------------------------------------


def test_a_payee_is_known_by_a_file_a_notice_or_a_claim(context: Context, store: Store) -> None:
    assert context.claims.payee(CODE) is None
    hold_claims(store, claim("c1", given="Vaatimus", non_disclosure=True))
    assert context.claims.payee(CODE) == Payee("Virtanen, Vaatimus", "******-*00P", True, None, False)
    row = notice("n1", given="Ilmoitus")
    row["customer"]["identity_code"] = CODE
    fill(store, [row])
    with store.write() as db:
        db.execute("UPDATE replica.scope SET name = ? WHERE name GLOB 'notices:*'", (f"notices:{FIRST}",))
    assert context.claims.payee(CODE) == Payee("Virtanen, Ilmoitus", "******-*00P", False, None, False)
    keep_file(store)
    assert context.claims.payee(CODE) == Payee(NAME, "******-*00P", False, "p1", True)
    logged = [(one["view"], one["subject"]) for one in events(store)]
    assert logged == [("claim_payee", "c1"), ("customer", "p1")], "a payee once more in a sitting is the same look"


def test_facts_are_those_of_the_file_and_the_own_claims(context: Context, store: Store) -> None:
    mine = {"benefit": "sickness_allowance", "basis": "s.14", "claimant": "Pirkanmaa", "claimant_id": FIRST}
    keep_file(
        store,
        payments=[payment("m1", benefit="child_benefit")],
        decisions=[DecisionRow(id="d1", benefit="child_benefit", decided=TODAY, outcome="granted", valid_from=TODAY)],
        claims=[
            ClaimRow(id="k1", period_from=TODAY, status="in_force", received=TODAY, **mine),
            ClaimRow(id="k2", period_from=TODAY, status="ended", received=TODAY, **mine),
            ClaimRow(
                id="c1", period_from=TODAY, status="received", received=TODAY, **mine | {"claimant_id": "9900050-1"}
            ),
        ],
        passed_on=[
            PassedOnRow(id="w1", sender="Oy", kind="wage", period_from=TODAY, period_to=TODAY + DAY, received=TODAY),
            PassedOnRow(id="w2", sender="Oy", kind="pension", period_from=TODAY, period_to=TODAY, received=TODAY),
        ],
        died=TODAY,
    )
    hold_claims(store, claim("c1"), claim("c2", status=Status.REJECTED))
    facts = context.claims.facts(CODE)
    assert (facts.surname, facts.died, facts.as_of) == ("Virtanen", TODAY, TODAY)
    assert facts.payments is not None
    assert [(one.benefit, one.status, one.payee, one.net) for one in facts.payments] == [
        ("child_benefit", "paid", "customer", Decimal("500.00"))
    ]
    assert facts.decisions is not None
    assert [(one.benefit, one.outcome, one.first, one.last) for one in facts.decisions] == [
        ("child_benefit", "granted", TODAY, None)
    ]
    assert facts.wages == (Days(TODAY, TODAY + DAY),)
    assert facts.claims is not None
    assert {(one.id, one.benefit, one.own) for one in facts.claims} == {
        ("k1", "sickness_allowance", True),
        ("c1", "general_housing_allowance", True),
    }
    others = context.claims.facts(CODE, claim="c1").claims
    assert others is not None
    assert [one.id for one in others] == ["k1"], "the claim that is changed does not stand in its own way"


def test_of_what_is_left_out_nothing_is_known(context: Context, store: Store) -> None:
    keep_file(store, payments=[payment("m1")], narrowed=True)
    facts = context.claims.facts(CODE)
    assert (facts.payments, facts.decisions, facts.claims) == (None, (), ())
    assert context.claims.facts(OTHER) == Facts(claims=(), own_claims_only=True), "own claims are known without a file"
    hold_claims(store, claim("c1", code=OTHER, family="Aalto"))
    facts = context.claims.facts(OTHER)
    assert (facts.surname, [one.id for one in facts.claims or ()], facts.payments) == ("Aalto", ["c1"], None)


def test_the_same_assistance_is_not_claimed_twice_without_a_word(context: Context, store: Store) -> None:
    """Neither beside a claim that is in the feed nor beside one that only the customer's file shows."""
    draft = Partial(
        payee=CODE,
        basis="social_assistance_23",
        benefit="sickness_allowance",
        amount=Decimal("300.00"),
        assistance_first=date(2027, 1, 1),
        assistance_last=date(2027, 1, 31),
        assistance_amount=Decimal("400.00"),
    )

    def together() -> list[Any]:
        return [one.values["total"] for one in context.claims.check(draft).findings if one.rule == "s23_sum_together"]

    assert together() == []
    hold_claims(store, claim("c1", code=CODE))
    assert together() == [Decimal("620.50")]
    assert [
        one.rule for one in context.claims.check(draft, claim="c1").findings if one.rule == "s23_sum_together"
    ] == []
    row = ClaimRow(
        id="k1",
        benefit="child_benefit",
        basis="social_assistance_23",
        claimant="Pirkanmaa",
        claimant_id=FIRST,
        period_from=date(2027, 1, 1),
        period_to=date(2027, 1, 31),
        amount=Decimal("50.00"),
        status="in_force",
        received=TODAY,
    )
    keep_file(store, claims=[row])
    assert together() == [Decimal("670.50")]


def test_how_an_own_claim_stands_is_known_from_the_feed(context: Context, store: Store) -> None:
    mine = {"benefit": "child_benefit", "basis": "client_fees_14", "claimant": "Pirkanmaa", "claimant_id": FIRST}
    row = ClaimRow(id="c1", period_from=TODAY, status="in_force", received=TODAY, **mine)
    keep_file(store, claims=[row])
    assert [one.id for one in context.claims.facts(CODE).claims or ()] == ["c1"]
    hold_claims(store, claim("c1", code=CODE, status=Status.ENDED))
    assert context.claims.facts(CODE).claims == ()


def test_a_form_is_judged_as_it_is_typed(context: Context, store: Store) -> None:
    begun = Partial(basis="social_assistance_23", benefit="child_benefit")
    assert context.claims.check(begun).blocking == ()
    keep_file(store)
    found = context.claims.check(Partial(payee=CODE, basis="social_assistance_23", benefit="child_benefit"))
    assert ("child_benefit_in_payment", RuleKind.BLOCK) in {(one.rule, one.kind) for one in found.findings}
    context.claims.check(Partial(payee=CODE))
    assert [one["view"] for one in events(store)] == ["customer"], "typing is one look"


@pytest.mark.parametrize(("days", "risk"), [(0, True), (AT_RISK.days, True), (AT_RISK.days + 1, False)])
def test_what_waits_too_long_misses_a_payment(context: Context, time: Time, days: int, risk: bool) -> None:
    latest = date(2026, 12, 21)
    time.at += (latest - TODAY) - timedelta(days=days)
    put_secrets(context.store, {"session": session_text(lease={"id": "l2", "until": (time.at + DAY).isoformat()})})
    assert context.claims.at_risk(content()) == (date(2027, 1, 4) if risk else None)


# --- commands -------------------------------------------------------------------------------------------------------


def test_the_wide_mandate_alone_opens_claims(profile: Profile, store: Store) -> None:
    context = at_work(profile, store, WIDE)
    hold_claims(store, claim("c1"))
    assert [line.id for line in context.claims.lines()] == ["c1"]
