"""What a file says at a glance: computed from what its sections show, and nothing guessed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kelmu_tui.domain.sections import Section
from kelmu_tui.services import customer_overview as facts
from kelmu_tui.store.customer_rows import Claim, Decision, File, Medicine, Payment, Pending, Person, SectionFile

TODAY = date(2026, 11, 20)
NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)
PERSON = Person(
    "p1",
    "010190-900P",
    (),
    "Virtanen",
    "Aino",
    date(1990, 1, 1),
    None,
    "fi",
    None,
    None,
    False,
    None,
    None,
    None,
    (),
    (),
)


def file(**sections: tuple[Any, ...]) -> File:
    found = {
        Section(name): SectionFile(Section(name), "shown" if rows else "none", rows=rows)
        for name, rows in sections.items()
    }
    return File(PERSON, "social_work", None, NOW, NOW + timedelta(hours=12), frozenset(), found)


def decision(id: str, benefit: str = "a", **changes: Any) -> Decision:  # noqa: A002
    values: dict[str, Any] = {"decided": date(2026, 1, 10), "outcome": "granted", "valid_from": date(2026, 1, 1)}
    return Decision(id, benefit, **(values | changes))


def payment(id: str, net: str = "100", **changes: Any) -> Payment:  # noqa: A002
    values: dict[str, Any] = {
        "benefit": "a",
        "paid_on": date(2026, 11, 2),
        "period_from": date(2026, 11, 1),
        "period_to": date(2026, 11, 30),
        "gross": Decimal(net) + 5,
        "tax": None,
        "deductions": None,
        "net": Decimal(net),
        "payee": None,
        "account": None,
        "incomes_register": False,
    }
    return Payment(id=id, **(values | changes))


def test_the_newest_decision_tells_whether_a_benefit_runs() -> None:
    found = facts.running(
        file(
            decisions=(
                decision("1"),
                decision("2", "b"),
                decision("3", "b", outcome="discontinued", decided=date(2026, 5, 1), valid_from=date(2026, 6, 1)),
                decision("4", "c", valid_to=date(2026, 11, 19)),
                decision("5", "d", valid_from=date(2026, 12, 1)),
                decision("6", "e", per="once"),
                decision("7", "f"),
                decision("8", "f", outcome="rejected", decided=date(2026, 9, 1), valid_from=None),
                decision("9", "g", outcome="suspended"),
                decision("x", "h", valid_from=date(2026, 3, 1), valid_to=TODAY, amount=Decimal(7), per="day"),
            )
        ),
        TODAY,
    )
    assert [one.benefit for one in found] == ["h", "a", "f"]
    assert found[0] == facts.Running("h", date(2026, 3, 1), TODAY, Decimal(7), "day")


def test_a_discontinuation_to_come_ends_nothing_yet() -> None:
    rows = (
        decision("1"),
        decision("2", outcome="discontinued", decided=date(2026, 11, 10), valid_from=date(2026, 12, 1)),
    )
    assert [one.benefit for one in facts.running(file(decisions=rows), TODAY)] == ["a"]
    assert facts.running(file(decisions=rows), date(2026, 12, 1)) == ()


def test_the_next_payment_sums_its_day() -> None:
    found = facts.next_payment(
        file(
            payments=(
                payment("1", "10", status="planned", paid_on=date(2026, 12, 1)),
                payment("2", "20", status="planned", paid_on=date(2026, 12, 1), benefit="b"),
                payment("3", "40", status="planned", paid_on=date(2026, 12, 9)),
                payment("4", "80", status="planned", paid_on=date(2026, 11, 19)),
                payment("5", "160"),
            )
        ),
        TODAY,
    )
    assert found is not None
    assert (found.day, found.total, len(found.payments)) == (date(2026, 12, 1), Decimal(30), 2)
    assert facts.next_payment(file(payments=(payment("5"),)), TODAY) is None


def test_what_came_back_is_in_no_sum() -> None:
    rows = (payment("1", "10"), payment("2", "20", benefit="b"), payment("3", "40", status="returned"))
    assert facts.by_benefit(rows) == (
        facts.Summed("b", 1, Decimal(25), Decimal(20)),
        facts.Summed("a", 1, Decimal(15), Decimal(10)),
    )
    assert facts.periods(file(payments=(rows[2],))) == {}


@given(
    st.lists(
        st.tuples(
            st.sampled_from("abc"), st.dates(date(2024, 1, 1), TODAY), st.decimals(0, 5000, places=2), st.booleans()
        ),
        max_size=30,
    )
)
def test_months_and_benefits_sum_to_the_same(found: list[tuple[str, date, Decimal, bool]]) -> None:
    rows = [
        payment(str(number), str(net), benefit=benefit, paid_on=day, status="returned" if back else "paid")
        for number, (benefit, day, net, back) in enumerate(found)
    ]
    expected = sum((row.net for row in rows if row.status != "returned"), Decimal(0))
    for sums in (facts.by_month(rows), facts.by_benefit(rows)):
        assert sum((one.net for one in sums), Decimal(0)) == expected
        assert sum(one.payments for one in sums) == sum(row.status != "returned" for row in rows)
    assert [one.key for one in facts.by_month(rows)] == sorted(
        {row.paid_on.replace(day=1).isoformat() for row in rows if row.status != "returned"}, reverse=True
    )


def test_periods_come_from_decisions_where_payments_are_not_told() -> None:
    hidden = SectionFile(Section.PAYMENTS, "hidden")
    found = file(decisions=(decision("1"), decision("2", "b", outcome="rejected")))
    found.sections[Section.PAYMENTS] = hidden
    assert facts.periods(found) == {"a": [facts.Period(date(2026, 1, 1), None)]}
    assert not facts.tells(found, Section.PAYMENTS)
    assert not facts.tells(found, Section.CLAIMS)


def test_the_oldest_matter_comes_first_and_only_open_claims_count() -> None:
    matters = tuple(
        Pending(id_, "a", "application", date(2026, 11, day), "received") for id_, day in (("x", 9), ("y", 3))
    )
    claims = tuple(
        Claim(status, "a", "x", "Alue", None, TODAY, None, None, status, TODAY)
        for status in ("received", "in_force", "paid", "rejected", "ended")
    )
    medicines = (Medicine("m", 2025, Decimal(1), Decimal(2)), Medicine("n", 2026, Decimal(3), Decimal(4)))
    found = file(pending=matters, claims=claims, medicine=medicines)
    assert [row.id for row in facts.pending(found)] == ["y", "x"]
    assert [row.id for row in facts.open_claims(found)] == ["received", "in_force"]
    assert facts.medicine(found, 2026) == medicines[1]
    assert facts.medicine(found, 2024) is None
    assert facts.last_decision(found) is None
