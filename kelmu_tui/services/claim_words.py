"""Payment claims in words: what rules say of them and why, names of bases, forms, states and faults."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from kelmu_tui.domain.claims.accounts import AccountFault
from kelmu_tui.domain.claims.amounts import AmountFault
from kelmu_tui.domain.claims.catalogue import RuleKind, bases, end_reasons, forms, rules, source_of
from kelmu_tui.domain.claims.rules import Finding
from kelmu_tui.domain.identifiers import CodeFault
from kelmu_tui.domain.organisations import Names
from kelmu_tui.i18n import Translator
from kelmu_tui.services.benefit_words import benefit_name

# --- rules ----------------------------------------------------------------------------------------------------------


def rule_text(finding: Finding, t: Translator) -> str:
    """Return what a rule says of a claim, and what to do about it."""
    return t.choice("claims.rule", _variant(finding), **_values(finding, t))


def rule_name(rule: str, t: Translator) -> str:
    """Return the name of a rule, as short as a heading; one that is not known here stands for itself."""
    known = rules().get(rule)
    return rule if known is None else known.name.get(t.language)


def rule_why(rule: str, t: Translator) -> str:
    """Return why a rule holds; nothing of one that is not known here."""
    return t.choice("claims.why", rule, "")


def rule_source(rule: str, t: Translator) -> tuple[str, ...]:
    """Return where a rule comes from, a line for each address, and whether it is an assumption."""
    if rule not in rules():
        return ()
    source = source_of(rule)
    if not source.addresses:
        return (t("claims.source_assumed"),)
    return (*source.addresses, t("claims.source_partly")) if source.assumed else source.addresses


def kind_name(kind: RuleKind, t: Translator) -> str:
    """Return what a finding of a kind means for the claim."""
    return t.choice("claims.kind", kind)


def unchecked_texts(unchecked: Iterable[str], t: Translator) -> tuple[str, ...]:
    """Return what could not be checked and why, each reason once."""
    return tuple(dict.fromkeys(t.choice("claims.unchecked", rule) for rule in unchecked))


def refusal_text(rule: str, t: Translator) -> str:
    """Return why a command on a claim was refused, of which only the rule is known.

    It is a `life.ClaimRefusal` or the id of a rule; of what a newer backend says it is told that a rule refused it.
    """
    return rule_why(rule, t) or t.choice("errors.refusal", rule, t("errors.api.rule_refused"))


def _variant(finding: Finding) -> str:
    """Return the form of a rule's sentence: some say something else where a value is missing."""
    values = finding.values
    match finding.rule:
        case "two_weeks" if values["next"] is None:
            return "two_weeks_missed"
        case "kelmu_two_bases" if not values["forms"]:
            return "kelmu_two_bases_none"
        case "child_benefit_in_payment" if values["last_paid"] is None:
            return "child_benefit_never"
        case "hearing" if values["certain"]:
            return "hearing_certain"
        case "overlap" if values["own"]:
            return "overlap_own"
        case "benefit_exists" if values["valid_to"] is None:
            return "benefit_exists_from"
    return finding.rule


def _values(finding: Finding, t: Translator) -> dict[str, Any]:
    said: dict[str, Any] = {name: _value(name, value, t) for name, value in finding.values.items()}
    if finding.field:
        said["field"] = field_name(finding.field, t)
    period = _period(finding.values)
    if period is not None:
        said["period"] = t.formats.period(*period)
    return said


def _period(values: Mapping[str, Any]) -> tuple[date, date | None] | None:
    for first, last in (("first", "last"), ("earliest", "latest")):
        if first in values and last in values:
            return values[first], values[last]
    return None


def _value(name: str, value: object, t: Translator) -> object:
    match value:
        case None:
            return ""
        case date():
            return t.formats.date(value)
        case Decimal():
            return t.formats.euros(value)
        case AccountFault():
            return account_fault_text(value, t)
        case CodeFault():
            return t.choice("customers.fault", value)
        case tuple():
            return ", ".join(form_name(str(one), t) for one in value)
    if name == "basis":
        return basis_name(str(value), t)
    return benefit_name(str(value), t) if name == "benefit" else value


# --- names ----------------------------------------------------------------------------------------------------------


def basis_name(basis: str, t: Translator) -> str:
    """Return the name of a basis; one that is not known here stands for itself."""
    known = bases().get(basis)
    return basis if known is None else known.name.get(t.language)


def form_name(form: str, t: Translator) -> str:
    """Return the name of a form; one that is not known here stands for itself."""
    known = forms().get(form)
    return form if known is None else known.name.get(t.language)


def end_reason_name(reason: str, t: Translator) -> str:
    """Return why a claim ends; what is not known here stands for itself."""
    known = end_reasons().get(reason)
    name = Names(reason, reason, reason) if known is None else known.name
    return name.get(t.language)


def status_name(status: str, t: Translator) -> str:
    """Return the name of a state, `draft` among them."""
    return t.choice("claims.status", status, status)


def field_name(field: str, t: Translator) -> str:
    """Return the label of a field."""
    return t.choice("claims.field", field)


def event_text(what: str, t: Translator) -> str:
    """Return what happened to a claim."""
    return t.choice("claims.event", what, what)


def rejection_text(rejection: str, t: Translator) -> str:
    """Return why Kela rejected a claim; a code that is not known here stands for itself."""
    return t.choice("claims.rejection", rejection, rejection)


# --- faults of what is typed ----------------------------------------------------------------------------------------


def account_fault_text(fault: AccountFault, t: Translator) -> str:
    """Return what is wrong with an account, and what to do."""
    return t.choice("claims.account_fault", fault)


def amount_fault_text(fault: AmountFault, t: Translator) -> str:
    """Return what is wrong with a sum, and what to do."""
    return t.choice("claims.amount_fault", fault)
