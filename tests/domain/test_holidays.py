"""The reckoned holidays against the package that knows Finland's law."""

from __future__ import annotations

import subprocess
import sys

import holidays
import pytest

from kelmu_tui.domain.deadlines import _holidays


@pytest.mark.parametrize("year", range(1991, 2101))
def test_same_days_as_the_package(year: int) -> None:
    # Before 1991 Epiphany and Ascension were kept on Saturdays; the package's range ends in 2100.
    assert _holidays(year) == frozenset(holidays.country_holidays("FI", years=year))


def test_working_days_need_no_slow_package() -> None:
    program = (
        "import sys; from datetime import date; from kelmu_tui.domain.deadlines import is_working_day;"
        "is_working_day(date(2026, 11, 24)); print('holidays' in sys.modules)"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "False"
