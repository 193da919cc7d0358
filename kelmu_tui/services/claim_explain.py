"""Why a claim is judged as it is: the rules that speak of it with their sources, its state, its basis and benefit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from kelmu_tui.domain.claims.catalogue import RuleKind, rules
from kelmu_tui.domain.claims.content import Partial
from kelmu_tui.domain.claims.life import OPEN
from kelmu_tui.domain.claims.rules import Checked
from kelmu_tui.i18n import Translator
from kelmu_tui.services.claim_words import (
    basis_name,
    kind_name,
    rule_name,
    rule_source,
    rule_text,
    rule_why,
    status_name,
    unchecked_texts,
)
from kelmu_tui.services.claims import Claims
from kelmu_tui.services.customer_explain import basis_text, benefit_facts
from kelmu_tui.store.claim_rows import ClaimFile

ROLES = {RuleKind.BLOCK: "alarm", RuleKind.WARN: "warn", RuleKind.WARN_LATE: "warn", RuleKind.INFO: "accent"}


class Entry(NamedTuple):
    """Something that is explained: its name, the explanation, where that comes from, and how the name looks."""

    name: str
    text: str = ""
    sources: tuple[str, ...] = ()
    role: str = ""


class Part(NamedTuple):
    """Explanations under a heading."""

    title: str
    entries: tuple[Entry, ...]


class Explanation(NamedTuple):
    """A claim, and what the rules say of it today with what is known of the payee."""

    file: ClaimFile
    checked: Checked


def explanation(claims: Claims, claim: str) -> Explanation | None:
    """Judge a claim by the rules, after logging the look; None when there is none.

    Raises:
        NotAllowed, NotShown, StoreError: as `Claims.open`.
    """
    file = claims.open(claim)
    return None if file is None else Explanation(file, claims.check(Partial.of(file.content), claim=claim))


def parts(found: Explanation, t: Translator) -> Iterator[Part]:
    """Yield everything there is to be explained."""
    line, content = found.file.line, found.file.content
    if line.status in OPEN:
        yield Part(t("claim_view.explain_rules"), tuple(_findings(found.checked, t)))
    state = status_name(line.status, t)
    yield Part(
        t("claim_view.explain_terms"),
        (
            Entry(state, t.choice("claim_view.means", line.status, "")),
            Entry(basis_name(content.basis, t), basis_text(content.basis, t)),
            *(Entry(name, text) for name, text in benefit_facts(content.benefit, t)),
            Entry(t("claim_view.latest_long"), t("claim_view.explain_latest")),
            Entry(t("claim_view.payment_long"), t("claim_view.explain_payment")),
        ),
    )
    yield Part(t("claim_view.explain_all"), tuple(_all_rules(t)))


def _findings(checked: Checked, t: Translator) -> Iterator[Entry]:
    for finding in checked.findings:
        text = f"{rule_text(finding, t)} {rule_why(finding.rule, t)}".strip()
        yield Entry(rule_name(finding.rule, t), text, rule_source(finding.rule, t), ROLES[finding.kind])
    if not checked.findings:
        yield Entry("", t("claim_view.no_findings"))
    if checked.unchecked:
        yield Entry(t("claim_view.unchecked"), "\n".join(unchecked_texts(checked.unchecked, t)), (), "warn")


def _all_rules(t: Translator) -> Iterator[Entry]:
    for rule in rules().values():
        text = f"{kind_name(rule.kind, t)}: {rule_why(rule.id, t)}"
        yield Entry(rule_name(rule.id, t), text, rule_source(rule.id, t))
