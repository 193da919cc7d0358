"""`kelmu claims …` end to end: a running backend, real HTTP, and what is said when something is wrong."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Iterator, Set
from datetime import date, timedelta
from typing import Any, Final

import pytest

from kelmu_tui.cli.claim_grammar import END_REASONS, STATES
from kelmu_tui.cli.claims import CLOSED
from kelmu_tui.cli.exits import Exit
from kelmu_tui.domain.claims.catalogue import end_reasons
from kelmu_tui.domain.claims.findings import found
from kelmu_tui.domain.claims.life import Status
from kelmu_tui.domain.deadlines import local_date
from kelmu_tui.domain.identifiers import make_identity_code
from kelmu_tui.i18n import Translator
from kelmu_tui.platform.clock import SystemClock
from kelmu_tui.services.claim_presence import Presence
from kelmu_tui.services.claim_words import rule_text
from kelmu_tui.services.claims import Claims
from kelmu_tui.services.context import connect
from kelmu_tui.store.claim_rows import DRAFT
from tests.cli.conftest import Kelmu, opened

pytestmark = pytest.mark.xdist_group("demo-backend")

USER, LOCKED_OUT = "persona-county-receiver", "persona-county-colleague"
WORKER, SUPERVISOR, FINANCE = "persona-county-worker", "persona-supervisor", "persona-county-invoices"
BENEFIT: Final = "care_allowance_pensioners_basic"
NOBODY: Final = make_identity_code(date(1911, 11, 11), "-", 999).value


def events() -> list[tuple[str, int]]:
    with opened(USER) as context, context.store.read() as db:
        rows = db.execute("SELECT body FROM main.view_event ORDER BY number").fetchall()
    said = [json.loads(body) for (body,) in rows]
    return [(one["view"], one["rows"]) for one in said if one["view"].startswith("claim")]


def stdin(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))


TODAY: Final = local_date(SystemClock().now())
"""One day for the whole run, which may go on beyond midnight."""


def a_day(days: int) -> str:
    return (TODAY + timedelta(days=days)).isoformat()


def claimed(account: str, **changes: str) -> list[str]:
    """Return the options of a claim on two months of care."""
    options = {
        "account": account,
        "basis": "AML14", "benefit": BENEFIT, "first": a_day(60), "last": a_day(120), "care-first": a_day(-10),
        "amount": "45,50", "telephone": "040 1234567", "reference": "H 1/26",
    }  # fmt: skip
    return [word for name, value in (options | changes).items() if value for word in (f"--{name}", value)]


def claims(kelmu: Kelmu, *more: str) -> dict[str, dict[str, Any]]:
    ran = kelmu("claims", "list", "--json", "--limit", "5000", *more)
    assert ran.code == Exit.OK, ran.err
    return {one["id"]: one for one in ran.data["claims"]}


def in_the_record(kelmu: Kelmu, *wanted: Set[str]) -> dict[str, dict[str, Any]]:
    """Read claims until there is one in a state of each set: the demo makes them while it serves."""
    for _ in range(100):
        assert kelmu("sync", "--wait", "60").code == Exit.OK
        found = claims(kelmu, "--all")
        states = {one["status"] for one in found.values()}
        if all(states & some for some in wanted):
            return found
    raise AssertionError("the demo has made no such claims")


@pytest.fixture
def worker(demo: Kelmu) -> Iterator[Kelmu]:
    """Somebody who makes claims, with what the record has of them; what is left waiting is ended at the end."""
    assert demo("sign-in", "--persona", USER).code == Exit.OK
    in_the_record(demo, {"in_force"}, CLOSED)
    yield demo
    waiting = demo("outbox", "list", "--json").data["commands"]
    for row in waiting:
        demo("outbox", "discard", row["id"], "--yes")


@pytest.fixture
def code(worker: Kelmu) -> str:
    """The identity code of somebody on whose benefit there is a claim."""
    first = next(iter(claims(worker, "--all")))
    found: str = worker("claims", "show", first, "--full", "--json").data["payee"]
    return found


@pytest.fixture
def account(worker: Kelmu) -> str:
    """Id of one of the organisation's accounts."""
    found: str = worker("claims", "accounts", "--json").data["accounts"][0]["id"]
    return found


def test_the_words_of_the_grammar_are_those_of_the_domain() -> None:
    assert set(STATES) == {DRAFT, *Status}
    assert tuple(end_reasons()) == END_REASONS


def test_a_claim_is_checked_registered_changed_and_cancelled(
    worker: Kelmu, code: str, account: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stdin(monkeypatch, code)
    checked = worker("claims", "check", *claimed(account), "--json")
    assert (checked.code, checked.data["missing"]) == (Exit.OK, []), checked.out
    assert {"no_consent", "ending"} <= {one["rule"] for one in checked.data["findings"]}
    assert all(one["text"] and one["source"] for one in checked.data["findings"])
    stdin(monkeypatch, f" {code.lower()} \nHoito jatkuu\nkevääseen.\n")
    ran = worker("claims", "register", *claimed(account, grounds="-"), "--json", "--wait", "30")
    assert ran.code == Exit.OK, ran.err
    assert ran.data["commands"][0]["state"] in ("acknowledged", "settled")
    assert code not in ran.out + ran.err
    id_ = ran.data["claim"]
    line = claims(worker)[id_]
    assert (line["status"], line["version"], line["amount"], line["benefit"]) == ("registered", 1, "45.50", BENEFIT)
    assert line["masked_code"].startswith("******")
    whole = worker("claims", "show", id_, "--json").data
    assert (whole["grounds"], whole["care_first"], whole["payee"]) == (
        "Hoito jatkuu\nkevääseen.", a_day(-10), line["masked_code"],
    )  # fmt: skip
    changed = worker("claims", "change", id_, "--amount", "1 050,5", "--last", "-", "--wait", "30", "--json")
    assert changed.code == Exit.OK, changed.err
    line = claims(worker)[id_]
    assert (line["amount"], line["last"], line["first"]) == ("1050.50", None, a_day(60))
    assert worker("claims", "cancel", id_, "--wait", "30").code == Exit.OK
    assert id_ not in claims(worker), "what is over is left out"
    assert claims(worker, "--status", "cancelled")[id_]["status"] == "cancelled"
    again = worker("claims", "cancel", id_, "--json")
    assert (again.code, again.document["error"]["code"]) == (Exit.REFUSED, "claim_not_open")


def test_a_claim_made_without_a_network_waits_and_says_what_that_may_cost(
    worker: Kelmu, code: str, account: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kelmu_tui.services.claims.AT_RISK", timedelta(days=400))
    stdin(monkeypatch, code)
    ran = worker(
        "claims",
        "register",
        *claimed(account, benefit="national_pension_old_age"),
        "--json",
        "--no-wait",
        "--lang",
        "en",
    )
    assert ran.code == Exit.OK, ran.err
    assert (ran.data["commands"][0]["state"], ran.data["at_risk"] is not None) == ("queued", True)
    assert "is missed" in ran.err
    id_ = ran.data["claim"]
    assert claims(worker)[id_]["pending"] == "claim-register"
    listed = worker("claims", "list", "--lang", "en", "--filter", claims(worker)[id_]["name"][:4])
    assert any(id_ in row and "Registered ↑" in row for row in listed.out.splitlines())
    assert worker("claims", "cancel", id_, "--no-wait").code == Exit.OK
    outbox = worker("outbox", "list", "--json").data["commands"]
    assert [row["verb"] for row in outbox] == ["claim-cancel", "claim-register"]
    sent = worker("outbox", "retry", "--wait", "30")
    assert sent.code == Exit.OK, sent.err
    assert claims(worker, "--all")[id_]["status"] == "cancelled"


@pytest.mark.parametrize(
    ("changes", "code_", "exit_"),
    [
        ({"first": "31.2.2026"}, "first_none", Exit.USAGE),
        ({"assistance-decided": "eilen"}, "assistance_decided_on_format", Exit.USAGE),
        ({"amount": "12,3456"}, "amount_decimals", Exit.USAGE),
        ({"amount": "ei"}, "amount_format", Exit.USAGE),
        ({"account": "FI0012345600000785"}, "account_check", Exit.USAGE),
        ({"benefit": "unicorn"}, "benefit_unknown", Exit.USAGE),
        ({"basis": "EATL99"}, "basis_unknown", Exit.USAGE),
        ({"telephone": "", "amount": ""}, "fields_missing", Exit.USAGE),
        ({"account": ""}, "fields_missing", Exit.USAGE),
        ({"last": "1.1.2026"}, "dates_in_order", Exit.REFUSED),
        ({"benefit": "general_housing_allowance"}, "housing_s23_only", Exit.REFUSED),
        ({"account": "FI5810171000000122"}, "claim_account", Exit.REFUSED),
    ],
)
def test_what_is_wrong_is_said_in_words_and_nothing_is_saved(
    worker: Kelmu,
    code: str,
    account: str,
    monkeypatch: pytest.MonkeyPatch,
    changes: dict[str, str],
    code_: str,
    exit_: Exit,
) -> None:
    stdin(monkeypatch, code)
    ran = worker("claims", "register", *claimed(**{"account": account} | changes), "--json", "--no-wait")
    assert (ran.code, ran.document["error"]["code"]) == (exit_, code_), ran.err
    assert ran.document["error"]["message"].endswith((".", "?")), ran.err
    assert code not in ran.out + ran.err
    assert worker("outbox", "list", "--json").data["commands"] == []


def test_a_check_tells_all_that_is_wrong(
    worker: Kelmu, code: str, account: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stdin(monkeypatch, code)
    ran = worker(
        "claims", "check", *claimed(account, last="1.1.2026", telephone="", **{"care-first": ""}), "--lang", "sv"
    )
    assert ran.code == Exit.REFUSED
    assert "Fyll ännu i: " in ran.out
    stdin(monkeypatch, code)
    found = worker("claims", "check", *claimed(account, last="1.1.2026", telephone=""), "--json").data
    assert ("dates_in_order", "block") in {(one["rule"], one["kind"]) for one in found["findings"]}
    assert found["missing"] == ["telephone"]


def test_somebody_unknown_has_to_be_looked_up_first(
    worker: Kelmu, account: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stdin(monkeypatch, NOBODY)
    ran = worker("claims", "register", *claimed(account), "--json", "--no-wait", "--lang", "en")
    assert (ran.code, ran.document["error"]["code"]) == (Exit.NOT_FOUND, "claim_payee")
    assert "kelmu customer show" in ran.err
    stdin(monkeypatch, "010190-900X")
    ran = worker("claims", "check", "--json")
    assert (ran.code, ran.document["error"]["code"]) == (Exit.USAGE, "customer_code_invalid")
    assert "010190" not in ran.out + ran.err
    stdin(monkeypatch, "")
    assert worker("claims", "register", "--no-wait").code == Exit.USAGE


def test_commands_on_claims_that_do_not_allow_them_change_nothing(worker: Kelmu) -> None:
    known = claims(worker, "--all")
    registered = next((id_ for id_, one in known.items() if one["status"] == "registered"), None)
    in_force = next(id_ for id_, one in known.items() if one["status"] == "in_force")
    first = known[in_force]["first"]
    over = next(id_ for id_, one in known.items() if one["status"] in CLOSED)
    ran = worker("claims", "end", in_force, over, "--last", first, "--reason", "care_ended", "--json", "--no-wait")
    assert (ran.code, ran.document["error"]["code"]) == (Exit.REFUSED, "claim_not_open")
    assert worker("claims", "cancel", in_force, "--json").document["error"]["code"] == "claim_state"
    if registered is not None:
        ran = worker("claims", "prolong", registered, "--last", a_day(400), "--json", "--no-wait")
        assert ran.document["error"]["code"] == "claim_state"
    assert worker("claims", "prolong", "ffffffff", "--last", a_day(400)).code == Exit.NOT_FOUND
    assert worker("claims", "end", in_force, "--last", a_day(1), "--reason", "boredom").code == Exit.USAGE
    assert worker("claims", "end", in_force, "--last", "eilen", "--reason", "care_ended").code == Exit.USAGE
    ran = worker("claims", "prolong", in_force, "--last", "-", "--json")
    assert (ran.code, ran.document["error"]["code"]) == (Exit.USAGE, "last_format")
    ran = worker("claims", "change", in_force, "--basis", "AML14")
    assert ran.code == Exit.USAGE, "with another basis it would be another claim"
    assert worker("outbox", "list", "--json").data["commands"] == []


def test_what_is_warned_of_when_claims_are_prolonged_is_said_first(
    worker: Kelmu, monkeypatch: pytest.MonkeyPatch
) -> None:
    (doubt,) = found("overlap", "benefit", id="x", first=TODAY, last=None, own=True)
    monkeypatch.setattr(Claims, "doubts", lambda *_: (doubt,))
    known = claims(worker)
    in_force = next(id_ for id_, one in known.items() if one["status"] == "in_force")
    ran = worker("claims", "prolong", in_force, "--last", known[in_force]["first"], "--json", "--lang", "en")
    assert (ran.code, ran.document["error"]["code"]) == (Exit.REFUSED, "claim_last_day")
    assert rule_text(doubt, Translator("en")) in ran.err


def test_looks_are_logged_before_anything_is_shown(worker: Kelmu) -> None:
    before, known = len(events()), claims(worker)
    first = next(iter(known))
    assert worker("claims", "show", first[:12]).code == Exit.OK
    assert worker("claims", "accounts").code == Exit.OK
    assert events()[before:] == [("claim_list", len(known)), ("claim", 1)]


def test_a_draft_is_listed_and_goes_on_in_the_app(worker: Kelmu) -> None:
    with opened(USER) as context:
        id_ = context.claims.save_draft(None, claim=None, payee="", name="", values={"amount": "12"})
    try:
        first, line = next(iter(claims(worker).items()))
        assert (first, line["status"], line["amount"]) == (id_, "draft", "12.00")
        ran = worker("claims", "show", id_, "--json")
        assert (ran.code, ran.document["error"]["code"]) == (Exit.NOT_FOUND, "claim_draft")
        assert worker("claims", "cancel", id_, "--json").document["error"]["code"] == "claim_not_open"
    finally:
        with opened(USER) as context:
            context.claims.drop_draft(id_)


def test_accounts_are_shown_in_groups(worker: Kelmu) -> None:
    (found,) = worker("claims", "accounts", "--json").data["accounts"][:1]
    assert found["iban"].startswith("FI")
    assert " ".join(found["iban"][at : at + 4] for at in range(0, 18, 4)) in worker("claims", "accounts").out


def test_without_the_mandate_nothing_is_told(demo: Kelmu) -> None:
    assert demo("sign-in", "--persona", LOCKED_OUT).code == Exit.OK
    for words in (("list",), ("accounts",), ("show", "ffff"), ("cancel", "ffff")):
        ran = demo("claims", *words, "--json")
        assert ran.code == Exit.NOT_ALLOWED, ran.out


def test_who_has_no_inbox_makes_claims_as_well(demo: Kelmu) -> None:
    assert demo("sign-in", "--persona", FINANCE).code == Exit.OK
    held = in_the_record(demo, {"registered"})
    registered = next(id_ for id_, one in held.items() if one["status"] == "registered")
    ran = demo("claims", "cancel", registered, "--wait", "30", "--json")
    state = ran.data["commands"][0]["state"]
    assert (ran.code, state) in ((Exit.OK, "acknowledged"), (Exit.OK, "settled"), (Exit.REFUSED, "refused")), ran.err


def test_two_people_on_one_claim_see_each_other(demo: Kelmu) -> None:
    for persona in (SUPERVISOR, WORKER):
        assert demo("sign-in", "--persona", persona).code == Exit.OK
    wanted = next(iter(in_the_record(demo, {"in_force"})))
    asyncio.run(tells(wanted, True))
    assert editing(demo, wanted) == "Riitta Korpela"
    assert demo("claims", "list", "--all", "--user", SUPERVISOR).code == Exit.OK
    asyncio.run(tells(wanted, True, False))
    assert editing(demo, wanted) is None


async def tells(claim: str, *on: bool) -> None:
    """Let the supervisor begin to change a claim, or stop."""
    with opened(SUPERVISOR) as context:
        async with connect(context, on_failure=lambda name, error: pytest.fail(f"{name}: {error}")) as link:
            presence = Presence(lambda: link.client, context.active.organisation.business_id, context.clock)
            for one in on:
                await presence.tell(claim, one)


def editing(kelmu: Kelmu, claim: str) -> str | None:
    assert kelmu("sync", "--wait", "30", "--user", WORKER).code == Exit.OK
    found: str | None = claims(kelmu, "--all", "--user", WORKER)[claim]["editing"]
    return found
