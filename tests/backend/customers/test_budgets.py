"""How many may be looked up, what follows on codes that nobody has, and who tries one code after another."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert

from kelmu_backend.customers.budgets import ORGANISATION, budget
from kelmu_backend.customers.neighbours import REACH, neighbours
from kelmu_backend.database.customer_tables import look_up
from kelmu_tui.domain.identifiers import make_identity_code, parse_identity_code
from tests.backend.conftest import A, B, refusal

from .support import REASON, Register, code, lines

CODE = code()
UNKNOWN = [code(number, date(1980, 1, day)) for day, number in zip(range(1, 29, 2), range(900, 999, 5), strict=False)]


def _logged(register: Register, count: int, **changes: Any) -> None:
    """Write look-ups of different people into the log, a second apart up to now."""
    now = register.world.clock.now()
    start = len(register.world.all(look_up))
    rows = [
        {
            "id": f"l{start + n}",
            "at": now - timedelta(seconds=count - n),
            "user": "viewer",
            "organisation": A.business_id,
            "person": f"x{n}",
            "sections": [],
            "flags": [],
            "outcome": "done",
        }
        | {name: value(n) if callable(value) else value for name, value in changes.items()}
        for n in range(count)
    ]
    with register.world.database.write() as connection:
        connection.execute(insert(look_up), rows)


async def test_beyond_the_hour_s_budget_nobody_new_is_told(register: Register) -> None:
    register.add("p1", CODE)
    register.add("p2", code(901))
    lines(await register.ask(CODE, sections=[]))
    register.world.clock.pass_by(minutes=5)
    _logged(register, budget().hour - 2)
    lines(await register.ask(CODE, sections=[]))
    _logged(register, 1, person="x-last")
    for asked in (code(901), code(902)):
        answer = await register.ask(asked, sections=[], reason=REASON)
        assert refusal(answer) == (429, "lookups_spent", None)
        assert answer.headers["Retry-After"] == str(3600 - (budget().hour - 2)), "when the oldest is out"
    lines(await register.ask(CODE, sections=[]))
    wait = int(answer.headers["Retry-After"])
    register.world.pass_by(seconds=wait - 1)
    assert refusal(await register.ask(code(901), sections=[]))[0] == 429
    register.world.pass_by(seconds=1)
    lines(await register.ask(code(901), sections=[]))
    assert [outcome for outcome, *_ in register.logged() if outcome != "done"] == ["lookups_spent"] * 3


async def test_the_last_place_of_a_budget_is_taken_once(register: Register) -> None:
    people = [register.add(f"p{number}", code(number)) for number in range(900, 906)]
    _logged(register, budget().hour - 1)
    register.world.headers("viewer")
    answers = await asyncio.gather(*(register.ask(one, sections=[]) for one in people))
    assert sorted(answer.status_code for answer in answers) == [200, *[429] * 5]


async def test_a_day_has_a_budget_too_and_colleagues_have_their_own(register: Register) -> None:
    register.add("p1", CODE)
    _logged(register, budget().day, at=lambda n: register.world.clock.now() - timedelta(hours=2, seconds=n))
    answer = await register.ask(CODE)
    assert refusal(answer) == (429, "lookups_spent", None)
    assert int(answer.headers["Retry-After"]) == 22 * 3600 - (budget().day - 1)
    lines(await register.ask(CODE, user="colleague"))


async def test_what_was_refused_costs_nothing(register: Register) -> None:
    register.add("p1", CODE)
    _logged(register, 2 * budget().day, outcome="reason_needed")
    _logged(register, budget().hour - 1)
    lines(await register.ask(CODE))


@pytest.mark.parametrize(("limit", "hours"), [(budget().hour, 0.5), (budget().day, 5)])
async def test_an_organisation_has_a_hundred_times_as_much(register: Register, limit: int, hours: float) -> None:
    register.add("p1", CODE)
    whole = ORGANISATION * limit
    early = register.world.clock.now() - timedelta(hours=hours)
    _logged(register, whole - 1, user=lambda n: f"u{n // 50}", at=early)
    lines(await register.ask(CODE))
    register.add("p2", code(901))
    assert refusal(await register.ask(code(901))) == (429, "lookups_spent", None)
    assert refusal(await register.ask(code(901), user="colleague")) == (429, "lookups_spent", None)
    lines(await register.ask(CODE, user="colleague"))
    register.notice(code(901), B)
    lines(await register.ask(code(901), user="boss", organisation=B))


# --- codes that nobody has ------------------------------------------------------------------------------------------


async def _try(register: Register, *codes: str) -> list[int]:
    return [(await register.ask(one, reason=REASON)).status_code for one in codes]


async def test_after_codes_in_a_row_that_nobody_has_there_is_a_pause(register: Register) -> None:
    register.add("p1", CODE)
    assert await _try(register, *UNKNOWN[:5]) == [404] * 5
    assert [("paused" in flags) for _, _, flags in register.logged()] == [False] * 4 + [True]
    answer = await register.ask(CODE)
    assert refusal(answer) == (429, "lookups_paused", None)
    assert answer.headers["Retry-After"] == "600"
    lines(await register.ask(CODE, user="colleague"))
    register.world.pass_by(seconds=599)
    assert (await register.ask(CODE)).headers["Retry-After"] == "1"
    register.world.pass_by(seconds=1)
    assert await _try(register, *UNKNOWN[5:9]) == [404] * 4, "the row begins anew"
    lines(await register.ask(CODE))
    assert await _try(register, UNKNOWN[9]) == [404], "it was broken by somebody who is known"
    assert refusal(await register.ask("010190-9009"))[1] == "customer_code_invalid"


async def test_the_same_wrong_code_over_and_over_is_one(register: Register) -> None:
    register.add("p1", CODE)
    assert await _try(register, *[UNKNOWN[0]] * 8, *UNKNOWN[1:4]) == [404] * 11
    lines(await register.ask(CODE))


async def test_ids_that_nobody_has_count_as_codes_do(register: Register) -> None:
    for number in range(5):
        assert refusal(await register.ask(customer=f"p{number}", reason=REASON))[0] == 404
    assert refusal(await register.ask(customer="p9", reason=REASON))[0] == 429


async def test_an_organisation_that_tries_hundreds_of_codes_pauses(register: Register) -> None:
    register.add("p1", CODE)
    many = ORGANISATION * budget().unknown
    marks = {"person": None, "outcome": "not_found", "code_mark": lambda n: f"{n:064x}", "user": lambda n: f"u{n}"}
    _logged(register, many - 1, **marks)
    lines(await register.ask(CODE))
    _logged(register, 1, **marks | {"code_mark": "f" * 64})
    answer = await register.ask(CODE)
    assert refusal(answer) == (429, "lookups_paused", None)
    assert int(answer.headers["Retry-After"]) == 600 - (many - 1)


# --- one code after another -----------------------------------------------------------------------------------------


async def test_neighbouring_codes_are_flagged_from_the_third_on(register: Register) -> None:
    for number in (900, 901, 902, 950):
        register.add(f"p{number}", code(number))
    for number in (900, 901, 902, 950):
        lines(await register.ask(code(number), sections=[]))
    assert [flags for _, _, flags in register.logged()] == [[], [], ["sequence"], []]
    await register.ask(code(903), reason=REASON)
    assert register.logged()[-1] == ("not_found", None, ["unrelated", "sequence"])
    register.world.pass_by(hours=1, seconds=1)
    lines(await register.ask(code(901), sections=[]))
    assert register.logged()[-1] == ("done", "p901", [])


async def test_another_sign_each_time_is_a_sequence_too(register: Register) -> None:
    for number, sign in ((900, "Y"), (901, "X"), (902, "W")):
        await register.ask(code(number, sign=sign), reason=REASON)
    assert [("sequence" in flags) for _, _, flags in register.logged()] == [False, False, True]


@given(
    st.dates(date(1850, 1, 2), date(2026, 11, 20)),
    st.integers(900, 999),
    st.integers(0, 5),
)
def test_neighbours_are_valid_codes_close_by_and_know_each_other(born: date, number: int, at: int) -> None:
    signs = {18: "+", 19: "-YXWVU", 20: "ABCDEF"}[born.year // 100]
    found = make_identity_code(born, signs[at % len(signs)], number)
    near = neighbours(found)
    assert found.value not in near
    for one in near:
        parsed = parse_identity_code(one, today=date(2027, 1, 1))
        step = int(one[7:10]) - number
        assert (parsed.born == born and abs(step) <= REACH) or (abs((parsed.born - born).days) == 1 and step == 0)
        assert found.value in neighbours(parsed)
    inside = sum(0 <= number + step <= 999 for step in range(-REACH, REACH + 1))
    assert len({one[7:10] for one in near if one[:6] == found.value[:6]}) == inside - (len(signs) == 1)
