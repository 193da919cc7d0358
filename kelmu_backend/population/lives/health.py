"""Social security cover, and medicine costs against the annual cap."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import ROUND_CEILING, Decimal

from kelmu_backend.population.lives.model import CENT, Customer, drawn, id_of, row_of
from kelmu_backend.population.rows import Row
from kelmu_tui.api.contract import customers as wire
from kelmu_tui.domain.benefits import has_deductible, medicine_limits
from kelmu_tui.domain.sections import Section


def insurance_rows(person: Customer, today: date) -> Iterator[Row]:
    """Yield the periods of cover."""
    if person.born > today:
        return
    died = person.died if person.died is not None and person.died <= today else None
    row = wire.InsuranceRow(
        id=id_of(person, "i", "residence", person.born),
        covered=True,
        ground="residence",
        valid_from=person.born,
        valid_to=died,
    )
    yield row_of(person, Section.INSURANCE, row, row.valid_from, None, died or person.born)


def medicine_rows(person: Customer, today: date) -> Iterator[Row]:
    """Yield each year's medicine costs up to `today`."""
    random = drawn(person, "medicine")
    for year, limits in medicine_limits().items():
        daily = Decimal(random.randrange(1, 300)) / 100
        begin = max(date(year, 1, 1), person.born)
        end = min(today, date(year, 12, 31), person.died or today)
        if end < begin:
            continue
        bought = (daily * ((end - begin).days + 1)).quantize(CENT)
        applies = has_deductible(person.born, year)
        days = int((limits.cap / daily).to_integral_value(ROUND_CEILING)) - 1
        reached = begin + timedelta(days=days) if bought >= limits.cap else None
        row = wire.MedicineRow(
            id=id_of(person, "m", "medicine", date(year, 1, 1)),
            year=year,
            accrued=min(bought, limits.cap),
            cap=limits.cap,
            deductible=limits.deductible if applies else None,
            deductible_used=min(bought, limits.deductible) if applies else None,
            reached_on=reached,
        )
        yield row_of(person, Section.MEDICINE, row, begin, "medicine_reimbursement", reached or end)
