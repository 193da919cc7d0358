"""Notices: fit for the wire, true to the catalogue, and in states that the rules allow."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from stdnum import iban

from kelmu_backend.population import Bundle, World, generate
from kelmu_backend.population.content import make_content
from kelmu_backend.population.lists import chance
from kelmu_backend.population.people import PersonMaker
from kelmu_backend.population.staff import find_organisation
from kelmu_tui.api.contract import NoticeRow, TraceRow
from kelmu_tui.domain.deadlines import due_on, kind_rules, local_date, visible_from
from kelmu_tui.domain.notices import Kind, NeedReason, ReductionReason, Status
from kelmu_tui.domain.organisations import ALAND_COUNTY, municipalities
from kelmu_tui.domain.text import is_safe
from kelmu_tui.domain.transfer import recipient
from tests.population.conftest import NOW

ALLOWED = {
    "household": {"household"},
    "interpreter_need": {"interpreter_language"},
    "reason": {"reason"},
    "consent": {"consent"},
    "free_text": {"free_text"},
    "kela_worker": {"kela_worker", "kela_worker_telephone"},
    "expenses_applied": {"expenses"},
    "basic_decision_reference": {"basic_decision_reference", "basic_decision_on"},
    "calculation_period": {"calculation_from", "calculation_to"},
    "attachments": {"attachments"},
    "bank_account": {"bank_account"},
    "reduction_percent": {"reduction_percent"},
    "reduction_reason": {"reduction_reason"},
    "reduction_period": {"reduction_from", "reduction_to"},
    "months_on_assistance": {"months_on_assistance"},
    "unemployed_since": {"unemployed_since"},
    "registered_jobseeker": {"registered_jobseeker"},
    "home_municipality_since": {"home_municipality_since"},
    "customer": set(),
    "contact_details": set(),
    "language": set(),
    "urgency": set(),
}
"""Fields of the catalogue, and the keys of the content that hold them."""


def _row(bundle: Bundle, world: World) -> NoticeRow:
    notes = [
        {key: note[key] for key in ("at", "by", "text")}
        for note in bundle.notes
        if note["organisation"] == bundle.notice["organisation"]
    ]
    return NoticeRow.model_validate({"table": "notice", **bundle.notice, "notes": notes})


def _unhandled(bundles: list[Bundle], organisation: str, now: datetime) -> tuple[int, int]:
    held = [b.notice for b in bundles if b.notice["organisation"] == organisation and b.notice["arrived"] <= now]
    return len(held), sum(row["status"] != Status.HANDLED for row in held)


def test_rows_are_those_of_the_contract(world: World, bundles: list[Bundle]) -> None:
    for bundle in bundles:
        wire = _row(bundle, world)
        # Nothing is cleaned, dropped or turned on the way: what is stored is what is sent.
        assert wire.customer.model_dump(mode="json", exclude_none=True) == bundle.notice["customer"]
        sent = wire.content.model_dump(mode="json", exclude_none=True, exclude_unset=True)
        assert sent == bundle.notice["content"]
        for trace in bundle.traces:
            TraceRow.model_validate({"table": "trace", "id": bundle.notice["id"], **trace})
    assert len({bundle.notice["id"] for bundle in bundles}) == len(bundles)


def test_content_holds_what_the_kind_has_and_nothing_else(bundles: list[Bundle]) -> None:
    for bundle in bundles:
        fields = kind_rules()[Kind(bundle.notice["kind"])].fields
        allowed = set().union(*(ALLOWED[name] for name in fields))
        assert bundle.notice["content"].keys() <= allowed
    seen: dict[str, set[str]] = {}
    for bundle in bundles:
        seen.setdefault(bundle.notice["kind"], set()).update(bundle.notice["content"])
    for kind, rule in kind_rules().items():
        assert seen[kind] == set().union(*(ALLOWED[name] for name in rule.fields)), kind


def test_kinds_come_in_the_shares_of_the_catalogue() -> None:
    mainland = [
        bundle.notice["kind"]
        for bundle in generate(2, NOW, people=2000, notices=6000).notices()
        if municipalities()[bundle.notice["municipality"]].county != ALAND_COUNTY
    ]
    for kind, rule in kind_rules().items():
        assert mainland.count(kind) / len(mainland) == pytest.approx(rule.share, abs=0.03), kind


def test_who_holds_a_notice_is_who_receives_it(bundles: list[Bundle]) -> None:
    for bundle in bundles:
        row = bundle.notice
        holder = recipient(Kind(row["kind"]), row["municipality"], local_date(row["created"]))
        assert holder is not None
        assert row["organisation"] == holder.business_id


def test_times_are_those_of_the_rules(bundles: list[Bundle]) -> None:
    for bundle in bundles:
        row = bundle.notice
        kind = Kind(row["kind"])
        decided = row["content"].get("basic_decision_on")
        decided_on = date.fromisoformat(decided) if decided else None
        assert row["arrived"] == visible_from(kind, row["urgent"], row["created"], decided_on)
        assert row["due"] == due_on(kind, row["urgent"], row["arrived"])
        assert not (row["urgent"] and not kind_rules()[kind].urgent_possible)
        assert row["subtype"] in (kind_rules()[kind].subtypes or (None,))
    urgent = sum(bundle.notice["urgent"] for bundle in bundles) / len(bundles)
    assert 0.1 < urgent < 0.2


def test_ninety_days_of_work(world: World, bundles: list[Bundle]) -> None:
    created = [bundle.notice["created"] for bundle in bundles]
    days = [local_date(at) for at in created]
    assert days == sorted(days)
    assert days[0] == local_date(world.now) - timedelta(days=90)
    assert days[-1] == local_date(world.now)
    weekend = sum(day.weekday() >= 5 for day in days) / len(days)
    assert weekend < 0.05


def test_the_demo_inbox_is_worth_a_look(world: World, bundles: list[Bundle]) -> None:
    held, unhandled = _unhandled(bundles, find_organisation("county:08").business_id, world.now)
    assert 200 <= held <= 310
    assert 40 <= unhandled <= 90
    for key in ("county:05", "municipality:091"):
        held, unhandled = _unhandled(bundles, find_organisation(key).business_id, world.now)
        assert held > 80
        assert unhandled > 10
    for key in ("municipality:478", "municipality:092", "municipality:170"):
        held, unhandled = _unhandled(bundles, find_organisation(key).business_id, world.now)
        assert held >= 5
        assert unhandled >= 1


def test_some_are_still_to_come_today_and_tomorrow(world: World, bundles: list[Bundle]) -> None:
    coming = [bundle.notice["arrived"] for bundle in bundles if bundle.notice["arrived"] > world.now]
    today = local_date(world.now)
    assert sum(local_date(at) == today for at in coming) >= 3
    assert sum(local_date(at) > today for at in coming) >= 3


def test_what_arrived_today_is_new(world: World, bundles: list[Bundle]) -> None:
    today = local_date(world.now)
    for bundle in bundles:
        if local_date(bundle.notice["arrived"]) >= today:
            assert (bundle.notice["status"], bundle.notice["version"]) == (Status.NEW, 1)
            assert not bundle.notes
            assert not bundle.traces


def test_states_agree_with_themselves(world: World, bundles: list[Bundle]) -> None:
    workers = {
        (organisation, worker.id): worker.name for organisation, team in world.staff.workers.items() for worker in team
    }
    midnight = local_date(world.now)
    for bundle in bundles:
        row = bundle.notice
        status = Status(row["status"])
        assert status is not Status.TRANSFERRED
        assert (row["handled_at"] is not None) is (row["handled_by"] is not None) is (status is Status.HANDLED)
        assert (row["assignee"] is None) is (row["assignee_name"] is None)
        if status is Status.IN_PROGRESS:
            assert row["assignee"]
        if row["assignee"]:
            assert workers[row["organisation"], row["assignee"]] == row["assignee_name"]
        if row["handled_at"]:
            assert row["arrived"] < row["handled_at"]
            assert local_date(row["handled_at"]) < midnight
        for note in bundle.notes:
            assert row["arrived"] < note["at"]
            assert local_date(note["at"]) < midnight


def test_old_ones_are_mostly_done_and_recent_ones_are_not(world: World, bundles: list[Bundle]) -> None:
    def part(low: int, high: int) -> float:
        ages = [(b.notice, (local_date(world.now) - local_date(b.notice["arrived"])).days) for b in bundles]
        found = [bool(row["status"] == Status.HANDLED) for row, age in ages if low <= age < high]
        return sum(found) / len(found)

    assert part(45, 91) > 0.85
    assert part(14, 45) > 0.6
    assert part(0, 3) < 0.15


def test_transfers_left_traces(world: World, bundles: list[Bundle]) -> None:
    states: Counter[str] = Counter()
    for bundle in bundles:
        row = bundle.notice
        for trace in bundle.traces:
            states[trace["state"]] += 1
            assert trace["notice"] == row["id"]
            assert trace["version"] <= row["version"]
            assert (trace["kind"], trace["urgent"], trace["due"]) == (row["kind"], row["urgent"], row["due"])
            assert trace["organisation"] != trace["to_organisation"]
            assert row["arrived"] < trace["at"]
            if trace["state"] == "taken_back":
                assert (row["organisation"], row["municipality"]) == (trace["organisation"], trace["from_municipality"])
            else:
                assert row["origin"]["organisation"] == trace["organisation"]
                assert (row["organisation"], row["municipality"]) == (
                    trace["to_organisation"],
                    trace["to_municipality"],
                )
            assert (row["transferred_from"] == trace["organisation"]) is (trace["state"] == "sent")
    assert set(states) == {"sent", "opened", "taken_back"}
    inside = [b for b in bundles if b.notice["origin"] and not b.traces]
    assert inside, "transfers inside a county leave no trace but an origin"
    county = find_organisation("county:08").business_id
    assert any(trace["organisation"] == county for bundle in bundles for trace in bundle.traces)


def test_non_disclosure_hides_where_somebody_is(bundles: list[Bundle]) -> None:
    hidden = [b.notice for b in bundles if b.notice["customer"]["non_disclosure"]]
    assert len(hidden) > 10
    for row in hidden:
        assert row["customer"].keys() == {
            "identity_code",
            "family_name",
            "given_names",
            "language",
            "non_disclosure",
        }
    shown = [b.notice["customer"] for b in bundles if not b.notice["customer"]["non_disclosure"]]
    assert all({"home_municipality", "address", "telephone"} <= customer.keys() for customer in shown)


def test_texts_do_not_tell_what_non_disclosure_hides() -> None:
    busy = generate(1, NOW, notices=6000)
    people = {person.identity_code: person for person in busy.people}
    checked = 0
    for bundle in busy.notices():
        person = people[bundle.notice["customer"]["identity_code"]]
        if not person.non_disclosure:
            continue
        place = municipalities()[person.municipality].name
        told = [bundle.notice["content"].get("free_text") or "", str((bundle.notice["origin"] or {}).get("reason", ""))]
        checked += any(told)
        # "Ii" and "Sund" are parts of ordinary words.
        if len(place.fi) > 4:
            assert not [text for text in told if place.fi in text or place.sv in text]
    assert checked > 50


def test_some_customers_have_moved_away(bundles: list[Bundle]) -> None:
    away = [
        b.notice
        for b in bundles
        if b.notice["customer"].get("home_municipality") not in (None, b.notice["municipality"])
    ]
    assert 0.02 < len(away) / len(bundles) < 0.15


def test_texts_are_safe_and_varied(bundles: list[Bundle]) -> None:
    texts = [b.notice["content"]["free_text"] for b in bundles if "free_text" in b.notice["content"]]
    assert all(is_safe(text, multiline=True) for text in texts)
    assert len(set(texts)) / len(texts) > 0.75
    assert any("\n" in text for text in texts)
    assert any("[" in text for text in texts)
    assert not [text for text in texts if ".." in text or "{day" in text or "{town" in text]


def test_swedish_speakers_are_written_to_in_swedish(bundles: list[Bundle]) -> None:
    texts = [
        b.notice["content"]["free_text"]
        for b in bundles
        if b.notice["customer"]["language"] == "sv" and "free_text" in b.notice["content"]
    ]
    assert len(texts) > 20
    assert not [text for text in texts if "siakas" in text]


def test_bank_accounts_pass_both_checks_and_belong_to_no_bank(bundles: list[Bundle]) -> None:
    accounts = [b.notice["content"]["bank_account"] for b in bundles if "bank_account" in b.notice["content"]]
    for account in accounts:
        assert iban.is_valid(account)
        assert account[4:8] == "9990"
        digits = [int(digit) for digit in reversed(account[4:])]
        luhn = sum(d if n % 2 == 0 else sum(divmod(2 * d, 10)) for n, d in enumerate(digits))
        assert luhn % 10 == 0


@pytest.mark.parametrize(
    ("day", "allowed"),
    [(date(2026, 1, 31), {20, 40}), (date(2026, 2, 1), {20, 40, 50}), (date(2025, 6, 2), {20, 40})],
)
def test_the_halved_amount_has_a_first_day(day: date, allowed: set[int]) -> None:
    random = chance(f"reductions/{day}")
    person = PersonMaker(random, day).person("837")
    drafts = [make_content(random, Kind.REDUCED_BASIC_AMOUNT, person, day) for _ in range(300)]
    assert {draft.content["reduction_percent"] for draft in drafts} == allowed
    for draft in drafts:
        assert draft.subtype == f"reduction_{draft.content['reduction_percent']}"
        assert draft.content["reduction_from"] > day.isoformat()
        assert draft.content["reduction_from"] < draft.content["reduction_to"]


def test_reasons_are_those_of_the_domain(bundles: list[Bundle]) -> None:
    def seen(key: str) -> set[Any]:
        return {b.notice["content"][key] for b in bundles if key in b.notice["content"]}

    assert seen("reason") == set(NeedReason)
    assert seen("reduction_reason") == set(ReductionReason)
