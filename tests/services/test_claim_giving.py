"""Commands on claims as a worker gives them: saved, taken back, refused, mended, and the drafts they come from."""

from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from kelmu_tui.domain.claims.life import ClaimRefused, Status
from kelmu_tui.i18n import Translator
from kelmu_tui.platform.paths import Profile
from kelmu_tui.services import refusals
from kelmu_tui.services.claims import NotOpen
from kelmu_tui.services.context import Context
from kelmu_tui.store import outbox
from kelmu_tui.store.claim_rows import DRAFT
from kelmu_tui.store.database import Changed, Store
from kelmu_tui.store.outbox import State
from tests.services.claims import (
    CODE,
    NAME,
    commands,
    hold_claims,
    making_claims,
    refuse,
    register,
    set_state,
)
from tests.services.signed_in import NOW
from tests.store.claim_rows import claim, content

OTHER = "020290-9016"
DAY = timedelta(days=1)


@pytest.fixture
def context(profile: Profile, store: Store) -> Context:
    return making_claims(profile, store)


def test_a_registration_is_saved_with_what_it_was_typed_as(context: Context, store: Store) -> None:
    typed = {"amount": "320,50", "first": "5.12.2026"}
    draft = context.claims.save_draft(None, claim=None, payee=CODE, name=NAME, values=typed)
    heard: list[frozenset[str]] = []
    store.listen(lambda change: heard.append(change.tables))
    command = register(context, draft)
    (saved,) = commands(store)
    assert (saved.id, saved.verb, saved.state, saved.base_version) == (command, "claim-register", State.QUEUED, 0)
    assert saved.label == {
        "customer": NAME, "masked_code": "******-*00P", "non_disclosure": False, "benefit": "general_housing_allowance",
        "first": "2026-12-05", "last": "2027-02-28", "amount": "320.50", "by": "Outi Rautio",
    }  # fmt: skip
    assert saved.payload["typed"] == typed
    assert b"typed" not in outbox.wire_body(saved.verb, saved.payload)
    assert context.claims.draft(draft) is None, "the claim has it now"
    assert {"command", "claim", "claim_draft"} <= frozenset().union(*heard)
    (line,) = context.claims.lines()
    assert (line.id, line.status, line.pending) == (saved.aggregate, "registered", "claim-register")


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"basis": "child_benefit_11_1", "benefit": "child_benefit", "assistance": None}, "kelmu_two_bases"),
        ({"amount": None}, "fields_needed"),
        ({"amount": Decimal("400.01")}, "s23_amount_cap"),
        ({"last": date(2026, 11, 30)}, "dates_in_order"),
        ({"account": "FI0312345600000785"}, "account_valid"),
        ({"account": "FI5810171000000122"}, "claim_account"),
        ({"payee": "010190-900X"}, "payee_code"),
    ],
)
def test_what_a_rule_forbids_is_not_saved(context: Context, store: Store, changes: dict[str, Any], rule: str) -> None:
    draft = context.claims.save_draft(None, claim=None, payee=CODE, name=NAME, values={"amount": "1"})
    with pytest.raises(ClaimRefused) as refused:
        register(context, draft, **changes)
    assert refused.value.rule == rule
    assert commands(store) == []
    assert context.claims.draft(draft) is not None, "nothing that was typed is lost"


def test_an_account_is_not_judged_before_any_is_known(context: Context, store: Store) -> None:
    with store.write("replica") as db:
        db.execute("DELETE FROM replica.account")
    register(context, account="FI5810171000000122")
    assert len(commands(store)) == 1


def test_a_claim_is_changed_on_the_version_that_was_seen(context: Context, store: Store) -> None:
    hold_claims(store, claim("c1", version=4))
    draft = context.claims.save_draft(None, claim="c1", payee=CODE, name=NAME, values={"amount": "10"})
    (command,) = context.claims.change("c1", content(amount=Decimal(10)), draft)
    (saved,) = commands(store)
    assert (saved.id, saved.verb, saved.base_version, saved.label["amount"]) == (command, "claim-change", 4, "10")
    assert (saved.label["customer"], context.claims.draft(draft)) == ("Virtanen, Aino", None)
    assert context.claims.lines()[0].amount == Decimal(10)
    care = content(basis="client_fees_14", assistance=None, care_first=date(2026, 12, 5), benefit="child_benefit")
    with pytest.raises(ClaimRefused, match="claim_fixed"):
        context.claims.change("c1", care, None)
    with pytest.raises(NotOpen):
        context.claims.change("c9", content(), None)


def test_commands_on_several_claims_are_saved_all_or_none(context: Context, store: Store) -> None:
    care = {"basis": "client_fees_14", "benefit": "care_allowance_pensioners_basic", "care_first": date(2026, 12, 5)}
    hold_claims(
        store,
        claim("c1", status=Status.IN_FORCE, **care),
        claim("c2", status=Status.IN_FORCE, **care),
        claim("c3"),
        claim("c4", status=Status.REJECTED),
    )
    later = date(2027, 6, 30)
    with pytest.raises(ClaimRefused, match="claim_state"):
        context.claims.prolong(["c1", "c3"], later)
    with pytest.raises(NotOpen):
        context.claims.end(["c1", "c4"], date(2027, 1, 31), "care_ended")
    with pytest.raises(ClaimRefused, match="claim_last_day"):
        context.claims.end(["c1", "c2"], date(2027, 6, 1), "care_ended")
    with pytest.raises(ClaimRefused, match="claim_end_reason"):
        context.claims.end(["c1"], date(2027, 1, 31), "no_such")
    assert commands(store) == []
    assert len(context.claims.prolong(["c1", "c2", "c1"], later)) == 2
    assert len(context.claims.end(["c1"], date(2027, 1, 31), "care_ended")) == 1
    assert len(context.claims.cancel(["c3"])) == 1
    assert [(one.aggregate, one.verb, one.label["last"]) for one in commands(store)] == [
        ("c1", "claim-prolong", "2027-06-30"),
        ("c2", "claim-prolong", "2027-06-30"),
        ("c1", "claim-end", "2027-01-31"),
        ("c3", "claim-cancel", "2027-02-28"),
    ]
    with pytest.raises(NotOpen):
        context.claims.cancel(["c3"])


def test_a_prolongation_is_judged_by_the_rules_as_well(context: Context, store: Store) -> None:
    hold_claims(store, claim("c1", status=Status.IN_FORCE))
    with pytest.raises(ClaimRefused, match="s23_period"):
        context.claims.prolong(["c1"], date(2027, 3, 31))
    assert commands(store) == []


def test_what_is_warned_of_when_a_claim_is_prolonged_is_what_was_not_so_before(context: Context, store: Store) -> None:
    care = {"basis": "client_fees_14", "benefit": "child_home_care_allowance", "care_first": date(2026, 12, 5)}
    hold_claims(
        store,
        claim("c1", status=Status.IN_FORCE, **care),
        claim("c2", status=Status.IN_FORCE, **care),
        claim("c3", status=Status.REJECTED),
        claim("c4", status=Status.REGISTERED),
    )
    assert [one.rule for one in context.claims.doubts(["c1", "c2"], date(2027, 6, 30))] == ["home_care_three_months"]
    assert context.claims.doubts(["c1"], date(2027, 3, 1)) == (), "they overlap already, and three months are not over"
    with pytest.raises(NotOpen):
        context.claims.doubts(["c1", "c3"], date(2027, 6, 30))
    with pytest.raises(ClaimRefused, match="claim_state"):
        context.claims.doubts(["c4"], date(2027, 6, 30))
    hold_claims(store, claim("c5", status=Status.IN_FORCE, code=OTHER))
    assert [one.rule for one in context.claims.doubts(["c5"], date(2027, 3, 31))] == ["s23_period"]
    assert commands(store) == []


# --- undoing --------------------------------------------------------------------------------------------------------


def test_what_was_not_sent_is_a_draft_again(context: Context, store: Store) -> None:
    typed = {"amount": "320,50"}
    draft = context.claims.save_draft(None, claim=None, payee=CODE, name=NAME, values=typed)
    command = register(context, draft)
    claim_id = commands(store)[0].aggregate
    context.claims.change(claim_id, content(amount=Decimal(3)), None)
    assert context.claims.take_back([command]) == 1
    assert {one.state for one in commands(store)} == {State.DISCARDED}
    found = context.claims.draft(draft)
    assert found is not None
    assert (found.values, found.payee, found.name, found.claim) == (typed, CODE, NAME, None)
    assert [line.id for line in context.claims.lines()] == [draft]
    assert context.claims.take_back([command]) == 0


def test_without_a_draft_before_it_makes_one(context: Context) -> None:
    context.claims.take_back([register(context)])
    (line,) = context.claims.lines()
    assert (line.status, line.amount, line.first, line.name) == (DRAFT, Decimal("320.50"), date(2026, 12, 5), NAME)


@pytest.mark.parametrize("state", [State.SENDING, State.ACKNOWLEDGED])
def test_what_was_registered_is_cancelled(context: Context, store: Store, state: State) -> None:
    command = register(context)
    set_state(store, command, state)
    assert context.claims.take_back([command]) == 1
    first, second = commands(store)
    assert (first.state, second.verb, second.aggregate) == (state, "claim-cancel", first.aggregate)
    assert context.claims.take_back([command]) == 0, "it is cancelled already"


def test_what_kela_handles_already_is_not_taken_back(context: Context, store: Store) -> None:
    command = register(context)
    set_state(store, command, State.SETTLED)
    hold_claims(store, claim(commands(store)[0].aggregate, status=Status.IN_HANDLING))
    assert context.claims.take_back([command]) == 0


def test_other_commands_are_taken_back_while_nothing_stands_behind_them(context: Context, store: Store) -> None:
    hold_claims(store, claim("c1"), claim("c2"))
    (before,) = [line for line in context.claims.lines() if line.id == "c1"]
    (first,) = context.claims.change("c1", content(amount=Decimal(1)), None)
    (second,) = context.claims.change("c1", content(amount=Decimal(2)), None)
    assert context.claims.take_back([first]) == 0
    assert context.claims.take_back([first, second]) == 2
    (third,) = context.claims.cancel(["c2"])
    set_state(store, third, State.SENDING)
    assert context.claims.take_back([third]) == 0
    assert context.claims.take_back(["nothing"]) == 0
    (line,) = [line for line in context.claims.lines() if line.id == "c1"]
    assert (line.amount, line.pending) == (before.amount, None)


# --- drafts ---------------------------------------------------------------------------------------------------------


def test_a_draft_is_kept_in_its_place_and_written_only_when_it_differs(context: Context, store: Store) -> None:
    id_ = context.claims.save_draft(None, claim=None, payee="", name="", values={"amount": "1"})
    heard: list[Changed] = []
    store.listen(heard.append)
    assert context.claims.save_draft(id_, claim=None, payee="", name="", values={"amount": "1"}) == id_
    assert heard == []
    assert context.claims.save_draft(id_, claim=None, payee=CODE, name=NAME, values={"amount": "12"}) == id_
    assert [change.tables for change in heard] == [{"claim_draft"}], "the outbox need not be read for it"
    found = context.claims.draft(id_)
    assert found is not None
    assert (found.values, found.payee) == ({"amount": "12"}, CODE)
    assert CODE not in repr(found)
    context.claims.drop_draft(id_)
    assert (context.claims.draft(id_), context.claims.lines()) == (None, ())


def test_a_draft_knows_what_the_claim_said_when_its_change_began(context: Context, store: Store) -> None:
    hold_claims(store, claim("c1"))
    claims = context.claims
    save = partial(claims.save_draft, claim="c1", payee=CODE, name=NAME)
    id_ = save(None, values={"amount": "1"})
    hold_claims(store, claim("c1", version=2, amount=Decimal(500)))
    save(id_, values={"amount": "12"})
    found = claims.draft(id_)
    assert found is not None
    assert found.base is not None
    assert (found.base["amount"], found.values) == ("320,50", {"amount": "12"})
    save(id_, values={"amount": "12"}, base={"amount": "500,00"})
    (command,) = claims.change("c1", content(amount=Decimal(12)), id_)
    assert claims.take_back([command]) == 1
    found = claims.draft(id_)
    assert found is not None
    assert (found.base, found.claim, found.values) == ({"amount": "500,00"}, "c1", {"amount": "12"})


def test_a_refused_registration_is_mended_and_given_again(context: Context, store: Store) -> None:
    typed = {"amount": "320,50"}
    draft = context.claims.save_draft(None, claim=None, payee=CODE, name=NAME, values=typed)
    refuse(store, register(context, draft))
    (line,) = context.claims.lines()
    assert (line.status, line.conflict) == (DRAFT, True)
    found = context.claims.draft(line.id)
    assert found is not None
    assert found.values == typed
    register(context, line.id, amount=Decimal(5))
    (line,) = context.claims.lines()
    assert (line.status, line.conflict, line.amount) == ("registered", False, Decimal(5))
    assert [one.state for one in commands(store)] == [State.DISCARDED, State.QUEUED]
    assert commands(store)[1].payload["typed"] == typed


def test_a_refused_registration_that_is_typed_on_is_a_draft_alone(context: Context, store: Store) -> None:
    refuse(store, register(context))
    (line,) = context.claims.lines()
    context.claims.save_draft(line.id, claim=None, payee=CODE, name=NAME, values={"amount": "7"})
    (line,) = context.claims.lines()
    assert (line.status, line.conflict, line.amount) == (DRAFT, False, Decimal(7))


def test_a_refused_registration_is_dropped(context: Context, store: Store) -> None:
    refuse(store, register(context))
    context.claims.drop_draft(context.claims.lines()[0].id)
    assert context.claims.lines() == ()
    assert context.outbox.lines()[0].conflict is None


# --- the outbox -----------------------------------------------------------------------------------------------------


def test_the_outbox_shows_and_redoes_commands_on_claims(context: Context, store: Store) -> None:
    hold_claims(store, claim("c1", version=3))
    (command,) = context.claims.change("c1", content(grounds="Omat perustelut"), None)
    refuse(store, command)
    line = context.outbox.line(command)
    assert line is not None
    assert (line.text, line.label["customer"]) == ("Omat perustelut", "Virtanen, Aino")
    hold_claims(store, claim("c1", version=5))
    (again,) = context.outbox.redo(command)
    assert [(one.id, one.state, one.base_version) for one in commands(store)] == [
        (command, State.REISSUED, 3),
        (again, State.QUEUED, 5),
    ]


def test_a_conflict_says_how_the_claim_stands_now(context: Context, store: Store) -> None:
    hold_claims(store, claim("c1", version=3))
    (command,) = context.claims.cancel(["c1"])
    now = claim("c1", version=4, status=Status.IN_HANDLING)
    with store.write() as db:
        outbox.freeze(db, command)
        told = {"code": "version_conflict", "rule": "claim_state"}
        outbox.refuse(db, command, told, json.dumps(now), NOW)
    line = context.outbox.line(command)
    assert line is not None
    assert line.conflict is not None
    said = refusals.present(line, Translator("en"), NOW)
    assert said.splitlines()[0] == "In handling at Kela"
    assert "€320.50" in said
    assert "Maija Mäki" in said
    assert "Virtanen" not in said
    assert refusals.why(line.conflict, Translator("fi")).endswith(".")


def test_a_reason_of_the_catalogue_is_no_text_of_the_user(context: Context, store: Store) -> None:
    hold_claims(store, claim("c1", status=Status.IN_FORCE))
    (command,) = context.claims.end(["c1"], date(2027, 1, 31), "care_ended")
    line = context.outbox.line(command)
    assert line is not None
    assert line.text == ""


def test_signing_out_discards_drafts_as_well(context: Context, store: Store) -> None:
    from kelmu_tui.services.unsent import discard_unsent

    context.claims.save_draft(None, claim=None, payee="", name="", values={"amount": "1"})
    discard_unsent(store, NOW)
    assert context.claims.lines() == ()
