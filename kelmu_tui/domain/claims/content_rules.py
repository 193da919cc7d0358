"""The rules that judge a claim by what it says itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from kelmu_tui.domain.benefits import benefits
from kelmu_tui.domain.claims.accounts import InvalidAccount, parse_account
from kelmu_tui.domain.claims.amounts import MAX_AMOUNT
from kelmu_tui.domain.claims.catalogue import (
    CARE,
    CLIENT_FEES,
    SOCIAL_ASSISTANCE,
    RuleKind,
    asks,
    bases,
    claimable,
    claimants,
    forms_for,
    rules,
)
from kelmu_tui.domain.claims.content import MAX_GROUNDS, MAX_HANDLER, MAX_REFERENCE, MAX_TELEPHONE, Partial
from kelmu_tui.domain.claims.days import EARLIEST, latest_day, months_after
from kelmu_tui.domain.claims.findings import NOTHING, Findings, Judge, Setting, found, period_of
from kelmu_tui.domain.identifiers import InvalidIdentityCode, parse_identity_code

_LENGTHS: Final = {
    "reference": MAX_REFERENCE,
    "grounds": MAX_GROUNDS,
    "handler": MAX_HANDLER,
    "telephone": MAX_TELEPHONE,
}
_DAYS: Final = (
    "first",
    "last",
    "care_first",
    "care_last",
    "assistance_first",
    "assistance_last",
    "assistance_decided_on",
)
_SPANS: Final = (("first", "last"), ("care_first", "care_last"), ("assistance_first", "assistance_last"))
_SPECIAL: Final = ("no_basic_sa", "no_claim_benefits", "housing_s23_only")
"""Rules on single benefits, which say more than that the basis does not allow them."""


# --- basis and benefit ----------------------------------------------------------------------------------------------


def _basis_named(draft: Partial, setting: Setting) -> Findings:  # noqa: ARG001
    if draft.basis is None or draft.basis in bases():
        return NOTHING
    return found("basis_named", "basis")


def _kelmu_two_bases(draft: Partial, setting: Setting) -> Findings:  # noqa: ARG001
    basis = bases().get(draft.basis or "")
    if basis is None or basis.in_kelmu:
        return NOTHING
    named = tuple(form.id for form in forms_for(basis.id, draft.benefit)) if draft.benefit else basis.forms
    return found("kelmu_two_bases", "basis", basis=basis.id, forms=named)


def _only_counties(draft: Partial, setting: Setting) -> Findings:  # noqa: ARG001
    return NOTHING if setting.organisation_type in claimants() else found("only_counties", "")


def _no_basic_sa(draft: Partial, setting: Setting) -> Findings:  # noqa: ARG001
    named = rules()["no_basic_sa"].benefits
    if draft.benefit not in named:
        return NOTHING
    forms = tuple(form.id for form in forms_for(SOCIAL_ASSISTANCE, draft.benefit))
    return found("no_basic_sa", "benefit", forms=forms)


def _no_claim_benefits(draft: Partial, setting: Setting) -> Findings:  # noqa: ARG001
    if draft.benefit not in rules()["no_claim_benefits"].benefits:
        return NOTHING
    return found("no_claim_benefits", "benefit", benefit=draft.benefit)


def _housing_s23_only(draft: Partial, setting: Setting) -> Findings:  # noqa: ARG001
    if draft.basis in (None, SOCIAL_ASSISTANCE) or draft.benefit not in rules()["housing_s23_only"].benefits:
        return NOTHING
    return found("housing_s23_only", "benefit")


def _benefit_claimable(draft: Partial, setting: Setting) -> Findings:  # noqa: ARG001
    basis, benefit = bases().get(draft.basis or ""), draft.benefit
    if basis is None or basis.consent or not benefit or claimable(basis.id, benefit):
        return NOTHING
    if any(benefit in rules()[rule].benefits for rule in _SPECIAL):
        return NOTHING
    return found("benefit_claimable", "benefit", basis=basis.id, benefit=benefit)


def _benefit_exists(draft: Partial, setting: Setting) -> Findings:  # noqa: ARG001
    known, period = benefits().get(draft.benefit or ""), period_of(draft)
    if known is None:
        return NOTHING
    if draft.first is not None and not known.exists_on(draft.first):
        field = "first"
    elif period is not None and known.valid_to is not None and (period.last is None or period.last > known.valid_to):
        field = "last"
    else:
        return NOTHING
    return found("benefit_exists", field, benefit=known.id, valid_from=known.valid_from, valid_to=known.valid_to)


# --- days -----------------------------------------------------------------------------------------------------------


def _dates_in_order(draft: Partial, setting: Setting) -> Findings:  # noqa: ARG001
    return tuple(finding for span in _SPANS for finding in _order(draft, *span))


def _order(draft: Partial, first_field: str, last_field: str) -> Findings:
    first, last = getattr(draft, first_field), getattr(draft, last_field)
    if first is None or last is None or first <= last:
        return NOTHING
    return found("dates_in_order", last_field, first=first, last=last)


def _dates_near(draft: Partial, setting: Setting) -> Findings:
    latest = latest_day(setting.today)
    return tuple(
        finding
        for field in _DAYS
        if (day := getattr(draft, field)) is not None and not EARLIEST <= day <= latest
        for finding in found("dates_near", field, day=day, earliest=EARLIEST, latest=latest)
    )


def _decided_past(draft: Partial, setting: Setting) -> Findings:
    decided = draft.assistance_decided_on
    if decided is None or decided <= setting.today:
        return NOTHING
    return found("decided_past", "assistance_decided_on", day=decided)


def _s23_period(draft: Partial, setting: Setting) -> Findings:  # noqa: ARG001
    first, last = draft.assistance_first, draft.assistance_last
    if draft.basis != SOCIAL_ASSISTANCE or first is None or last is None or last < first:
        return NOTHING
    return _outside(draft, "s23_period", first, last)


def _care_period(draft: Partial, setting: Setting) -> Findings:  # noqa: ARG001
    first, last = draft.care_first, draft.care_last
    if not asks(draft.basis, CARE) or first is None or (last is not None and last < first):
        return NOTHING
    return _outside(draft, "care_period", first, last)


def _outside(draft: Partial, rule: str, first: date, last: date | None) -> Findings:
    """Return where the claim leaves the time that its basis gives it: at its beginning, at its end, or both."""
    outside: Findings = NOTHING
    if draft.first is not None and (draft.first < first or (last is not None and draft.first > last)):
        outside += found(rule, "first", first=first, last=last)
    period = period_of(draft)
    if period is None:
        return outside
    if (last is not None and (period.last is None or period.last > last)) or (
        period.last is not None and period.last < first
    ):
        outside += found(rule, "last", first=first, last=last)
    return outside


def _home_care_three_months(draft: Partial, setting: Setting) -> Findings:  # noqa: ARG001
    rule, period = rules()["home_care_three_months"], period_of(draft)
    if draft.basis != CLIENT_FEES or draft.benefit not in rule.benefits or period is None or draft.care_first is None:
        return NOTHING
    day = months_after(draft.care_first, rule.months)
    return NOTHING if period.last is not None and period.last <= day else found(rule.id, "last", day=day)


# --- sums, account, texts -------------------------------------------------------------------------------------------


def _s23_amount_cap(draft: Partial, setting: Setting) -> Findings:  # noqa: ARG001
    amount, most = draft.amount, draft.assistance_amount
    if draft.basis != SOCIAL_ASSISTANCE or amount is None or most is None:
        return NOTHING
    if not (amount.is_finite() and most.is_finite()) or amount <= most:
        return NOTHING
    return found("s23_amount_cap", "amount", amount=amount, most=most)


def _amount_exact(draft: Partial, setting: Setting) -> Findings:  # noqa: ARG001
    return tuple(
        finding
        for field, amount in _amounts(draft)
        if not amount.is_finite() or int(amount.as_tuple().exponent) < -2
        for finding in found("amount_exact", field)
    )


def _amount_positive(draft: Partial, setting: Setting) -> Findings:  # noqa: ARG001
    return tuple(
        finding
        for field, amount in _amounts(draft)
        if amount.is_finite() and amount <= 0
        for finding in found("amount_positive", field)
    )


def _amount_limit(draft: Partial, setting: Setting) -> Findings:  # noqa: ARG001
    return tuple(
        finding
        for field, amount in _amounts(draft)
        if amount.is_finite() and amount > MAX_AMOUNT
        for finding in found("amount_limit", field, most=MAX_AMOUNT)
    )


def _amounts(draft: Partial) -> Iterator[tuple[str, Decimal]]:
    for field in ("amount", "assistance_amount"):
        amount = getattr(draft, field)
        if amount is not None:
            yield field, amount


def _account_valid(draft: Partial, setting: Setting) -> Findings:  # noqa: ARG001
    if not draft.account:
        return NOTHING
    try:
        parse_account(draft.account)
    except InvalidAccount as invalid:
        return found("account_valid", "account", fault=invalid.fault)
    return NOTHING


def _payee_code(draft: Partial, setting: Setting) -> Findings:
    if not draft.payee:
        return NOTHING
    try:
        parse_identity_code(draft.payee, today=setting.today)
    except InvalidIdentityCode as invalid:
        return found("payee_code", "payee", fault=invalid.fault)
    return NOTHING


def _text_length(draft: Partial, setting: Setting) -> Findings:  # noqa: ARG001
    return tuple(
        finding
        for field, most in _LENGTHS.items()
        if len(getattr(draft, field) or "") > most
        for finding in found("text_length", field, field=field, most=most)
    )


# --- what is told ---------------------------------------------------------------------------------------------------


def _no_oral(draft: Partial, setting: Setting) -> Findings:  # noqa: ARG001
    # What is made here is not made by telephone: the rule is kept by the way itself, and only told.
    return found("no_oral", "", RuleKind.INFO) if _claims(draft) else NOTHING


def _no_consent(draft: Partial, setting: Setting) -> Findings:  # noqa: ARG001
    return found("no_consent", "") if _claims(draft) else NOTHING


def _hearing(draft: Partial, setting: Setting) -> Findings:  # noqa: ARG001
    basis = bases().get(draft.basis or "")
    return found("hearing", "", certain=basis.hearing) if basis is not None and not basis.consent else NOTHING


def _ending(draft: Partial, setting: Setting) -> Findings:  # noqa: ARG001
    return found("ending", "") if _claims(draft) else NOTHING


def _maintenance_pay_date(draft: Partial, setting: Setting) -> Findings:  # noqa: ARG001
    named = rules()["maintenance_pay_date"].benefits
    return found("maintenance_pay_date", "first") if draft.benefit in named else NOTHING


def _claims(draft: Partial) -> bool:
    basis = bases().get(draft.basis or "")
    return basis is not None and not basis.consent


CONTENT_RULES: Final[Mapping[str, Judge]] = MappingProxyType(
    {
        "basis_named": _basis_named,
        "kelmu_two_bases": _kelmu_two_bases,
        "only_counties": _only_counties,
        "no_basic_sa": _no_basic_sa,
        "no_claim_benefits": _no_claim_benefits,
        "housing_s23_only": _housing_s23_only,
        "benefit_claimable": _benefit_claimable,
        "benefit_exists": _benefit_exists,
        "dates_in_order": _dates_in_order,
        "dates_near": _dates_near,
        "decided_past": _decided_past,
        "s23_period": _s23_period,
        "care_period": _care_period,
        "home_care_three_months": _home_care_three_months,
        "s23_amount_cap": _s23_amount_cap,
        "amount_exact": _amount_exact,
        "amount_positive": _amount_positive,
        "amount_limit": _amount_limit,
        "account_valid": _account_valid,
        "payee_code": _payee_code,
        "text_length": _text_length,
        "no_oral": _no_oral,
        "no_consent": _no_consent,
        "hearing": _hearing,
        "ending": _ending,
        "maintenance_pay_date": _maintenance_pay_date,
    }
)
"""The rules by their ids."""
