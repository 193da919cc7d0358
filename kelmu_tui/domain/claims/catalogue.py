"""Bases of claims, the benefits and forms that belong to them, the rules, and why claims end.

Facts and their sources stand in `catalogue/claims.toml`; the forms of a benefit also in `catalogue/benefits.toml`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from kelmu_tui.domain import catalogue
from kelmu_tui.domain.capabilities import PAYMENT_CLAIMS_REGISTER, mandates, opens_for
from kelmu_tui.domain.organisations import Names, OrganisationType

SOCIAL_ASSISTANCE: Final = "social_assistance_23"
CLIENT_FEES: Final = "client_fees_14"
"""The two bases on which claims are made in Kelmu."""
CARE: Final = "care_period"
ASSISTANCE: Final = "sa_paid"
JUSTIFICATION: Final = "justification"
"""What some bases ask for besides what every claim says."""
FREE_FORM: Final = "free_form"
"""The form without a form: a claim in one's own words."""
NO_CLAIMS: Final = frozenset({"adoption_grant", "private_day_care_allowance", "maternity_grant"})
"""Benefits on which nobody makes claims, neither in Kelmu nor in writing; a test holds it against the catalogue."""

_ADDRESS: Final = re.compile(r"https://[^\s;]+")
_ASSUMED: Final = ("assumption", "seed")


class RuleKind(StrEnum):
    """What a rule does: forbids, warns, warns of being late, tells."""

    BLOCK = "block"
    WARN = "warn"
    WARN_LATE = "warn_late"
    INFO = "info"


class Basis(NamedTuple):
    """A section of law on which a claim rests.

    Attributes:
        in_kelmu: whether claims on it are made in Kelmu; the others go in writing.
        benefits: ids of the benefits that can be claimed on it.
        justification_required: whether it has to be said why.
        hearing: whether Kela certainly hears the payee first.
        forms: ids of `forms` for a claim in writing.
        consent: whether the customer has to agree, which makes it no claim at all.
        fields: what it asks for besides what every claim says: `CARE`, `ASSISTANCE`, `JUSTIFICATION`.
        excluded: ids of benefits that an agreement cannot be about.
    """

    id: str
    code: str
    name: Names
    statute: str
    section: str
    in_kelmu: bool
    benefits: frozenset[str]
    justification_required: bool
    hearing: bool
    forms: tuple[str, ...]
    source: str
    consent: bool = False
    fields: frozenset[str] = frozenset()
    excluded: frozenset[str] = frozenset()


class Form(NamedTuple):
    """How a claim is made in writing; `use` is in English, for those who keep the catalogue."""

    id: str
    name: Names
    use: str
    source: str


class Rule(NamedTuple):
    """A rule of the catalogue; `source` is addresses or says that it is an assumption, `source_of` is for readers.

    Attributes:
        benefits: ids of the benefits it is about, empty for a rule on all.
        days, months: the span it speaks of, 0 without one.
    """

    id: str
    kind: RuleKind
    name: Names
    source: str
    benefits: frozenset[str] = frozenset()
    days: int = 0
    months: int = 0


class Source(NamedTuple):
    """Where a rule comes from.

    Attributes:
        addresses: of the pages that say it, none where nothing but assumptions stands behind it.
        assumed: whether some of it is an assumption.
    """

    addresses: tuple[str, ...]
    assumed: bool


class EndReason(NamedTuple):
    """Why a claim ends."""

    id: str
    name: Names


@cache
def bases() -> Mapping[str, Basis]:
    """Return the bases by id, in the order of the catalogue."""
    return MappingProxyType({row["id"]: _basis(row) for row in _table()["basis"]})


@cache
def forms() -> Mapping[str, Form]:
    """Return the forms by id, in the order of the catalogue."""
    rows = _table()["form"]
    return MappingProxyType({row["id"]: Form(row["id"], _names(row), row["use"], row["source"]) for row in rows})


@cache
def rules() -> Mapping[str, Rule]:
    """Return the rules by id, in the order in which their findings stand."""
    return MappingProxyType(
        {
            row["id"]: Rule(
                row["id"],
                RuleKind(row["kind"]),
                _names(row),
                row["source"],
                frozenset(row.get("benefits", ())),
                row.get("days", 0),
                row.get("months", 0),
            )
            for row in _table()["rule"]
        }
    )


@cache
def end_reasons() -> Mapping[str, EndReason]:
    """Return why claims end by id, in the order of the catalogue."""
    return MappingProxyType({row["id"]: EndReason(row["id"], _names(row)) for row in _table()["end_reason"]})


@cache
def source_of(rule: str) -> Source:
    """Return where a rule comes from.

    Raises:
        KeyError: there is no such rule.
    """
    said = rules()[rule].source
    return Source(tuple(dict.fromkeys(_ADDRESS.findall(said))), any(word in said for word in _ASSUMED))


@cache
def kelmu_bases() -> tuple[Basis, ...]:
    """Return the bases on which claims are made in Kelmu."""
    return tuple(basis for basis in bases().values() if basis.in_kelmu)


@cache
def claimants() -> frozenset[OrganisationType]:
    """Return the types of organisations that make claims: those to which some mandate opens it."""
    return frozenset(
        kind
        for kind in OrganisationType
        if any(PAYMENT_CLAIMS_REGISTER in opens_for(mandate, kind) for mandate in mandates().values())
    )


def claimable(basis: str, benefit: str) -> bool:
    """Tell whether a benefit can be claimed on a basis, in Kelmu or in writing; nothing unknown can."""
    known = bases().get(basis)
    return known is not None and benefit in known.benefits


def asks(basis: str | None, field: str) -> bool:
    """Tell whether a basis asks for a field besides what every claim says; nothing unknown asks for any."""
    known = bases().get(basis or "")
    return known is not None and field in known.fields


@cache
def forms_for(basis: str, benefit: str) -> tuple[Form, ...]:
    """Return what to use for a benefit where Kelmu does not allow the claim, the form before the free form.

    These are the forms of the basis, of which only those that the benefit has; for a basis of Kelmu that does not
    allow the benefit, the forms of the other bases that do. There are none where Kelmu allows the claim, and none
    where nobody can make one. What an agreement needs stands for every benefit that it does not rule out.
    """
    known = bases().get(basis)
    if known is None or (known.in_kelmu and benefit in known.benefits) or benefit in known.excluded:
        return ()
    if known.consent:
        return tuple(forms()[form] for form in known.forms)
    fitting = [b for b in _in_writing() if benefit in b.benefits] if known.in_kelmu else [known]
    found = dict.fromkeys(form for one in fitting for form in _narrowed(one, benefit))
    return tuple(forms()[form] for form in sorted(found, key=lambda form: form == FREE_FORM))


def _in_writing() -> tuple[Basis, ...]:
    return tuple(basis for basis in bases().values() if not basis.in_kelmu)


def _narrowed(basis: Basis, benefit: str) -> tuple[str, ...]:
    """Return the forms of a basis that the benefit has, all where it has none of them; none for no benefit of its."""
    if benefit not in basis.benefits:
        return ()
    own = _forms_of_benefits().get(benefit, frozenset()) | {FREE_FORM}
    fitting = tuple(form for form in basis.forms if form in own)
    return basis.forms if set(fitting) <= {FREE_FORM} else fitting


@cache
def _forms_of_benefits() -> Mapping[str, frozenset[str]]:
    rows = catalogue.table("benefits.toml")["benefit"]
    return {row["id"]: frozenset(map(_form_id, row["claim_form"].split(" or "))) for row in rows if "claim_form" in row}


def _form_id(said: str) -> str:
    return said.strip().replace(" ", "_")


@cache
def _table() -> dict[str, Any]:
    return catalogue.table("claims.toml")


def _basis(row: dict[str, Any]) -> Basis:
    return Basis(
        row["id"],
        row["code"],
        _names(row),
        row.get("statute", ""),
        row.get("section", ""),
        row["in_kelmu"],
        frozenset(row["benefits"]),
        row.get("justification_required", False),
        row.get("hearing", False),
        tuple(map(_form_id, row["forms"])),
        row["source"],
        row["consent_needed"],
        frozenset(field["id"] for field in _table()["field"] if _needs(row["id"], field.get("needed_for", ()))),
        frozenset(row.get("benefits_excluded", ())),
    )


def _needs(basis: str, named: list[str] | tuple[()]) -> bool:
    return any(basis.startswith(name[:-1]) if name.endswith("*") else basis == name for name in named)


def _names(row: dict[str, Any]) -> Names:
    return Names(row["fi"], row["sv"], row["en"])
