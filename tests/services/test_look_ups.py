"""The log of look-ups: who may ask, what is kept of an answer, what was typed, and what is taken along."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import date
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kelmu_tui.api.client import Client
from kelmu_tui.api.contract import AuditedLookUp, AuditPurpose, SampleRequest
from kelmu_tui.api.contract.audit import MAX_SAMPLE as MOST_OF_THE_CONTRACT
from kelmu_tui.domain.identifiers import make_identity_code
from kelmu_tui.domain.text import is_safe
from kelmu_tui.i18n import Translator
from kelmu_tui.services.audit_typing import MAX_SAMPLE, Part, Unfit, check_days, clean_day, clean_id, clean_number
from kelmu_tui.services.known import NotSupervisor
from kelmu_tui.services.look_up_text import COLUMNS, WIDTH, as_csv, as_data, line, report
from kelmu_tui.services.look_ups import AuditSearch, Found, LookUpLog, Wanted, extract_request, sample_request
from tests.api.test_client import answer, client
from tests.screens.look_ups import CHIEF, audited
from tests.screens.support import HOSTILE, LANGUAGES
from tests.store.build import NOW, OWN, FixedClock

CODE = make_identity_code(date(1990, 1, 1), "-", 922)
WHY = AuditPurpose.MONITORING
DAYS = (date(2026, 11, 1), date(2026, 11, 30))
WANTED: tuple[Wanted, ...] = (
    AuditSearch(WHY),
    sample_request(WHY, None, 2, None, *DAYS),
    extract_request(WHY, "P-7", CODE),
)


class Backend:
    """Answers with what a test gives; keeps what was asked."""

    def __init__(self) -> None:
        self.bodies: list[Any] = []
        self.asked: list[httpx.Request] = []
        self.client = client(self._answer)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        return answer(content=json.dumps(self.bodies.pop(0)).encode())

    def give(self) -> Client:
        return self.client


@pytest.fixture
async def backend() -> AsyncIterator[Backend]:
    found = Backend()
    yield found
    await found.client.close()


def rows(*values: dict[str, Any]) -> tuple[AuditedLookUp, ...]:
    return tuple(AuditedLookUp.model_validate(value) for value in values)


# --- asking ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wanted", WANTED)
async def test_who_supervises_nobody_asks_nothing(backend: Backend, wanted: Wanted) -> None:
    log = LookUpLog(CHIEF._replace(supervisor=False), backend.give, FixedClock())
    with pytest.raises(NotSupervisor):
        await log.find(wanted)
    with pytest.raises(NotSupervisor):
        await log.more(Found(AuditSearch(WHY), NOW, (), "c1"))
    assert backend.asked == []


async def test_a_search_grows_page_by_page_and_ends(backend: Backend) -> None:
    log = LookUpLog(CHIEF, backend.give, FixedClock())
    backend.bodies = [
        {"look_ups": [audited(1)], "next": "c1"},
        {"look_ups": [audited(2)], "next": "c2"},
        {"look_ups": [audited(3)], "next": "c2"},
    ]
    found = await log.find(AuditSearch(WHY))
    assert not found.whole
    found = await log.more(await log.more(found))
    assert [row.id for row in found.rows] == ["l001", "l002", "l003"]
    assert found.whole, "a cursor that leads to itself is an end"
    assert await log.more(found) == found
    cut = found.first(2)
    assert (len(cut.rows), cut.whole) == (2, False)
    assert found.first(3) == found


async def test_a_sample_is_drawn_again_by_its_seed(backend: Backend) -> None:
    log = LookUpLog(CHIEF, backend.give, FixedClock())
    backend.bodies = [{"seed": 99, "drawn_from": 5, "look_ups": [audited(1)]}]
    found = await log.find(sample_request(WHY, "P-7", 1, None, *DAYS))
    assert (found.seed, found.drawn_from) == (99, 5)
    assert isinstance(found.again, SampleRequest)
    assert found.again.seed == 99


async def test_of_an_extract_the_code_is_forgotten(backend: Backend) -> None:
    log = LookUpLog(CHIEF, backend.give, FixedClock())
    made = {"organisation": OWN, "made_at": NOW.isoformat()}
    backend.bodies = [made | {"look_ups": [audited(1)]}, made | {"look_ups": []}]
    found = await log.find(extract_request(WHY, None, CODE), CODE.masked)
    assert json.loads(backend.asked[0].content)["identity_code"] == CODE.value
    assert CODE.value not in repr(found)
    assert (found.whom, found.again) == (CODE.masked, extract_request(WHY, None, "p1"))
    nobody = await log.find(extract_request(WHY, None, CODE), CODE.masked)
    assert (nobody.rows, nobody.again) == ((), None)


# --- what was typed -------------------------------------------------------------------------------------------------


def test_a_sample_is_as_large_as_the_contract_lets_it_be() -> None:
    assert MAX_SAMPLE == MOST_OF_THE_CONTRACT


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("24.11.2026", date(2026, 11, 24)),
        (" 1.2.2026 ", date(2026, 2, 1)),
        ("2026-11-24", date(2026, 11, 24)),
        ("", None),
    ],
)
def test_days_are_typed_in_two_ways(text: str, day: date | None) -> None:
    assert clean_day(text, Part.SINCE) == day


@pytest.mark.parametrize("text", ["31.2.2026", "24.11.", "24/11/2026", "tänään", "24.11.26", "٢٤.١١.٢٠٢٦", "0.0.0000"])
def test_what_is_no_day_is_named_by_its_part(text: str) -> None:
    with pytest.raises(Unfit) as failed:
        clean_day(text, Part.UNTIL)
    assert failed.value.part is Part.UNTIL
    assert text not in str(failed.value)


def test_the_last_day_is_not_before_the_first() -> None:
    check_days(DAYS[0], DAYS[0])
    check_days(None, DAYS[0])
    with pytest.raises(Unfit):
        check_days(DAYS[1], DAYS[0])


def test_numbers_and_ids_are_checked() -> None:
    assert clean_number("1 000", Part.SEED) == 1000
    assert clean_number("200", Part.SIZE) == 200
    assert clean_number("", Part.SIZE) is None
    assert clean_number(str(2**53 - 1), Part.SEED) == 2**53 - 1
    assert clean_id(" persona-a ", Part.USER) == "persona-a"
    for text, part in (
        ("0", Part.SIZE),
        ("201", Part.SIZE),
        ("-1", Part.SEED),
        (str(2**53), Part.SEED),
        ("²", Part.SEED),
    ):
        with pytest.raises(Unfit):
            clean_number(text, part)
    for text in ("a b", "x" * 41, "ä", "a;b"):
        with pytest.raises(Unfit):
            clean_id(text, Part.USER)


@given(st.text(max_size=30))
def test_any_text_is_taken_or_named(text: str) -> None:
    """Nothing but `Unfit` comes out, and what is taken is within the contract."""
    with suppress(Unfit):
        size = clean_number(text, Part.SIZE)
        assert size is None or 1 <= size <= MAX_SAMPLE
    with suppress(Unfit):
        user = clean_id(text, Part.USER)
        assert user is None or user.isascii()
    with suppress(Unfit):
        day = clean_day(text, Part.SINCE)
        assert (day is None) == (not text.strip())


# --- what is taken along --------------------------------------------------------------------------------------------


def extract(*values: dict[str, Any]) -> Found:
    return Found(extract_request(AuditPurpose.CUSTOMER_REQUEST, "P-7", "p1"), NOW, rows(*values), whom=CODE.masked)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_report_tells_who_looked_when_for_whom_and_why_in_narrow_lines(language: str) -> None:
    t = Translator(language)
    long = "Asiakas soitti ja kysyi, " * 12
    text = report(extract(audited(1, reason=long), audited(2, flags=["self"], user_name=None)), CHIEF, t)
    assert max(map(len, text.splitlines())) <= WIDTH
    joined = " ".join(text.split())
    for word in (
        CHIEF.organisation.name.get(language),
        OWN,
        CHIEF.user_name,
        CODE.masked,
        "P-7",
        "Käyttäjä 1 (user-1)",
        "user-2 (user-2)",
        t("look_ups.audit_purpose.customer_request"),
        t("look_ups.flag.self"),
        t.formats.instant(NOW),
        " ".join(long.split()),
    ):
        assert word in joined, word


def test_a_report_of_a_sample_says_how_it_was_drawn_and_one_of_a_search_what_is_missing() -> None:
    t = Translator("en")
    drawn = Found(sample_request(WHY, None, 2, None, *DAYS), NOW, rows(audited(1)), seed=4711, drawn_from=9)
    text = " ".join(report(drawn, CHIEF, t).split())
    assert "Seed: 4711" in text
    assert "1 of 9 look-ups" in text
    assert "1.11.–30.11.2026" in text
    searched = Found(AuditSearch(WHY, user="u1", until=DAYS[1]), NOW, rows(audited(1)), "c1")
    text = " ".join(report(searched, CHIEF, t).split())
    assert "There are more look-ups than these." in text
    assert "User: u1" in text
    assert "–30.11.2026" in text
    assert as_data(searched)["more"] is True
    assert as_data(drawn)["seed"] == 4711
    assert as_data(extract())["masked_code"] == CODE.masked


def test_what_others_wrote_is_only_text_wherever_it_goes() -> None:
    t = Translator("fi")
    found = extract(audited(1, reason=f"{HOSTILE}\n\x1b[2Jtoinen", user_name=HOSTILE, case_reference=HOSTILE))
    for text in (report(found, CHIEF, t), as_csv(found).replace("\r", ""), line(found.rows[0], t)):
        assert is_safe(text, multiline=True)
        assert "[b]x[/]" in text


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", " ="])
def test_no_cell_of_a_csv_is_a_formula(start: str) -> None:
    found = extract(audited(1, reason=f"{start}1+1|x", flags=["self", "paused"]))
    (read,) = csv.DictReader(io.StringIO(as_csv(found)))
    assert tuple(read) == COLUMNS
    assert read["reason"].lstrip(" \t")[0] not in "=+-@"
    assert read["flags"] == "self paused"
