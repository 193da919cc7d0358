"""What the rules of claims find, and what they look at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from kelmu_tui.domain.claims.catalogue import RuleKind, rules
from kelmu_tui.domain.claims.content import Partial
from kelmu_tui.domain.claims.facts import Days, Facts
from kelmu_tui.domain.organisations import OrganisationType


class Finding(NamedTuple):
    """Something that a rule has to say about a claim.

    Attributes:
        rule: id of the catalogue's rule.
        field: name of the field of `Partial` it is about, empty when it is about no single one.
        values: what the message names: days, `Decimal` euros, ids of the catalogue, tuples of them, or None.
    """

    rule: str
    kind: RuleKind
    field: str
    values: Mapping[str, Any] = MappingProxyType({})


class Checked(NamedTuple):
    """What the rules say of a claim.

    Attributes:
        findings: in the order of the catalogue's rules.
        unchecked: ids of the rules that nobody could judge, since something about the payee is not known. It is not
            to be shown as if all were well.
    """

    findings: tuple[Finding, ...]
    unchecked: tuple[str, ...]

    @property
    def blocking(self) -> tuple[Finding, ...]:
        """What forbids the claim."""
        return tuple(finding for finding in self.findings if finding.kind is RuleKind.BLOCK)


class Setting(NamedTuple):
    """By what a claim is judged besides itself; `today` is a Finnish day."""

    facts: Facts
    organisation_type: OrganisationType
    today: date


Findings = tuple[Finding, ...]
NOTHING: Final[Findings] = ()
Judge = Callable[[Partial, Setting], Findings | None]
"""A rule as code. It finds nothing while the claim does not say yet what it judges, and gives None when it cannot
judge the claim for want of a fact."""


def found(rule: str, field: str, kind: RuleKind | None = None, /, **values: Any) -> Findings:
    """Return one finding of a rule, of the rule's kind when no other is named."""
    return (Finding(rule, rules()[rule].kind if kind is None else kind, field, values),)


def period_of(draft: Partial) -> Days | None:
    """Return the time of a claim, None while it is not known and when it is no time at all."""
    if draft.first is None or not draft.period_known or (draft.last is not None and draft.last < draft.first):
        return None
    return Days(draft.first, draft.last)


def common(one: Days, first: date | None, last: date | None) -> Days | None:
    """Return the days that two times have in common, None without any; the other may have no first day either."""
    begin = one.first if first is None else max(one.first, first)
    ends = [end for end in (one.last, last) if end is not None]
    end = min(ends) if ends else None
    return None if end is not None and end < begin else Days(begin, end)
