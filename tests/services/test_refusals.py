"""Refusals in words: whichever rule or code it was, and what can be done with which command."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from kelmu_tui.domain.claims.catalogue import rules
from kelmu_tui.domain.claims.life import VERBS as CLAIM_VERBS
from kelmu_tui.domain.claims.life import ClaimRefusal
from kelmu_tui.domain.documents import VERBS as DOCUMENT_VERBS
from kelmu_tui.domain.documents import SendRefusal
from kelmu_tui.i18n import LANGUAGES, Translator
from kelmu_tui.services import refusals
from kelmu_tui.services.claim_words import rule_why
from kelmu_tui.store.rows import Conflict

AT = datetime(2026, 11, 24, 9, tzinfo=UTC)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_reason_is_told_whatever_it_is(language: str) -> None:
    t = Translator(language)
    for rule in rules():
        assert refusals.reason_text(rule, t) == rule_why(rule, t)
    for refusal in (*ClaimRefusal, *SendRefusal):
        assert refusals.reason_text(refusal, t) == t.choice("errors.refusal", refusal)
    assert refusals.reason_text("version_conflict", t) == t("errors.api.version_conflict")
    assert refusals.reason_text("something_newer", t) == "something_newer"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code", refusals.NEXT)
def test_what_comes_next_depends_on_what_the_command_is_about(language: str, code: str) -> None:
    t = Translator(language)
    conflict = Conflict(AT, code, None, None)
    of_notices = refusals.next_steps(conflict, t, "take")
    of_claims = {refusals.next_steps(conflict, t, verb) for verb in CLAIM_VERBS}
    of_documents = {refusals.next_steps(conflict, t, verb) for verb in DOCUMENT_VERBS}
    assert len(of_claims) == len(of_documents) == 1
    assert len({of_notices, *of_claims, *of_documents}) == 3
