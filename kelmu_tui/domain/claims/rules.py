"""The rules of claims: one judge for the form that is being typed, for the outbox and for the record.

`check` judges a whole claim, `check_partial` one that is still being written. What both find of the same fields and the
same facts is the same, so that what a form shows while it is typed is what the backend will say.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from types import MappingProxyType
from typing import Any, Final

from kelmu_tui.domain.claims.catalogue import ASSISTANCE, CARE, JUSTIFICATION, asks, rules
from kelmu_tui.domain.claims.content import FIELDS, Content, Partial
from kelmu_tui.domain.claims.content_rules import CONTENT_RULES
from kelmu_tui.domain.claims.fact_rules import FACT_RULES
from kelmu_tui.domain.claims.facts import Facts
from kelmu_tui.domain.claims.findings import Checked as Checked
from kelmu_tui.domain.claims.findings import Finding as Finding
from kelmu_tui.domain.claims.findings import Findings, Judge, Setting, found
from kelmu_tui.domain.organisations import OrganisationType

JUDGES: Final[Mapping[str, Judge]] = MappingProxyType({**CONTENT_RULES, **FACT_RULES})
"""The rules as code by their ids. Those on what is missing are not among them: only a whole claim lacks something."""
MISSING: Final = ("fields_needed", "care_needed", "assistance_needed")

_NEAR: Final = "dates_near"
_ASSISTANCE: Final = ("assistance_first", "assistance_last", "assistance_amount", "assistance_decided_on")
_TEXTS: Final = ("payee", "basis", "benefit", "account", "handler", "telephone")


def check(content: Content, facts: Facts, organisation_type: OrganisationType, today: date) -> Checked:
    """Judge a whole claim.

    Args:
        facts: what is known of the payee, without the claim itself when it is made already.
        today: the Finnish day on which it reaches Kela, or would.
    """
    draft = Partial.of(content)
    said = check_partial(draft, facts, organisation_type, today)
    order = {id_: place for place, id_ in enumerate(rules())}
    findings = sorted([*said.findings, *_lacking(draft)], key=lambda finding: order[finding.rule])
    return Checked(tuple(findings), said.unchecked)


def check_partial(draft: Partial, facts: Facts, organisation_type: OrganisationType, today: date) -> Checked:
    """Judge what a claim says so far; what it does not say yet is neither good nor bad."""
    setting = Setting(facts, organisation_type, today)
    asked = draft.of_basis()
    said = _sensible(asked, setting)
    findings: list[Finding] = []
    unchecked: list[str] = []
    for id_ in rules():
        judge = JUDGES.get(id_)
        if judge is None:
            continue
        judged: Findings | None = judge(asked if id_ == _NEAR else said, setting)
        if judged is None:
            unchecked.append(id_)
        else:
            findings.extend(judged)
    return Checked(tuple(findings), tuple(unchecked))


def missing(draft: Partial) -> tuple[str, ...]:
    """Return the fields that still have to be filled, in the order of `FIELDS`.

    Without a basis nobody knows what else it will ask for.
    """
    lacking = {field for field in _TEXTS if not (getattr(draft, field) or "").strip()}
    lacking |= {field for field in ("first", "amount") if getattr(draft, field) is None}
    if draft.last is None and not draft.until_further_notice:
        lacking.add("last")
    if asks(draft.basis, JUSTIFICATION) and not (draft.grounds or "").strip():
        lacking.add("grounds")
    if asks(draft.basis, CARE) and draft.care_first is None:
        lacking.add("care_first")
    if asks(draft.basis, ASSISTANCE):
        lacking |= {field for field in _ASSISTANCE if getattr(draft, field) is None}
    return tuple(field for field in FIELDS if field in lacking)


def _lacking(draft: Partial) -> Iterator[Finding]:
    assistance = False
    for field in missing(draft):
        if field in _ASSISTANCE:
            if not assistance:
                yield from found("assistance_needed", field)
            assistance = True
        elif field == "care_first":
            yield from found("care_needed", field)
        elif field != "basis":  # `basis_named` has told that
            yield from found("fields_needed", field, field=field)


def _sensible(draft: Partial, setting: Setting) -> Partial:
    """Return the claim without the days that `dates_near` refuses: nothing else can be reckoned with them."""
    nothing: dict[str, Any] = {finding.field: None for finding in JUDGES[_NEAR](draft, setting) or ()}
    return replace(draft, **nothing) if nothing else draft
