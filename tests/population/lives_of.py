"""People whose lives are made in tests, and the rows of a life as the contract reads them."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

from hypothesis import settings
from hypothesis import strategies as st

from kelmu_backend.population.lives import Customer, rows_of
from kelmu_backend.population.rows import Row
from kelmu_tui.api.contract import customers as wire
from kelmu_tui.domain.sections import Section

MODELS: Final[dict[str, type[Any]]] = {
    "pending": wire.PendingRow,
    "decisions": wire.DecisionRow,
    "payments": wire.PaymentRow,
    "claims": wire.ClaimRow,
    "insurance": wire.InsuranceRow,
    "recovery": wire.RecoveryRow,
    "medicine": wire.MedicineRow,
    "passed_on": wire.PassedOnRow,
}
GRANTING: Final = frozenset({wire.DecisionOutcome.GRANTED, wire.DecisionOutcome.ADJUSTED})
UNTIMED: Final = settings(deadline=None)
CHILD: Final = Customer("c", "Virtanen", date(2018, 5, 3), None, 5)
OLDER_CHILD: Final = Customer("d", "Virtanen", date(2011, 9, 30), None, 6)
SPOUSE: Final = Customer("o", "Virtanen", date(1985, 2, 1), None, 7)
days = st.dates(date(2024, 1, 1), date(2027, 3, 1))
born_days = st.dates(date(1935, 1, 1), date(2007, 12, 31))
deaths = st.none() | st.dates(date(2024, 1, 1), date(2026, 12, 31))


def _customer(
    id: str,  # noqa: A002
    family_name: str,
    born: date,
    died: date | None,
    seed: int,
    guardian: bool,
    municipality: str | None,
    since: date | None,
) -> Customer:
    """Return a customer; a pension of long ago is for those who were of age then."""
    grown = since is not None and since.year - born.year >= 18 and (died is None or died > since)
    return Customer(id, family_name, born, died, seed, guardian, municipality, since if grown else None)


people = st.builds(
    _customer,
    st.just("p"),
    st.just("Virtanen"),
    born_days,
    deaths,
    st.integers(0, 2**40),
    st.booleans(),
    st.sampled_from([None, "091", "837", "478"]),
    st.none() | st.builds(date, st.integers(2003, 2006), st.integers(1, 12), st.just(1)),
)
households = st.sampled_from([(), (CHILD,), (CHILD, OLDER_CHILD), (SPOUSE, CHILD)])


class Seen:
    """The rows of a life on a day, by section."""

    def __init__(self, person: Customer, household: tuple[Customer, ...], today: date) -> None:
        self.rows = rows_of(person, household, today)
        read = {section: [] for section in MODELS}  # type: dict[str, list[Any]]
        for row in self.rows:
            read[row["section"]].append(MODELS[row["section"]].model_validate(row["body"]))
        self.pending: list[wire.PendingRow] = read["pending"]
        self.decisions: list[wire.DecisionRow] = read["decisions"]
        self.payments: list[wire.PaymentRow] = read["payments"]
        self.claims: list[wire.ClaimRow] = read["claims"]
        self.recovery: list[wire.RecoveryRow] = read["recovery"]
        self.medicine: list[wire.MedicineRow] = read["medicine"]
        self.passed_on: list[wire.PassedOnRow] = read["passed_on"]

    def by_id(self, section: Section) -> dict[str, Row]:
        """Return the rows of a section by id."""
        return {row["id"]: row for row in self.rows if row["section"] == section.value}
