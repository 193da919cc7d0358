"""Customers: what may be asked, how files are opened and logged, and what ends with a mandate."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from kelmu_tui.domain.identifiers import CodeFault, InvalidIdentityCode, make_identity_code
from kelmu_tui.domain.sections import Hidden, Section
from kelmu_tui.i18n import Translator
from kelmu_tui.platform.paths import Profile
from kelmu_tui.services.case_file import Form
from kelmu_tui.services.context import Context
from kelmu_tui.services.customers import SITTING, Case, InvalidCase, InvalidReason, LookUp
from kelmu_tui.store import views
from kelmu_tui.store.database import Store
from kelmu_tui.store.errors import LeaseEnded, StoreError, StoreFull
from tests.services.customers import at_work, events
from tests.services.signed_in import FIRST, NOW, Time
from tests.store.build import fill, notice
from tests.store.customer_lines import (
    PAYMENTS,
    PENDING,
    answer,
    down,
    head,
    hidden,
    matters,
    payment,
    payments,
    pending,
    person,
)

CODE = make_identity_code(person().born, "-", 900)
HOUR = timedelta(hours=1)


@pytest.fixture
def context(profile: Profile, store: Store, time: Time) -> Context:
    found = at_work(profile, store)
    line = head(NOW, who=person(identity_code=CODE.value))
    sections = (payments(payment("m1"), at=NOW - HOUR), matters(pending("a1"), at=NOW), hidden(Section.RECOVERY))
    answer(store, line, *sections)
    return found


# --- what may be asked ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        CODE.value,
        f"  {CODE.value}\n",
        CODE.value.lower(),
        CODE.value.replace("-", "\u2212"),
        CODE.value.replace("-", " \u2013 "),
        CODE.value.replace("0", "\uff10").replace("-", "\uff0d"),
        f"\ufeff{CODE.value[:6]}\u00a0{CODE.value[6:]}\u200b",
        "\u00ad".join(CODE.value),
    ],
)
def test_a_pasted_code_is_cleaned(context: Context, text: str) -> None:
    assert context.customers.clean_code(text) == CODE


def test_the_new_century_signs_may_be_small(context: Context) -> None:
    code = make_identity_code(person().born.replace(year=2004), "B", 901)
    assert context.customers.clean_code(code.value.lower()) == code


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", CodeFault.FORMAT),
        ("010190900R", CodeFault.FORMAT),
        ("\u0661" + CODE.value[1:], CodeFault.FORMAT),
        ("310290-900X", CodeFault.DATE),
        (f"{CODE.value[:-1]}{'A' if CODE.value[-1] != 'A' else 'B'}", CodeFault.CHECK),
        ("010199A900X", CodeFault.FUTURE),
    ],
)
def test_a_wrong_code_says_which_rule_it_breaks(context: Context, text: str, fault: CodeFault) -> None:
    with pytest.raises(InvalidIdentityCode) as told:
        context.customers.clean_code(text)
    assert told.value.fault is fault


def test_a_case_reference_is_one_line_of_plain_signs(context: Context) -> None:
    assert context.customers.clean_case("  123/26  (ts) ") == "123/26 (ts)"
    assert context.customers.clean_case(" ") is None
    assert context.customers.clean_case("Päätös Ä-1") == "Päätös Ä-1"
    for wrong in ("x" * 61, "1;2", "a\x00b", "\u202eevil"):
        with pytest.raises(InvalidCase):
            context.customers.clean_case(wrong)


def test_a_reason_is_cleaned_and_has_its_length(context: Context) -> None:
    assert context.customers.clean_reason(" Soitti\n\x1bkahdesti ") == "Soitti\n\ufffdkahdesti"
    assert context.customers.clean_reason(" \n") is None
    with pytest.raises(InvalidReason):
        context.customers.clean_reason("x" * 501)


def test_purposes_are_those_of_the_organisation(context: Context) -> None:
    names = [purpose.id for purpose in context.customers.purposes()]
    assert "supplementary_social_assistance" in names
    assert "reception_allowance" not in names


def test_a_reason_is_asked_when_nothing_tells_of_the_person(context: Context, store: Store) -> None:
    asked = context.customers.why_reason
    assert asked(CODE, "social_work") == "unrelated"
    assert asked("p1", "social_work") == "unrelated"
    fill(store, [notice("n1", customer=notice("x")["customer"] | {"identity_code": CODE.value})])
    assert asked(CODE, "social_work") is None
    assert asked("p1", "social_work") is None
    assert asked(CODE, "other") == "purpose"
    assert asked("p2", "social_work") is None, "of a member of the household only the backend knows the code"


def test_purpose_and_case_are_kept_for_the_sitting(context: Context) -> None:
    assert context.customers.last_case() is None
    context.customers.keep_case("social_work", "1/26")
    assert context.customers.last_case() == Case("social_work", "1/26")


def test_a_household_is_asked_one_by_one_where_the_purpose_allows(context: Context) -> None:
    file = context.customers.open("p1")
    assert file is not None
    query = LookUp("social_work", code=CODE, case_reference="1/26", reason="Perhe")
    (other,) = context.customers.household(query, file)
    assert (other.code, other.customer, other.case_reference, other.reason) == (None, "p2", "1/26", "Perhe")
    assert context.customers.household(LookUp("client_fee", code=CODE), file) == ()


def test_no_code_is_in_what_a_traceback_would_show() -> None:
    assert CODE.value not in repr(LookUp("social_work", code=CODE))


# --- opening --------------------------------------------------------------------------------------------------------


def test_a_look_is_committed_before_anything_is_shown(context: Context, store: Store) -> None:
    file = context.customers.open("p1")
    assert file is not None
    assert file.person.family_name == "Virtanen"
    (event,) = events(store)
    assert event == {
        "number": 1,
        "at": NOW.isoformat(),
        "user": "u1",
        "organisation": FIRST,
        "view": "customer",
        "subject": "p1",
        "rows": 2,
        "data_at": (NOW - HOUR).isoformat(),
        "purpose": "supplementary_social_assistance",
        "case_reference": "123/26",
    }
    with store.read() as db:
        assert views.verify(db) is None


def test_nothing_is_shown_when_the_look_cannot_be_logged(
    context: Context, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise StoreFull

    monkeypatch.setattr(views, "log", full)
    for show in (context.customers.open, context.customers.peek):
        with pytest.raises(StoreError):
            show("p1")
    with pytest.raises(StoreError):
        context.customers.section_text("p1", (PAYMENTS,), Translator("fi"))


def test_painting_again_is_one_look_until_something_else_is_shown(context: Context, store: Store, time: Time) -> None:
    assert context.customers.peek("p1") is not None
    assert context.customers.peek("p1") is not None
    assert len(events(store)) == 1
    time.at = NOW + SITTING
    assert context.customers.peek("p1") is not None
    assert len(events(store)) == 2
    answer(store, head(time.at, who=person(identity_code=CODE.value)), payments(payment("m2"), at=time.at))
    assert context.customers.peek("p1") is not None
    assert len(events(store)) == 3, "another answer is another look"
    assert context.customers.open("p1") is not None
    assert len(events(store)) == 4, "opening always is"


def test_what_is_not_held_is_neither_shown_nor_logged(context: Context, store: Store, time: Time) -> None:
    assert context.customers.open("p7") is None
    assert context.customers.peek("p7") is None
    assert not context.customers.copied("p7")
    assert context.customers.section_text("p7", (PAYMENTS,), Translator("en")) is None
    assert context.customers.section_text("p1", (Section.MEDICINE,), Translator("en")) is None
    assert context.customers.forget("p1")
    assert not context.customers.forget("p1")
    assert context.customers.peek("p1") is None
    assert events(store) == []


def test_a_file_opens_without_a_connection_until_its_time_is_over(context: Context, store: Store, time: Time) -> None:
    lease_until(store, NOW + timedelta(days=2))
    time.at = NOW + 12 * HOUR - timedelta(seconds=1)
    assert context.customers.open("p1") is not None
    time.at = NOW + 12 * HOUR
    assert context.customers.peek("p1") is None
    assert context.customers.recents() == ()


def lease_until(store: Store, until: datetime) -> None:
    with store.write() as db:
        db.execute("INSERT OR REPLACE INTO secret VALUES ('lease_until', ?)", (until.isoformat(),))


def test_after_the_lease_nothing_leaves_by_any_way(context: Context, store: Store, time: Time) -> None:
    lease_until(store, NOW + HOUR)
    context.customers.open("p1")
    time.at = NOW + 2 * HOUR
    service = context.customers
    for way in (
        lambda: service.open("p1"),
        lambda: service.peek("p1"),
        service.recents,
        lambda: service.search("vir"),
        lambda: service.held(CODE),
        lambda: service.section_text("p1", (PAYMENTS,), Translator("fi")),
        lambda: service.copied("p1"),
        lambda: service.why_reason("p1", "social_work"),
    ):
        with pytest.raises(LeaseEnded):
            way()
    assert len(events(store)) == 1


# --- lists, marks, copies -------------------------------------------------------------------------------------------


def test_lists_are_logged_by_who_shows_them(context: Context, store: Store) -> None:
    assert [one.customer for one in context.customers.recents()] == ["p1"]
    assert [one.customer for one in context.customers.search("ornv")] == ["p1"]
    assert context.customers.held(CODE) == "p1"
    assert events(store) == []
    context.customers.log_list(1)
    context.customers.log_list(1, filtered=True)
    assert [(e["view"], e["subject"], e["rows"]) for e in events(store)] == [
        ("customer_list", None, 1),
        ("customer_list:filtered", None, 1),
    ]


def test_marks_go_when_a_section_was_seen(context: Context, store: Store) -> None:
    line = head(NOW, who=person(identity_code=CODE.value))
    answer(store, line, payments(payment("m2"), payment("m1"), at=NOW))
    file = context.customers.open("p1")
    assert file is not None
    assert file.sections[PAYMENTS].news == {"m2"}
    heard: list[frozenset[str]] = []
    store.listen(lambda change: heard.append(change.tables))
    context.customers.seen("p1", PAYMENTS)
    context.customers.seen("p1", PAYMENTS)
    assert heard == [frozenset({"customer"})]
    again = context.customers.peek("p1")
    assert again is not None
    assert again.sections[PAYMENTS].news == frozenset()


def test_what_leaves_the_program_is_logged_with_its_purpose(context: Context, store: Store) -> None:
    english = Translator("en")
    text = context.customers.section_text("p1", (PAYMENTS,), english)
    assert text is not None
    assert context.customers.exported("p1", (PENDING,), english, Form.PAGES) is not None
    assert context.customers.copied("p1")
    assert [(e["view"], e["rows"], e["purpose"], e["case_reference"]) for e in events(store)] == [
        ("customer_copy", 1, "supplementary_social_assistance", "123/26"),
        ("customer_export", 1, "supplementary_social_assistance", "123/26"),
        ("customer_copy", 1, "supplementary_social_assistance", "123/26"),
    ]
    first, source, why, _, *rows = text.splitlines()
    assert first == f"Payments: Virtanen, Aino Örnvik ({CODE.masked})"
    assert "23.11.2026" in source
    assert why == "Purpose of use: Supplementary or preventive social assistance. Case: 123/26."
    (row,) = rows
    assert row.startswith("- Benefit: Basic social assistance; Payment day: 2.11.2026; ")
    assert "Not reported to the Incomes Register" in row
    assert CODE.value not in text


@pytest.mark.parametrize("language", ["fi", "sv", "en"])
def test_every_state_can_be_said(context: Context, store: Store, language: str) -> None:
    t = Translator(language)
    line = head(NOW, who=person(identity_code=CODE.value))
    answer(store, line, down(Section.CLAIMS), payments(section=Section.MEDICINE), down(PAYMENTS))
    said: dict[Section, str | None] = {
        s: context.customers.section_text("p1", (s,), t) for s in Section if s is not Section.INSURANCE
    }
    texts = {
        Section.CLAIMS: t("customers.state_down"),
        Section.MEDICINE: t("customers.state_none"),
        Section.RECOVERY: t.choice("customers.hidden", Hidden.LAW),
        PAYMENTS: t("customers.state_stale", at=t.formats.instant(NOW - HOUR)),
    }
    for section, text in texts.items():
        assert text in (said[section] or ""), section
