"""The review over lists that are made by seed: `python -m tests.population.reviewed --count 1000`.

Each seed makes every billing list of all its periods, and the newest one again with each kind of mistake, with some at
once and with all of them. What a clean list has no finding for, and which findings a planted one has, is what
`flagged` and `missed` hold against one another; the tests ask them for a few seeds.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from random import Random
from typing import Final, NamedTuple

from kelmu_backend.lists.publishing import Issue
from kelmu_backend.population.issued import Fault, Planted, Sheet, county_answers, make_sheets
from kelmu_backend.population.issued.faults import possible
from kelmu_tui.domain.lists import KelaList, invoices
from kelmu_tui.domain.review import Answer, Earlier, Finding, Head, Shape, UnemploymentRow, read_row, review, shape_of
from tests.domain.review.counting import share_by_hand
from tests.population.issued_support import BILLING, clean, periods, roll

RULE_OF: Final[Mapping[Fault, str]] = {Fault.STRANGER: "person_unknown"}
"""Rules that are not named as the mistake."""
ALSO: Final[Mapping[Fault, frozenset[str]]] = {
    Fault.NEGATIVE_INVOICE: frozenset({"total_wrong"}),
    Fault.ZERO_INVOICE: frozenset({"total_wrong"}),
}
"""What else is found: such an invoice cannot be the sum of its rows."""
_WHOLE: Final = frozenset({Fault.TOTAL_WRONG, Fault.NEGATIVE_INVOICE, Fault.ZERO_INVOICE})
"""Mistakes of an invoice as a whole, of which it holds one at a time."""
AT_ONCE: Final = 3


class Tried(NamedTuple):
    """What was reviewed, and what the review got wrong in it.

    Attributes:
        what: how many invoices were reviewed clean and with each mistake, by its name.
        wrong: a sentence for each thing that is flagged or missed.
    """

    what: Counter[str]
    wrong: list[str]


def findings(seed: int, one: KelaList, issue: Issue, before: Sequence[Issue] = ()) -> tuple[Finding, ...]:
    """Return what the review finds in a list and its invoice; `before` are the lists of the periods before."""
    assert one.invoice is not None
    assert issue.bill is not None
    kind, shape, people = invoices()[one.invoice], shape_of(one.invoice), roll(seed, one.id)
    answers = None
    if shape is Shape.TREATMENT_ABROAD:
        told = county_answers(people, seed, [issue.period])
        answers = {ref: Answer(Decimal(a.cost) / 100, Decimal(a.fee) / 100) for ref, a in told.items()}
    total = Decimal(issue.bill.total) / 100
    head = Head(kind.id, issue.period, kind.sent.on(issue.period), kind.due(issue.period), total, issue.bill.payer)
    since = before[0].period.first if before else issue.period.first
    earlier = (read_row(shape, row.content) for past in before for row in past.rows)
    return review(
        head,
        (read_row(shape, row.content) for row in issue.rows),
        known={resident.identity_code for resident in people.residents},
        answers=answers,
        earlier=Earlier(since, earlier),
    )


def flagged(seed: int, one: KelaList) -> Tried:
    """Review the clean lists of all periods, each alone and with those before it, and reckon their shares by hand."""
    what, wrong = Counter[str](), []
    issues = clean(seed, one.id)
    for place, issue in enumerate(issues):
        wrong += [f"{_named(seed, one, issue)}: the share of row {row} is another" for row in _other_shares(one, issue)]
        if issue.bill is None:
            continue
        what["clean"] += 1
        for before in ((), issues[:place]):
            found = findings(seed, one, issue, before)
            wrong += [f"{_named(seed, one, issue)}: clean, but {finding.rule} of {finding.rows}" for finding in found]
    return Tried(what, wrong)


def _other_shares(one: KelaList, issue: Issue) -> Iterator[str]:
    kind = invoices()[str(one.invoice)]
    for content in (row.content for row in issue.rows if kind.steps is not None):
        row = read_row(shape_of(kind.id), content)
        assert isinstance(row, UnemploymentRow)
        assert row.amount is not None
        assert row.days_paid is not None
        assert row.days_accumulated is not None
        if share_by_hand(str(kind.steps), row.amount, row.days_paid, row.days_accumulated) != row.share:
            yield row.id


def missed(seed: int, one: KelaList, faults: Collection[Fault]) -> Tried:
    """Plant mistakes in the newest list and review it; what finds no row to stand in is not tried."""
    (sheet,) = make_sheets(roll(seed, one.id), seed, one, periods(one)[-1:], lambda _period: faults)
    what = Counter(planted.fault.value for planted in sheet.planted)
    if not sheet.planted or sheet.issue.bill is None:
        return Tried(Counter(), [])
    found = findings(seed, one, sheet.issue, clean(seed, one.id)[:-1])
    named = _named(seed, one, sheet.issue)
    return Tried(what, [f"{named} with {', '.join(sorted(what))}: {told}" for told in _against(sheet, found)])


def _against(sheet: Sheet, found: Iterable[Finding]) -> Iterator[str]:
    """Yield how findings differ from what was planted: each mistake by its rule and in its rows, and nothing else."""
    expected = {(_rule(planted), row) for planted in sheet.planted for row in planted.rows or (None,)}
    also = {rule for planted in sheet.planted for rule in ALSO.get(planted.fault, ())}
    told = {(finding.rule, row) for finding in found for row in finding.rows or (None,)}
    told -= {(rule, None) for rule in also} - expected
    yield from (f"{rule} of row {row} is not found" for rule, row in expected - told)
    yield from (f"{rule} of row {row} was not planted" for rule, row in told - expected)


def _rule(planted: Planted) -> str:
    return RULE_OF.get(planted.fault, planted.fault.value)


def _named(seed: int, one: KelaList, issue: Issue) -> str:
    return f"seed {seed}, {one.id} {issue.period.key}"


def together(seed: int, one: KelaList) -> Iterator[tuple[Fault, ...]]:
    """Yield some mistakes at once, and as many as an invoice can hold."""
    random, every = Random(seed), possible(one)
    whole = random.choice([fault for fault in every if fault in _WHOLE])
    rows = [fault for fault in every if fault not in _WHOLE]
    yield tuple(random.sample([*rows, whole], AT_ONCE))
    yield (*rows, whole)


def tried(seed: int) -> Tried:
    """Review everything of a seed."""
    what, wrong = Counter[str](), []
    for one in BILLING:
        planted = [*((fault,) for fault in possible(one)), *together(seed, one)]
        for part in (flagged(seed, one), *(missed(seed, one, faults) for faults in planted)):
            what += part.what
            wrong += part.wrong
    # Of a thousand seeds only the counts are kept.
    roll.cache_clear()
    clean.cache_clear()
    return Tried(what, wrong)


def soak(seeds: Sequence[int]) -> int:
    """Review many seeds, print what they met and how long it took, and return how much went wrong."""
    begun, what, wrong = time.perf_counter(), Counter[str](), 0
    for number, seed in enumerate(seeds, 1):
        found = tried(seed)
        what += found.what
        wrong += len(found.wrong)
        for sentence in found.wrong:
            print(sentence, flush=True)
        if number % 50 == 0 or number == len(seeds):
            print(f"{number} of {len(seeds)} seeds, {time.perf_counter() - begun:.0f} s, {wrong} wrong", flush=True)
    for name, count in sorted(what.items()):
        print(f"{count:8}  {name}")
    never = {fault.value for one in BILLING for fault in possible(one)} - what.keys()
    print("".join(f"never planted: {name}\n" for name in sorted(never)), end="")
    return wrong + len(never)


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.population.reviewed", description=__doc__)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--count", type=int, default=1000)
    options = parser.parse_args()
    return 1 if soak(range(options.first, options.first + options.count)) else 0


if __name__ == "__main__":
    sys.exit(main())
