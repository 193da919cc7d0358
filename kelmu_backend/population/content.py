"""What Kela tells in a notice: the fields of its kind, in the customer's language, each drawn to fit the others."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from random import Random
from typing import Any, Final

from kelmu_backend.population.lists import Weighted, given_names, surnames, table
from kelmu_backend.population.people import Person
from kelmu_backend.population.rows import Row
from kelmu_tui.domain.notices import Kind, NeedReason, ReductionReason
from kelmu_tui.domain.organisations import municipalities

NEED_REASONS: Final = Weighted.of(
    [
        (NeedReason.HOUSING, 24.0),
        (NeedReason.SUBSISTENCE, 26.0),
        (NeedReason.SUBSTANCE_ABUSE, 8.0),
        (NeedReason.MENTAL_HEALTH, 13.0),
        (NeedReason.FUNCTIONAL_ABILITY, 9.0),
        (NeedReason.CHILDS_SITUATION, 9.0),
        (NeedReason.VIOLENCE, 4.0),
        (NeedReason.OTHER, 7.0),
    ]
)
REDUCTION_REASONS: Final[Mapping[int, tuple[ReductionReason, ...]]] = {
    20: (ReductionReason.REFUSED_WORK, ReductionReason.INTEGRATION_PLAN),
    40: (ReductionReason.REFUSED_WORK,),
    50: (ReductionReason.NOT_REGISTERED, ReductionReason.PRIMARY_BENEFIT),
}
"""What may lie behind a reduction of each percentage."""
HALVED_FROM: Final = date(2026, 2, 1)
"""First day on which the basic amount may be cut by half (`notices.toml`, note of `reduced_basic_amount`)."""

_SUBTYPES: Final = Weighted.of(
    [("contact_with_consent", 40.0), ("notice_without_consent", 25.0), ("conversation_requested", 35.0)]
)
_APPLICATIONS: Final = Weighted.of([("supplementary", 58.0), ("preventive", 30.0), ("both", 12.0)])
_ODD: Final = 0.02
_LONG: Final = 0.12


@dataclass(frozen=True, slots=True)
class Draft:
    """The content of a notice before anything has happened to it.

    Attributes:
        basic_decision: day of the decision on basic social assistance, None when the kind knows none.
    """

    subtype: str | None
    content: Row
    basic_decision: date | None


@dataclass(frozen=True, slots=True)
class _Case:
    """What a maker of content may look at; `day` is the Finnish day of creation."""

    random: Random
    person: Person
    day: date
    urgent: bool
    misdirected: bool


def make_content(
    random: Random, kind: Kind, person: Person, day: date, *, urgent: bool = False, misdirected: bool = False
) -> Draft:
    """Return what a notice of `kind` about `person`, created on the Finnish day `day`, tells."""
    return _MAKERS[kind](_Case(random, person, day, urgent, misdirected))


def make_customer(person: Person) -> Row:
    """Return the customer as the notice shows them: under non-disclosure without address, telephone, municipality."""
    row: Row = {
        "identity_code": person.identity_code,
        "family_name": person.family_name,
        "given_names": person.given_names,
        "language": person.language,
        "non_disclosure": person.non_disclosure,
    }
    if not person.non_disclosure:
        row |= {
            "home_municipality": person.municipality,
            "address": person.address,
            "telephone": person.telephone,
        }
    return row


def say(random: Random, group: str, person: Person, day: date) -> str:
    """Return one text of `group` of `texts.toml`, in the language the customer is served in, with its blanks filled."""
    return _fill(random.choice(table("texts")[group][person.served_in]), random, person, day)


def _need(case: _Case) -> Draft:
    random = case.random
    subtype = _SUBTYPES.draw(random)
    reason = NEED_REASONS.draw(random)
    content = {
        "household": _household(case.person),
        "reason": reason.value,
        "consent": subtype != "notice_without_consent",
        "free_text": _story(case, reason),
        **_kela_worker(random),
    }
    if case.person.interpreter:
        content["interpreter_language"] = case.person.language
    return Draft(subtype, content, None)


def _application(case: _Case) -> Draft:
    random = case.random
    decided = None if case.urgent else case.day + timedelta(days=random.choice((0, 0, 0, 1)))
    start = case.day.replace(day=1)
    texts = [say(random, "application", case.person, case.day)]
    texts += [say(random, "application_more", case.person, case.day) for _ in range(random.choice((0, 1, 1, 2)))]
    if case.misdirected:
        texts.append(say(random, "moved", case.person, case.day))
    if random.random() < _ODD:
        texts.append(say(random, "odd", case.person, case.day))
    content: Row = {
        "household": _household(case.person),
        "expenses": _expenses(random, case.person.served_in),
        "calculation_from": start.isoformat(),
        "calculation_to": start.replace(day=monthrange(start.year, start.month)[1]).isoformat(),
        "attachments": random.choice((0, 1, 1, 2, 3, 5)),
        "bank_account": _bank_account(random),
        "free_text": _join(random, texts),
    }
    if decided is not None:
        content |= _decision(random, decided)
    return Draft(_APPLICATIONS.draw(random), content, decided)


def _reduction(case: _Case) -> Draft:
    random = case.random
    decided = case.day
    halved = decided >= HALVED_FROM and random.random() < 0.4
    percent = 50 if halved else random.choice((20, 20, 20, 40))
    start = _month_start(decided, 1)
    last = _month_start(start, random.choice((0, 1, 1)))
    content = {
        "household": _household(case.person),
        "reduction_percent": percent,
        "reduction_reason": random.choice(REDUCTION_REASONS[percent]).value,
        "reduction_from": start.isoformat(),
        "reduction_to": last.replace(day=monthrange(last.year, last.month)[1]).isoformat(),
        **_decision(random, decided),
    }
    return Draft(f"reduction_{percent}", content, decided)


def _unemployed(case: _Case, months: int) -> Draft:
    random = case.random
    content = {
        "household": _household(case.person),
        "months_on_assistance": months,
        "unemployed_since": (case.day - timedelta(days=30 * months + random.randrange(5, 300))).isoformat(),
        "registered_jobseeker": random.random() < 0.8,
    }
    return Draft(None, content, None)


def _immigrant(case: _Case) -> Draft:
    arrived = case.person.arrived or case.day - timedelta(days=case.random.randrange(70, 200))
    content: Row = {
        "household": _household(case.person),
        "months_on_assistance": case.random.choice((2, 2, 2, 3)),
        "home_municipality_since": min(arrived, case.day - timedelta(days=65)).isoformat(),
    }
    if case.person.interpreter:
        content["interpreter_language"] = case.person.language
    return Draft(None, content, None)


_MAKERS: Final[Mapping[Kind, Callable[[_Case], Draft]]] = {
    Kind.SOCIAL_WORK_NEED: _need,
    Kind.APPLICATION: _application,
    Kind.REDUCED_BASIC_AMOUNT: _reduction,
    Kind.UNEMPLOYED_UNDER_25: lambda case: _unemployed(case, 4),
    Kind.UNEMPLOYED_25_PLUS: lambda case: _unemployed(case, 12),
    Kind.IMMIGRANT: _immigrant,
}


def _household(person: Person) -> list[Row]:
    return [{"name": member.name, "relation": member.relation, "born": member.born} for member in person.household]


def _decision(random: Random, day: date) -> Row:
    reference = f"PTT-{day.year}-{random.randrange(10**6):06d}"
    return {"basic_decision_reference": reference, "basic_decision_on": day.isoformat()}


def _kela_worker(random: Random) -> Row:
    given = random.choice(given_names("fi", random.choice("ffm"), random.choice((1970, 1980, 1990))))
    return {
        "kela_worker": f"{given} {surnames()['fi'].draw(random)}",
        "kela_worker_telephone": f"000 100 {random.randrange(10000):04d}",
    }


def _story(case: _Case, reason: NeedReason) -> str:
    random, person, day = case.random, case.person, case.day
    situations = table("texts")["situations"][reason.value][person.served_in]
    wanted = min(len(situations), 3 if random.random() < _LONG else 1)
    texts = [say(random, "openers", person, day)]
    texts += [_fill(text, random, person, day) for text in random.sample(situations, wanted)]
    if case.misdirected:
        texts.append(say(random, "moved", person, day))
    if random.random() < _ODD:
        texts.append(say(random, "odd", person, day))
    texts.append(say(random, "closings", person, day))
    return _join(random, texts)


def _join(random: Random, texts: list[str]) -> str:
    """Put sentences on one line, or on lines and paragraphs of their own, as different workers write."""
    texts = list(dict.fromkeys(texts))
    if len(texts) > 2 and random.random() < 0.4:
        return "\n".join((texts[0], *(f"- {text}" for text in texts[1:-1]), "", texts[-1]))
    return "\n\n".join(texts) if random.random() < 0.1 else " ".join(texts)


def _fill(text: str, random: Random, person: Person, day: date) -> str:
    if "{" not in text:
        return text
    language = person.served_in
    earlier = day - timedelta(days=random.randrange(1, 21))
    # The name of the town stays out under non-disclosure: the text may not tell what the fields hide.
    name = municipalities()[person.municipality].name.get(language)
    hidden = {"fi": "turvakielto, ei näytetä", "sv": "spärrmarkering, visas inte"}[language]
    # A Finnish short date ends in a full stop of its own.
    return text.replace("{day}.", "{day}").format(
        day=f"{earlier.day}.{earlier.month}.",
        month=table("texts")["months"][language][day.month - 1],
        euros=f"{random.randrange(5, 900)},{random.randrange(100):02d}",
        town=hidden if person.non_disclosure else name,
    )


@cache
def _expense_list() -> tuple[Mapping[str, Any], ...]:
    return tuple(table("texts")["expenses"])


def _expenses(random: Random, language: str) -> list[Row]:
    wanted = random.choices((1, 2, 3, 5), weights=(48, 30, 17, 5))[0]
    return [
        {
            "text": row[language],
            "amount": f"{random.randrange(row['low'], row['high'])}.{random.choice((0, 0, 50, 90)):02d}",
        }
        for row in random.sample(_expense_list(), wanted)
    ]


def _bank_account(random: Random) -> str:
    """Return an IBAN that passes both checks and belongs to bank group 9, which no bank has."""
    body = f"9990{random.randrange(10**9):09d}"
    total = sum(sum(divmod(int(digit) * (2 - position % 2), 10)) for position, digit in enumerate(reversed(body)))
    national = f"{body}{-total % 10}"
    check = 98 - int(f"{national}151800") % 97
    return f"FI{check:02d}{national}"


def _month_start(day: date, months: int) -> date:
    month = day.month - 1 + months
    return date(day.year + month // 12, month % 12 + 1, 1)
