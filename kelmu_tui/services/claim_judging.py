"""A half-written payment claim judged: who the payee is, what the rules say, and by when it has to reach Kela."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import TYPE_CHECKING, Final, NamedTuple

from kelmu_tui.domain.claims.catalogue import RuleKind, rules
from kelmu_tui.domain.claims.content import Content, Partial
from kelmu_tui.domain.claims.days import first_meant, latest_arrival
from kelmu_tui.domain.claims.findings import Finding, found
from kelmu_tui.domain.claims.rules import missing
from kelmu_tui.services.claim_typing import ASSISTANCE, Fault, Field, Read, fields_of

if TYPE_CHECKING:
    from kelmu_tui.services.claims import Claims
    from kelmu_tui.store.claim_rows import Payee

_NEEDED: Final[Mapping[Field, str]] = {
    Field.BASIS: "basis_named",
    Field.CARE_FIRST: "care_needed",
    **dict.fromkeys(ASSISTANCE, "assistance_needed"),
}
"""Rules that a field has to be filled in, where it is not the one on fields."""
LACKING: Final = frozenset({"fields_needed", *_NEEDED.values()})
"""Rules that a field has to be filled in."""
_PLACES: Final[Mapping[str, Field]] = {
    "assistance": Field.ASSISTANCE_FIRST,
    "period": Field.FIRST,
    "until_further_notice": Field.LAST,
}
"""Where what is told of something that is no field of its own stands."""
_TOGETHER: Final[Mapping[Field, frozenset[Field]]] = {
    Field.CARE_LAST: frozenset({Field.CARE_FIRST, Field.CARE_LAST}),
}
"""What is not known when a field cannot be read, besides the field itself."""


class Judged(NamedTuple):
    """What is told of a half-written claim.

    Attributes:
        payee: None while nobody is known here by the code, or there is no code.
        code: whether there is a whole identity code.
        findings: by field, the ones that forbid first.
        unchecked: ids of rules that could not be judged.
        faults: fields that cannot be read.
        meant, latest: first payment day in the claim's time, and the day by which it has to reach Kela for that.
        missed: payment day that is missed when it does not reach Kela today.
        content: the claim when it is whole.
    """

    payee: Payee | None = None
    code: bool = False
    findings: Mapping[Field, tuple[Finding, ...]] = {}
    unchecked: tuple[str, ...] = ()
    faults: Mapping[Field, Fault] = {}
    meant: date | None = None
    latest: date | None = None
    missed: date | None = None
    content: Content | None = None

    @property
    def blocking(self) -> tuple[Field, ...]:
        """Fields at which something forbids the claim, in the order of the form."""
        return tuple(
            field
            for field in Field
            if field in self.faults
            or (field is Field.PAYEE and self.code and self.payee is None)
            or any(one.kind is RuleKind.BLOCK for one in self.findings.get(field, ()))
        )

    @property
    def hindrances(self) -> int:
        """How many things forbid the claim."""
        found = sum(one.kind is RuleKind.BLOCK for told in self.findings.values() for one in told)
        return found + len(self.faults) + (self.code and self.payee is None)

    def only_missing(self, field: Field) -> bool:
        """Tell whether all that is to be told of a field is that it is empty."""
        told = self.findings.get(field, ())
        return field not in self.faults and bool(told) and all(one.rule in LACKING for one in told)


def judge(claims: Claims, said: Read, payee: str, basis: str, claim: str | None) -> Judged:
    """Judge what the form says, as one unit of work.

    Args:
        payee: identity code, empty while it is not whole.
        claim: id of the claim that is changed.

    Raises:
        NotAllowed, NotShown: claims may not be made (any more).
        StoreError: that the payee was looked at could not be logged.
    """
    known = claims.payee(payee) if payee else None
    checked = claims.check(said.partial, claim=claim)
    lacking = _lacking([Field(name) for name in missing(said.partial)])
    content = said.partial.whole() if not said.faults else None
    meant, latest = arrival(said.partial, known)
    return Judged(
        known,
        bool(payee),
        _placed([*checked.findings, *lacking], said.faults, fields_of(basis)),
        checked.unchecked,
        said.faults,
        meant,
        latest,
        claims.at_risk(content) if content is not None else None,
        content,
    )


def arrival(partial: Partial, payee: Payee | None) -> tuple[date | None, date | None]:
    """Return the first payment day that the claim is meant for, and the day by which it has to reach Kela for it."""
    if partial.benefit is None or partial.first is None or not partial.period_known:
        return None, None
    surname = payee.name.split(",")[0] if payee is not None else ""
    half = Content("", partial.basis or "", partial.benefit, partial.first, partial.last, None, "")
    meant = first_meant(half, surname)
    return meant, None if meant is None else latest_arrival(meant)


def _lacking(fields: Iterable[Field]) -> Iterator[Finding]:
    """Say of empty fields what is said of a whole claim; of the assistance that is paid once."""
    rules_told = set[str]()
    for field in fields:
        rule = _NEEDED.get(field)
        if rule is None:
            yield from found("fields_needed", field.value, field=field.value)
        elif rule not in rules_told:
            rules_told.add(rule)
            yield from found(rule, field.value)


def _placed(
    findings: Iterable[Finding], faults: Mapping[Field, Fault], used: tuple[Field, ...]
) -> dict[Field, tuple[Finding, ...]]:
    """Return findings by the field where they are told; a field that cannot be read is told alone."""
    unread = set(faults).union(*(_TOGETHER.get(field, frozenset()) for field in faults))
    order = list(rules())
    placed = dict[Field, list[Finding]]()
    for one in findings:
        place = _place(one.field, used)
        told = placed.setdefault(place, [])
        if place not in unread and all(one.rule != other.rule or one.values != other.values for other in told):
            told.append(one)
    kinds = list(RuleKind)
    return {
        field: tuple(sorted(told, key=lambda one: (kinds.index(one.kind), order.index(one.rule))))
        for field, told in placed.items()
    }


def _place(name: str, used: tuple[Field, ...]) -> Field:
    found = _PLACES.get(name)
    if found is None:
        try:
            found = Field(name)
        except ValueError:
            return Field.BASIS  # about no single one
    return found if found in used else Field.BASIS
