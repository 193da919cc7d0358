"""Whatever happens to whomever on whichever day, the rows stay whole and no payment comes before its day."""

from __future__ import annotations

from datetime import date
from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st

from kelmu_backend.customers.changing import Key, Known
from kelmu_backend.customers.reading import MODELS
from kelmu_backend.population.happenings import Rows, happening
from kelmu_backend.population.lists import chance
from kelmu_backend.population.lives import Customer, rows_of
from kelmu_tui.domain.sections import Section

UNTIMED: Final = settings(deadline=None, max_examples=60)
days = st.dates(date(2025, 1, 1), date(2026, 12, 31))
people = st.builds(
    Customer,
    st.just("p"),
    st.just("Virtanen"),
    st.dates(date(1935, 1, 1), date(2007, 12, 31)),
    st.none(),
    st.integers(0, 2**40),
)


def life(person: Customer, today: date) -> dict[Key, Known]:
    """Return the rows of a life as the record holds them."""
    rows = rows_of(person, (), today)
    return {Key(Section(row["section"]), row["id"]): Known(row["benefit"], row["day"], row["body"]) for row in rows}


def ended(rows: Rows) -> set[tuple[str, str]]:
    """Return benefit and first day of what has stopped."""
    return {
        (row.body["benefit"], row.body["valid_from"])
        for row in rows.values()
        if row.body.get("outcome") in ("discontinued", "suspended")
    }


@UNTIMED
@given(people, days, days, st.integers(0, 2**30))
def test_rows_stay_whole_whatever_happens(person: Customer, made: date, today: date, seed: int) -> None:
    made, today = min(made, today), max(made, today)
    rows = life(person, made)
    random = chance(f"test/{seed}")
    for _ in range(6):
        before = dict(rows)
        changed = happening(random, rows, today)
        for key, row in changed.items():
            if row is None:
                assert rows.pop(key).body["status"] == "planned"
                continue
            assert row != rows.get(key)
            assert MODELS[key.section].model_validate(row.body).model_dump()["id"] == key.id
            rows[key] = row
        paid = {key for key, row in rows.items() if key.section is Section.PAYMENTS and row.body["status"] == "paid"}
        assert all(rows[key].day <= today for key in paid)
        for benefit, start in ended(rows) - ended(before):
            assert not [
                row
                for key, row in rows.items()
                if key.section is Section.PAYMENTS
                and (row.benefit, row.body["status"]) == (benefit, "planned")
                and row.body["period_from"] >= start
            ]


@UNTIMED
@given(people, days, st.integers(0, 2**30))
def test_a_payment_is_paid_on_its_day_before_anything_else_happens(person: Customer, made: date, seed: int) -> None:
    rows = life(person, made)
    planned = {
        key: row for key, row in rows.items() if key.section is Section.PAYMENTS and row.body["status"] == "planned"
    }
    for day in sorted({row.day for row in planned.values()}):
        changed = happening(chance(f"test/{seed}"), rows, day)
        assert set(changed) == {key for key, row in planned.items() if row.day <= day}
        assert {row.body["status"] for row in changed.values() if row is not None} == {"paid"}


def test_the_same_seed_lets_the_same_happen_and_all_kinds_of_things_do() -> None:
    today = date(2026, 3, 16)
    adults = (Customer("p", "Virtanen", date(1985, 4, 1), None, seed) for seed in range(100))
    lives = ({key: row for key, row in life(adult, today).items() if row.day <= today} for adult in adults)
    rows = next(rows for rows in lives if {key.section for key in rows} >= {Section.DECISIONS, Section.PAYMENTS})
    kinds = set()
    for seed in range(40):
        changed = happening(chance(f"test/{seed}"), rows, today)
        assert changed == happening(chance(f"test/{seed}"), rows, today)
        new = [(key.section.value, row) for key, row in changed.items() if row is not None and key not in rows]
        kinds |= {(section, row.body.get("outcome", "")) for section, row in new}
    assert kinds == {
        ("decisions", "adjusted"),
        ("decisions", "discontinued"),
        ("decisions", "suspended"),
        ("recovery", ""),
    }
