"""What holds for the rules whatever is claimed and whatever is known of the payee."""

from __future__ import annotations

from collections import Counter
from dataclasses import fields, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kelmu_tui.domain.claims.catalogue import RuleKind, claimable, claimants, rules
from kelmu_tui.domain.claims.content import Content, Partial
from kelmu_tui.domain.claims.facts import Facts, OtherClaim
from kelmu_tui.domain.claims.rules import MISSING, check, check_partial, missing
from kelmu_tui.domain.identifiers import IdentityCode, parse_identity_code
from kelmu_tui.domain.organisations import OrganisationType
from tests.domain.claims.making import ASSISTANCE, CARE, COUNTY, KNOWN, PAYEE, TODAY
from tests.domain.claims.strategies import CONTENTS, FACTS, FORGOTTEN, NEAR_DAYS, without

TYPES = st.sampled_from(OrganisationType)
FIELDS = [field.name for field in fields(Partial) if field.name != "until_further_notice"]


@given(CONTENTS, FACTS, FORGOTTEN, TYPES, NEAR_DAYS)
def test_whatever_is_claimed_is_judged_in_the_order_of_the_catalogue(
    content: Content, facts: Facts, forgotten: set[str], kind: OrganisationType, today: Any
) -> None:
    checked = check(content, without(facts, forgotten), kind, today)
    places = [list(rules()).index(finding.rule) for finding in checked.findings]
    assert places == sorted(places)
    assert not {finding.rule for finding in checked.findings} & set(checked.unchecked)
    assert all(finding.field in ("", *FIELDS) for finding in checked.findings)
    assert checked.blocking == tuple(finding for finding in checked.findings if finding.kind is RuleKind.BLOCK)
    assert PAYEE not in repr(checked)


@given(CONTENTS, FACTS, FORGOTTEN, TYPES, NEAR_DAYS)
def test_knowing_less_only_leaves_more_unjudged(
    content: Content, facts: Facts, forgotten: set[str], kind: OrganisationType, today: Any
) -> None:
    whole = check(content, facts, kind, today)
    less = check(content, without(facts, forgotten), kind, today)
    assert set(whole.unchecked) <= set(less.unchecked)
    # Nothing is found that more knowledge takes back, and nothing is lost without being told.
    kept = [finding for finding in whole.findings if finding.rule not in less.unchecked]
    assert kept == list(less.findings)


@given(CONTENTS, FACTS, TYPES, NEAR_DAYS, st.sets(st.sampled_from(FIELDS)), st.booleans())
def test_a_form_half_filled_says_nothing_that_the_whole_one_does_not(
    content: Content, facts: Facts, kind: OrganisationType, today: Any, empty: set[str], endless: bool
) -> None:
    whole = check(content, facts, kind, today)
    draft = Partial.of(content)
    nothing: dict[str, Any] = dict.fromkeys(empty)
    if "last" in empty and endless:
        nothing["until_further_notice"] = False
    part = check_partial(replace(draft, **nothing), facts, kind, today)
    said = Counter((finding.rule, finding.field) for finding in whole.findings)
    assert not Counter((finding.rule, finding.field) for finding in part.findings) - said
    assert set(part.unchecked) <= set(whole.unchecked) | {finding.rule for finding in whole.findings}


@given(CONTENTS, FACTS, FORGOTTEN, TYPES, NEAR_DAYS)
def test_a_full_form_says_all_but_what_is_missing(
    content: Content, facts: Facts, forgotten: set[str], kind: OrganisationType, today: Any
) -> None:
    known = without(facts, forgotten)
    whole = check(content, known, kind, today)
    part = check_partial(Partial.of(content), known, kind, today)
    assert part.findings == tuple(finding for finding in whole.findings if finding.rule not in MISSING)
    assert part.unchecked == whole.unchecked
    lacking = [finding.field for finding in whole.findings if finding.rule in MISSING or finding.rule == "basis_named"]
    assert bool(lacking) >= bool(missing(Partial.of(content)))


@given(CONTENTS, FACTS, TYPES, NEAR_DAYS)
def test_what_nothing_forbids_is_what_kelmu_can_carry(
    content: Content, facts: Facts, kind: OrganisationType, today: Any
) -> None:
    if check(content, facts, kind, today).blocking:
        return
    _assert_sound(content, kind, today)


def _assert_sound(content: Content, kind: OrganisationType, today: Any) -> None:
    assert kind in claimants()
    assert content.basis in ("client_fees_14", "social_assistance_23")
    assert claimable(content.basis, content.benefit)
    assert content.amount is not None
    assert Decimal(0) < content.amount <= Decimal("9999999.99")
    assert content.last is None or content.first <= content.last
    assert isinstance(parse_identity_code(content.payee, today=today), IdentityCode)
    assert content.handler.strip()
    assert content.telephone.strip()
    if content.basis == "client_fees_14":
        assert content.care_first is not None
        assert content.care_first <= content.first
        assert content.care_last is None or (content.last is not None and content.last <= content.care_last)
    else:
        paid = content.assistance
        assert paid is not None
        assert content.last is not None
        assert paid.first <= content.first <= content.last <= paid.last
        assert content.amount <= paid.amount


@given(st.sampled_from([CARE, ASSISTANCE]), st.integers(0, 60), st.integers(0, 60), st.integers(1, 60_000))
def test_a_claim_within_its_ground_is_never_forbidden(good: Content, skip: int, length: int, cents: int) -> None:
    first = good.first + timedelta(days=skip)
    last = min(first + timedelta(days=length), good.last or first)
    content = replace(good, first=first, last=last, amount=Decimal(cents) / 100)
    if first <= last:
        assert check(content, KNOWN, COUNTY, TODAY).blocking == ()
        _assert_sound(content, COUNTY, TODAY)


@given(CONTENTS, FACTS, NEAR_DAYS, st.integers(1, 400))
def test_who_comes_later_is_not_less_late(content: Content, facts: Facts, today: Any, wait: int) -> None:
    def late(day: Any) -> bool:
        return any(finding.kind is RuleKind.WARN_LATE for finding in check(content, facts, COUNTY, day).findings)

    # A benefit that is awaited has missed no day yet: there the days that have passed count no more.
    if content.basis != "social_assistance_23":
        assert late(today) <= late(today + timedelta(days=wait))


@given(CONTENTS, FACTS, NEAR_DAYS)
def test_one_more_claim_is_one_more_overlap_or_none(content: Content, facts: Facts, today: Any) -> None:
    def overlaps(known: Facts) -> int:
        return sum(finding.rule == "overlap" for finding in check(content, known, COUNTY, today).findings)

    more = OtherClaim("c9", content.benefit, content.first, content.last, own=True)
    added = facts._replace(claims=(*(facts.claims or ()), more))
    assert overlaps(added) - overlaps(facts) in (0, 1)
