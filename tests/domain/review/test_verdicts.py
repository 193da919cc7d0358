"""Keys of findings: the same finding has the same key, another one has another."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from kelmu_tui.domain.lists import Event, Period, invoices
from kelmu_tui.domain.review import Finding, rules, shape_of
from kelmu_tui.domain.review.findings import Value
from kelmu_tui.domain.review.verdicts import finding_key
from tests.domain.review.clean import invoice
from tests.domain.review.faults import FAULTS, total_wrong

DAYS = st.dates(date(2020, 1, 1), date(2030, 12, 31))
VALUES: st.SearchStrategy[Value] = st.one_of(
    st.none(),
    st.decimals("-99999.99", "99999.99", places=2),
    st.integers(-1000, 1000),
    st.text(max_size=6),
    DAYS,
    st.tuples(DAYS, DAYS).map(lambda days: Period(min(days), max(days))),
    st.sampled_from(Event),
)
FINDINGS = st.builds(
    Finding,
    st.sampled_from(list(rules())),
    st.lists(st.text("0123456789abcdef", min_size=1, max_size=4), max_size=3).map(tuple),
    st.sampled_from((None, "period", "amount_eur")),
    VALUES,
    VALUES,
)


def _same(one: Finding, other: Finding) -> bool:
    """Tell whether both found the same, whatever should have been there; an event is its own text."""
    found = [value.value if isinstance(value, Event) else value for value in (one.found, other.found)]
    return one[:3] == other[:3] and found[0] == found[1] and type(found[0]) is type(found[1])


@given(FINDINGS, FINDINGS)
def test_keys_are_the_same_for_the_same_finding_alone(one: Finding, other: Finding) -> None:
    assert (finding_key(one) == finding_key(other)) is _same(one, other)


@given(FINDINGS, VALUES)
def test_a_key_is_short_and_does_not_hang_on_what_should_be_there(finding: Finding, expected: Value) -> None:
    assert re.fullmatch(r"[0-9a-f]{16}", finding_key(finding))
    assert finding_key(finding._replace(expected=expected)) == finding_key(finding)


def test_equal_sums_and_equal_days_have_one_key() -> None:
    def key(found: Value) -> str:
        return finding_key(Finding("share_wrong", ("r1",), "municipal_share_eur", None, found))

    assert key(Decimal("1.5")) == key(Decimal("1.50")) == key(Decimal("150").scaleb(-2))
    assert len({key(Decimal("1.00")), key(1), key("1"), key("1.00"), key(None), key("")}) == 6
    assert key("2026-10-01") != key(date(2026, 10, 1))


@given(st.sampled_from(list(invoices())), st.integers(0, 2**32), st.data())
def test_the_findings_of_an_invoice_have_keys_of_their_own(kind: str, seed: int, data: st.DataObject) -> None:
    case = invoice(kind, seed)
    data.draw(st.sampled_from(FAULTS[shape_of(kind)]))(case, Random(seed))
    total_wrong(case, Random(seed + 1))  # stands beside any other
    found = case.found()
    assert found
    assert len({finding_key(one) for one in found}) == len(found)
