"""Claims in the replica: rows of the feed, their order, own commands on their way, and ends."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from kelmu_tui.api.contract.claims import ClaimEditor, ClaimEvent, ClaimPayment
from kelmu_tui.domain.claims.life import Cancel, Change, End, Prolong, Register, Status
from kelmu_tui.store import aftermath, claims, expiry, outbox, replica, schema
from kelmu_tui.store.claim_rows import DRAFT, Event, Paid
from kelmu_tui.store.database import Store
from tests.store.build import NOW, OWN, named
from tests.store.claim_commands import acknowledge, file, frame, give, lines, refuse
from tests.store.claim_rows import (
    CLAIM_TABLES,
    CODE,
    GENERATION,
    HOUR,
    LATER_TABLES,
    REGISTERED,
    SCOPE,
    account,
    claim,
    content,
    hold,
)
from tests.store.conftest import OpenStore

NOTICES = f"notices:{OWN}"


def test_a_line_says_what_the_row_says(store: Store) -> None:
    paid = [
        ClaimPayment(on=date(2026, 12, 4), amount=Decimal("100.10")),
        ClaimPayment(on=date(2027, 1, 5), amount=Decimal("0.05")),
    ]
    hold(store, [claim("c1", payments=paid, non_disclosure=True, late=True)])
    line = lines(store)["c1"]
    assert (line.version, line.status, line.name, line.masked_code) == (
        1,
        "registered",
        "Virtanen, Aino",
        "******-*00P",
    )
    assert (line.non_disclosure, line.late, line.pending, line.conflict) == (True, True, None, False)
    assert (line.first, line.last, line.amount, line.paid) == (
        date(2026, 12, 5), date(2027, 2, 28), Decimal("320.50"), Decimal("100.15"),
    )  # fmt: skip
    assert (line.payment_day, line.registered_at, line.registered_by) == (date(2027, 1, 4), REGISTERED, "Maija Mäki")
    assert line.latest == date(2026, 12, 21), "two weeks before the payment day it is meant for"


def test_a_claim_whole_says_all_of_it(store: Store) -> None:
    events = [
        ClaimEvent(at=REGISTERED, what="register", by="Maija Mäki"),
        ClaimEvent(at=REGISTERED + HOUR, what="in_force"),
    ]
    paid = [ClaimPayment(on=date(2026, 12, 4), amount=Decimal("100.10"))]
    hold(store, [claim("c1", status=Status.IN_FORCE, events=events, payments=paid, decided_on=date(2026, 11, 17))])
    found = file(store, "c1")
    assert found.content == content()
    assert found.events == (
        Event(REGISTERED, "register", "Maija Mäki"),
        Event(REGISTERED + HOUR, "in_force", None),
    )
    assert (found.payments, found.decided_on) == ((Paid(date(2026, 12, 4), Decimal("100.10")),), date(2026, 11, 17))
    assert (found.rejection, found.end_reason, found.ended_on) == (None, None, None)
    with store.read() as db:
        assert claims.file(db, frame(), "c2") is None


def test_an_older_row_does_not_take_the_place_of_a_newer_one(store: Store) -> None:
    hold(store, [claim("c1", version=3, reference="new", amount=Decimal(3)), account("a", version=2, name="New")])
    hold(store, [claim("c1", version=2, reference="old", amount=Decimal(2)), account("a", name="Old")])
    assert (lines(store)["c1"].amount, file(store, "c1").content.reference) == (Decimal(3), "new")
    with store.read() as db:
        assert [one.name for one in claims.accounts(db)] == ["New"]
    hold(store, [claim("c1", version=3, reference="the same")])
    assert file(store, "c1").content.reference == "the same", "somebody began to edit it"


def test_who_needs_somebody_stands_first(store: Store) -> None:
    soon, later = date(2026, 12, 4), date(2027, 1, 5)
    rows = [
        claim("ended", status=Status.ENDED, registered_at=REGISTERED),
        claim("cancelled", status=Status.CANCELLED, registered_at=REGISTERED + HOUR),
        claim("later", payment_day=later),
        claim("none", payment_day=None),
        claim("soon", payment_day=soon),
        claim("heard", status=Status.HEARING, hearing_until=date(2026, 12, 9)),
        claim("late", late=True, payment_day=soon),
        claim("came-late", status=Status.IN_FORCE, late=True),
    ]
    hold(store, rows)
    refuse(store, give(store, "none", "claim-cancel", Cancel()))
    refuse(store, give(store, "new", "claim-register", Register(content()), 0))
    assert list(lines(store)) == [
        "new", "late", "heard", "none", "soon", "later", "came-late", "cancelled", "ended",
    ]  # fmt: skip


def test_a_claim_of_which_the_last_day_has_passed_is_over(store: Store) -> None:
    days = {"status": Status.IN_FORCE, "last": date(2026, 11, 20), "first": date(2026, 11, 1)}
    hold(store, [claim("c1", basis="client_fees_14", **days), claim("c2", **days)])
    assert (lines(store)["c1"].status, file(store, "c1").line.status) == ("in_force", "in_force")
    tomorrow = NOW + timedelta(days=1)
    assert (lines(store, tomorrow)["c1"].status, file(store, "c1", tomorrow).line.status) == ("ended", "ended")
    # What assistance was paid against is granted for time that has passed: Kela says when that is over.
    assert (lines(store, tomorrow)["c2"].status, file(store, "c2", tomorrow).line.status) == ("in_force", "in_force")


def test_somebody_else_who_changes_it_is_told_while_it_lasts(store: Store) -> None:
    both = [
        ClaimEditor(user="user", name="Laura Koski", until=NOW + HOUR),
        ClaimEditor(user="other", name="Maija Mäki", until=NOW + HOUR),
    ]
    hold(store, [claim("c1", editing=both), claim("c2", editing=both[:1]), claim("c3")])
    assert [line.editing for line in lines(store).values()] == ["Maija Mäki", None, None]
    assert lines(store, NOW + HOUR)["c1"].editing is None


def test_claims_of_a_person_are_found_by_any_of_their_codes(store: Store) -> None:
    hold(store, [claim("c1"), claim("c2", code="020290-9016", given="Toinen")])
    give(store, "c3", "claim-register", Register(content()), 0)
    give(store, "c4", "claim-register", Register(content(payee="020290-9016")), 0)
    with store.read() as db:
        assert {line.id for line in claims.of_person(db, frame(), [CODE])} == {"c1", "c3"}
        assert {line.id for line in claims.of_person(db, frame(), [CODE, "020290-9016"])} == {"c1", "c2", "c3", "c4"}
        assert claims.of_person(db, frame(), []) == []
        assert claims.person(db, frame(), "020290-9016") == ("Virtanen, Toinen", False, "c2")
        assert claims.person(db, frame(), "030390-902F") is None


def test_a_payee_is_known_by_a_registration_on_its_way(store: Store) -> None:
    hold(store, [])
    give(store, "c1", "claim-register", Register(content()), 0)
    with store.read() as db:
        assert claims.person(db, frame(), CODE) == ("Virtanen, Uusi", True, "c1")


# --- own commands ---------------------------------------------------------------------------------------------------


def test_a_claim_is_there_before_its_row_and_once_when_that_has_come(store: Store) -> None:
    hold(store, [])
    command = give(store, "c1", "claim-register", Register(content()), 0)
    line = lines(store)["c1"]
    assert (line.version, line.status, line.pending, line.name) == (0, "registered", "claim-register", "Virtanen, Uusi")
    assert (line.masked_code, line.non_disclosure, line.registered_by) == ("******-*00P", True, "Laura Koski")
    assert (line.latest, line.payment_day, line.late) == (date(2026, 12, 21), date(2027, 1, 4), False)
    found = file(store, "c1")
    assert (found.content, [(one.what, one.by, one.pending) for one in found.events]) == (
        content(), [("register", "Laura Koski", True)],
    )  # fmt: skip
    acknowledge(store, command, version=1)
    assert lines(store)["c1"].pending == "claim-register", "until the feed has brought it"
    hold(store, [claim("c1")])
    assert [(line.id, line.pending) for line in lines(store).values()] == [("c1", None)]


def test_a_registration_that_waits_past_the_two_weeks_is_late(store: Store) -> None:
    hold(store, [])
    give(store, "c1", "claim-register", Register(content()), 0)
    line = lines(store, NOW + timedelta(days=32))["c1"]
    assert (line.late, line.payment_day, line.latest) == (True, date(2027, 2, 1), date(2026, 12, 21))


def test_a_change_is_reckoned_anew_and_a_prolongation_is_not(store: Store) -> None:
    hold(store, [claim("c1"), claim("c2", status=Status.IN_FORCE)])
    give(store, "c1", "claim-change", Change(content(first=date(2027, 1, 10), amount=Decimal(12))))
    give(store, "c2", "claim-prolong", Prolong(date(2027, 12, 31)))
    found = lines(store)
    assert (found["c1"].amount, found["c1"].payment_day, found["c1"].pending) == (
        Decimal(12), date(2027, 2, 1), "claim-change",
    )  # fmt: skip
    assert (found["c2"].last, found["c2"].payment_day, found["c2"].pending) == (
        date(2027, 12, 31),
        date(2027, 1, 4),
        "claim-prolong",
    )


def test_registered_and_taken_back_without_a_network_is_cancelled(store: Store) -> None:
    hold(store, [])
    give(store, "c1", "claim-register", Register(content()), 0)
    give(store, "c1", "claim-cancel", Cancel(), 0)
    assert (lines(store)["c1"].status, lines(store)["c1"].pending) == ("cancelled", "claim-cancel")


def test_what_the_rules_refuse_by_now_changes_nothing(store: Store) -> None:
    hold(store, [claim("c1", status=Status.IN_HANDLING)])
    give(store, "c1", "claim-cancel", Cancel())
    give(store, "c1", "claim-end", End(date(2026, 12, 31), "care_ended"))
    assert (lines(store)["c1"].status, lines(store)["c1"].pending) == ("in_handling", None)


def test_versions_of_another_epoch_tell_nothing(store: Store) -> None:
    hold(store, [claim("c1", version=5)])
    acknowledge(store, give(store, "c1", "claim-change", Change(content(amount=Decimal(1)))), version=4, epoch="e1")
    assert lines(store)["c1"].amount == Decimal("320.50")
    with store.write("replica") as db:
        db.execute("INSERT INTO replica.state VALUES ('epoch', 'e2')")
    assert lines(store)["c1"].amount == Decimal(1), "a restored backend may not have it any more"


def test_a_refused_registration_is_a_draft_again(store: Store) -> None:
    hold(store, [])
    command = give(store, "c1", "claim-register", Register(content()), 0)
    give(store, "c1", "claim-change", Change(content(amount=Decimal(7))), 0)
    refuse(store, command, "payee_died")
    line = lines(store)["c1"]
    assert (line.status, line.conflict, line.pending, line.amount) == (DRAFT, True, None, Decimal("320.50"))
    found = file(store, "c1")
    assert (found.line, found.content, found.events) == (line, content(), ())
    with store.read() as db:
        assert claims.known(db, frame(), "c1") is None, "there is nothing that a command could be on"


def test_a_refused_change_leaves_the_claim_and_a_mark(store: Store) -> None:
    hold(store, [claim("c1")])
    refuse(store, give(store, "c1", "claim-change", Change(content(amount=Decimal(7)))))
    line = lines(store)["c1"]
    assert (line.status, line.conflict, line.pending, line.amount) == ("registered", True, None, Decimal("320.50"))


def test_a_change_that_is_refused_before_the_claim_has_come_leaves_a_mark(store: Store) -> None:
    acknowledge(store, give(store, "c1", "claim-register", Register(content()), 0), 1)
    refuse(store, give(store, "c1", "claim-change", Change(content(amount=Decimal("100.00")))))
    line = lines(store)["c1"]
    assert (line.pending, line.status, line.conflict) == ("claim-register", "registered", True)
    assert file(store, "c1").line == line


def test_the_bodies_are_those_of_the_contract() -> None:
    from kelmu_tui.api.contract.claims import ClaimBody, EndBody, ProlongBody
    from kelmu_tui.store import claim_content

    payload = claim_content.to_payload(content()) | {"typed": {"amount": "320,50"}, "draft": "d1"}
    for verb in ("claim-register", "claim-change"):
        body = ClaimBody.model_validate_json(outbox.wire_body(verb, payload))
        assert (body.payee, body.amount, body.first, body.handler) == (
            CODE,
            Decimal("320.50"),
            date(2026, 12, 5),
            "Laura Koski",
        )
        assert body.assistance is not None
        assert body.assistance.decided_on == date(2026, 11, 10)
    longer = ProlongBody.model_validate_json(outbox.wire_body("claim-prolong", {"last": "2026-12-31"}))
    assert longer.last == date(2026, 12, 31)
    ended = EndBody.model_validate_json(outbox.wire_body("claim-end", {"last": "2026-12-31", "reason": "care_ended"}))
    assert (ended.last, ended.reason) == (date(2026, 12, 31), "care_ended")
    assert outbox.wire_body("claim-cancel", {}) == b"{}"
    assert claim_content.of_payload(payload) == content()


# --- ends -----------------------------------------------------------------------------------------------------------


def test_a_row_goes_when_the_backend_said(store: Store) -> None:
    hold(store, [claim("c1", status=Status.ENDED, expires_at=NOW), claim("c2")])
    assert list(lines(store)) == ["c2"], "from that moment nothing of it is shown"
    assert expiry.sweep(store) == 1
    with store.read() as db:
        assert db.execute("SELECT id FROM replica.claim").fetchall() == [("c2",)]
        assert db.execute("SELECT id FROM replica.claim_body").fetchall() == [("c2",)]


def test_what_a_wrong_clock_deleted_is_filled_anew(store: Store) -> None:
    hold(store, [claim("c1", status=Status.ENDED, expires_at=NOW)])
    with store.write("replica") as db:
        db.execute("INSERT INTO replica.state VALUES ('cursor', 'x')")
    expiry.sweep(store)
    store.clock.hear(NOW - HOUR)
    expiry.bring_back(store)
    with store.read() as db:
        assert db.execute("SELECT 1 FROM replica.state WHERE key = 'cursor'").fetchone() is None


def test_a_replica_of_before_takes_claims_once_the_feed_begins_anew(opened: OpenStore) -> None:
    store = opened()
    store.attach(OWN)
    with store.write("replica") as db:
        db.execute("INSERT INTO replica.state VALUES ('cursor', 'c')")
        for table in (*CLAIM_TABLES, *LATER_TABLES):
            db.execute(f"DROP TABLE replica.{table}")
    store.db.execute("PRAGMA replica.user_version = 5")
    store.close()
    again = opened()
    again.attach(OWN)
    assert again.db.execute("PRAGMA replica.user_version").fetchone() == (schema.REPLICA_VERSION,)
    hold(again, [claim("c1"), account("a")])
    assert list(lines(again)) == ["c1"]
    with again.read() as db:
        assert db.execute("SELECT 1 FROM replica.state WHERE key = 'cursor'").fetchone() is None


def test_a_row_that_is_removed_goes_whole(store: Store) -> None:
    hold(store, [claim("c1", version=3), account("a")])
    with store.write("replica") as db:
        assert not replica.remove(db, GENERATION, "c1", 2)
        assert replica.remove(db, GENERATION, "c1", 3)
        assert replica.remove(db, GENERATION, "a")
        assert db.execute("SELECT count(*) FROM replica.claim_body").fetchone() == (0,)
        assert claims.accounts(db) == ()


def test_a_generation_goes_in_steps_with_all_of_its_rows(store: Store) -> None:
    hold(store, [*(claim(f"c{number}") for number in range(5)), account("a")])
    with store.write("replica") as db:
        steps = 1
        while not replica.drop_generation(db, GENERATION, 2):
            steps += 1
        left = [
            db.execute(f"SELECT count(*) FROM replica.{table}").fetchone()[0]
            for table in ("claim", "claim_body", "account")
        ]
    assert (steps, left) == (3, [0, 0, 0])


@pytest.mark.parametrize(("scopes", "stranded"), [([NOTICES, SCOPE], []), ([NOTICES], ["c1"]), ([SCOPE], ["n1"])])
def test_commands_are_set_aside_with_the_scope_they_need(store: Store, scopes: list[str], stranded: list[str]) -> None:
    give(store, "c1", "claim-register", Register(content()), 0)
    give(store, "n1", "take", Cancel())
    with store.write() as db:
        assert aftermath.strand(db, OWN, scopes, NOW) == stranded


def test_names_go_with_the_mandate_that_showed_them(store: Store) -> None:
    give(store, "c1", "claim-register", Register(content()), 0)
    give(store, "n1", "take", Cancel())
    both = [NOTICES, SCOPE]

    with store.write() as db:
        assert not aftermath.tells_too_much(db, OWN, both)
        assert aftermath.tells_too_much(db, OWN, both[:1])
        assert aftermath.forget_customers(db, OWN, both[:1]) == ["c1"]
        assert not aftermath.tells_too_much(db, OWN, both[:1])
    assert named(store) == ["n1"]
