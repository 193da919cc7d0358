"""What rules of claims say in three languages, and the names of what claims are made of."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from typing import Any

import pytest

from kelmu_tui.domain.benefits import benefits
from kelmu_tui.domain.catalogue import table
from kelmu_tui.domain.claims.accounts import AccountFault
from kelmu_tui.domain.claims.amounts import AmountFault
from kelmu_tui.domain.claims.catalogue import RuleKind, bases, end_reasons, forms, rules
from kelmu_tui.domain.claims.content import FIELDS
from kelmu_tui.domain.claims.fact_rules import FACT_RULES
from kelmu_tui.domain.claims.life import EVENTS, ClaimRefusal, Rejection
from kelmu_tui.i18n import LANGUAGES, Translator
from kelmu_tui.services import claim_words as words
from kelmu_tui.services.benefit_words import benefit_name
from tests.domain.claims.making import Claim
from tests.domain.claims.test_rules import CASES

MESSAGES: dict[str, dict[str, str]] = tomllib.loads(
    files("tests.services").joinpath("claim_messages.toml").read_text(encoding="utf-8")
)
T = {language: Translator(language) for language in LANGUAGES}


def said(rule: str, claim: Claim) -> dict[str, str]:
    (finding,) = claim.found(rule)
    return {language: words.rule_text(finding, t) for language, t in T.items()}


SAID = [said(rule, claim) for rule, _, claim, _ in CASES]


@pytest.mark.parametrize("sentence", MESSAGES)
def test_each_rule_says_what_is_wrong_in_three_languages(sentence: str) -> None:
    assert MESSAGES[sentence] in SAID


@pytest.mark.parametrize(("rule", "field", "claim", "values"), CASES)
def test_whatever_a_rule_finds_is_said_whole(rule: str, field: str, claim: Claim, values: dict[str, Any]) -> None:
    texts = said(rule, claim)
    assert len(set(texts.values())) == len(LANGUAGES)
    for text in texts.values():
        assert "{" not in text
        assert "None" not in text
        assert text.endswith(".")
        assert claim.content.payee not in text or not claim.content.payee.strip()


def test_every_sentence_of_the_texts_is_among_them() -> None:
    text = files("kelmu_tui.i18n.catalogue").joinpath("claims.toml").read_text(encoding="utf-8")
    assert set(MESSAGES) == set(tomllib.loads(text)["rule"]) >= set(rules())


@pytest.mark.parametrize("language", LANGUAGES)
def test_why_and_from_where_each_rule_comes(language: str) -> None:
    t = T[language]
    for rule in rules():
        assert words.rule_why(rule, t).endswith(".")
        assert words.rule_name(rule, t) == rules()[rule].name.get(language)
        lines = words.rule_source(rule, t)
        assert lines
        assert all(line.startswith("https://") or line.endswith(".") for line in lines)
    assert words.rule_source("two_weeks", t)[0].startswith("https://www.kela.fi/")
    assert words.rule_source("overlap", t) == (t("claims.source_assumed"),)
    assert words.rule_source("benefit_claimable", t)[-1] == t("claims.source_partly")
    assert words.rule_source("some_rule", t) == ()
    assert (words.rule_why("some_rule", t), words.rule_name("some_rule", t)) == ("", "some_rule")


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_could_not_be_checked_is_said_once(language: str) -> None:
    t = T[language]
    texts = words.unchecked_texts(FACT_RULES, t)
    assert len(texts) == len(FACT_RULES) - 1
    assert all(text.endswith(".") for text in texts)
    assert words.unchecked_texts((), t) == ()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_refusal_is_told_whether_state_or_rule_refuses(language: str) -> None:
    t = T[language]
    for refusal in ClaimRefusal:
        assert words.refusal_text(refusal, t) == t.choice("errors.refusal", refusal)
    for rule in rules():
        assert words.refusal_text(rule, t) == words.rule_why(rule, t)
    assert words.refusal_text("a_newer_rule", t) == t("errors.api.rule_refused")
    assert words.refusal_text("already_taken", t) == t("errors.refusal.already_taken")


@pytest.mark.parametrize("language", LANGUAGES)
def test_names_are_those_of_the_catalogue(language: str) -> None:
    t = T[language]
    for status in table("claims.toml")["status"]:
        assert words.status_name(status["id"], t) == status[language]
    for basis in bases().values():
        assert words.basis_name(basis.id, t) == basis.name.get(language)
    for form in forms().values():
        assert words.form_name(form.id, t) == form.name.get(language)
    for reason in end_reasons().values():
        assert words.end_reason_name(reason.id, t) == reason.name.get(language)
    assert benefit_name("child_benefit", t) == benefits()["child_benefit"].name.get(language)
    for name_of in (
        words.status_name,
        words.basis_name,
        words.form_name,
        words.end_reason_name,
        benefit_name,
        words.event_text,
        words.rejection_text,
    ):
        assert name_of("something_newer", t) == "something_newer"


@pytest.mark.parametrize("language", LANGUAGES)
def test_everything_has_words(language: str) -> None:
    t = T[language]
    labels = [words.field_name(field, t) for field in FIELDS]
    assert len(set(labels)) == len(labels)
    assert len({words.event_text(event, t) for event in EVENTS}) == len(EVENTS)
    assert len({words.rejection_text(rejection, t) for rejection in Rejection}) == len(Rejection)
    assert len({words.kind_name(kind, t) for kind in RuleKind}) == len(RuleKind)
    assert len({words.account_fault_text(fault, t) for fault in AccountFault}) == len(AccountFault)
    assert len({words.amount_fault_text(fault, t) for fault in AmountFault}) == len(AmountFault)
