"""What a notice says, as labels and texts in the user's language: the same on the screen and on the command line."""

from __future__ import annotations

from collections.abc import Iterator

from kelmu_tui.domain.identifiers import mask_account
from kelmu_tui.i18n import Translator
from kelmu_tui.store.rows import ContentDetail


def content_fields(
    content: ContentDetail, subtype: str | None, t: Translator, *, full: bool = False
) -> Iterator[tuple[str, str]]:
    """Yield label and text of everything that a notice says; a further line of the same field has no label.

    Args:
        full: show the account number whole.
    """
    yield from _why(content, subtype, t)
    if content.free_text:
        yield (t("kinds.field.free_text"), content.free_text)
    for number, expense in enumerate(content.expenses):
        label = "" if number else t("kinds.field.expenses_applied")
        yield (label, f"{expense.text}  {t.formats.euros(expense.amount)}")
    yield from _dates(content, t)
    if content.household:
        members = (
            f"{one.name} ({t.choice('kinds.relation', one.relation)}{'' if one.born is None else f', {one.born}'})"
            for one in content.household
        )
        yield (t("kinds.field.household"), "\n".join(members))
    if content.interpreter_language:
        language = t.choice("kinds.language", content.interpreter_language, content.interpreter_language)
        yield (t("kinds.field.interpreter_need"), language)
    if content.attachments is not None:
        yield (t("kinds.field.attachments"), t.formats.number(content.attachments))
    if content.bank_account:
        yield (t("kinds.field.bank_account"), content.bank_account if full else mask_account(content.bank_account))
    if content.kela_worker:
        telephone = f", {content.kela_worker_telephone}" if content.kela_worker_telephone else ""
        yield (t("kinds.field.kela_worker"), f"{content.kela_worker}{telephone}")


def _why(content: ContentDetail, subtype: str | None, t: Translator) -> Iterator[tuple[str, str]]:
    if subtype is not None:
        yield (t("kinds.field.subtype"), t.choice("kinds.subtype", subtype, subtype))
    if content.reason is not None:
        yield (t("kinds.field.reason"), t.choice("kinds.need_reason", content.reason, content.reason))
    if content.consent is not None:
        yield (t("kinds.field.consent"), t("common.yes") if content.consent else t("common.no"))
    if content.reduction_percent is not None:
        yield (t("kinds.field.reduction_percent"), t.formats.percent(content.reduction_percent))
    if content.reduction_reason is not None:
        why = t.choice("kinds.reduction_reason", content.reduction_reason, content.reduction_reason)
        yield (t("kinds.field.reduction_reason"), why)
    if content.reduction_from is not None:
        period = t.formats.period(content.reduction_from, content.reduction_to)
        yield (t("kinds.field.reduction_period"), period)
    if content.months_on_assistance is not None:
        yield (t("kinds.field.months_on_assistance"), t.formats.number(content.months_on_assistance))


def _dates(content: ContentDetail, t: Translator) -> Iterator[tuple[str, str]]:
    if content.unemployed_since is not None:
        yield (t("kinds.field.unemployed_since"), t.formats.date(content.unemployed_since))
    if content.registered_jobseeker is not None:
        yield (
            t("kinds.field.registered_jobseeker"),
            t("common.yes") if content.registered_jobseeker else t("common.no"),
        )
    if content.home_municipality_since is not None:
        yield (t("kinds.field.home_municipality_since"), t.formats.date(content.home_municipality_since))
    if content.calculation_from is not None:
        period = t.formats.period(content.calculation_from, content.calculation_to)
        yield (t("kinds.field.calculation_period"), period)
    if content.basic_decision_reference:
        on = f", {t.formats.date(content.basic_decision_on)}" if content.basic_decision_on is not None else ""
        yield (t("kinds.field.basic_decision_reference"), f"{content.basic_decision_reference}{on}")
