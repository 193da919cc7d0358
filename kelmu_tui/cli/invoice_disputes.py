"""`kelmu invoices judge|dispute`: what is said of findings, and the document with what is disputed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from kelmu_tui.cli.commands import VERDICTS
from kelmu_tui.cli.env import Env
from kelmu_tui.cli.exits import CliError, Exit
from kelmu_tui.cli.invoices import NEEDS, here, newest_here, run_review, wanted_kind
from kelmu_tui.cli.lists import need_open, wanted_period
from kelmu_tui.domain.review.billing import billed_list
from kelmu_tui.domain.review.verdicts import Verdict
from kelmu_tui.services.invoices import MAX_TEXT, NeedsReason, TooLong
from kelmu_tui.services.reviewing import Found, Reviewed

_VERDICTS: Final = {"accept": Verdict.ACCEPTED, "dispute": Verdict.DISPUTED, "note": Verdict.NOTED, "clear": None}
_SHORTEST: Final = 4
"""Digits of a key that name a finding at the least."""


def judge(env: Env) -> int:
    """Say of findings that they are accepted, disputed or noted, or take that back."""
    kind, period = wanted_kind(env), wanted_period(env, env.args.period)
    assert period is not None
    given = [word for word in VERDICTS if env.option(word)]
    if len(given) != 1:
        raise CliError(Exit.USAGE, "verdict", env.t("cli.invoice_one_verdict"))
    verdict = _VERDICTS[given[0]]
    text = env.args.text if env.args.text != "-" else env.read_stdin()
    with env.context(NEEDS) as context:
        need_open(env, context, billed_list(kind.id))
        with here(env, kind, period):
            reviewed = run_review(env, context, kind, period)
        meant = _meant(env, reviewed, env.args.keys)
        try:
            context.invoices.judge(kind.id, period, meant, verdict, text)
        except NeedsReason:
            raise CliError(Exit.USAGE, "needs_reason", env.t("cli.invoice_needs_reason")) from None
        except TooLong:
            most = env.t.formats.number(MAX_TEXT)
            raise CliError(Exit.USAGE, "text_long", env.t("cli.invoice_text_long", most=most)) from None
    if env.out.as_json:
        said = None if verdict is None else verdict.value
        env.out.data(
            "invoices.judge",
            {"kind": kind.id, "period": period, "verdict": said, "findings": [one.key for one in meant]},
        )
        return Exit.OK
    if verdict is None:
        env.out.note(env.t("cli.invoice_cleared", count=len(meant)))
    else:
        from kelmu_tui.services.review_text import verdict_text

        env.out.note(env.t("cli.invoice_judged", count=len(meant), verdict=verdict_text(verdict, env.t)))
    return Exit.OK


def _meant(env: Env, reviewed: Reviewed, words: Sequence[str]) -> list[Found]:
    """Return the findings that keys, or the first digits of them, name.

    Raises:
        CliError: one names none, or several.
    """
    found: dict[str, Found] = {}
    for word in words:
        start = word.lower()
        named = [one for one in reviewed.found if len(start) >= _SHORTEST and one.key.startswith(start)]
        if not named:
            raise CliError(Exit.NOT_FOUND, "finding_unknown", env.t("cli.invoice_no_finding", key=word))
        if len(named) > 1:
            raise CliError(Exit.USAGE, "finding_ambiguous", env.t("cli.invoice_findings", key=word))
        found[named[0].key] = named[0]
    return list(found.values())


def dispute(env: Env) -> int:
    """Write the document with what is disputed of an invoice, the newest one here by default."""
    from kelmu_tui.platform.saving import NotSaved, check, save_new
    from kelmu_tui.services.dispute import document

    kind, given = wanted_kind(env), wanted_period(env, env.args.period)
    path = Path(env.args.output)
    with env.context(NEEDS) as context:
        need_open(env, context, billed_list(kind.id))
        period = newest_here(env, context, kind, given)
        try:
            check(path)
            with here(env, kind, period):
                reviewed = run_review(env, context, kind, period)
                if not reviewed.disputed:
                    raise CliError(Exit.NOT_FOUND, "nothing_disputed", env.t("cli.invoice_nothing_disputed"))
                leaving = context.invoices.leaving(reviewed, reviewed.disputed)
            save_new(path, document(reviewed, reviewed.disputed, env.t, leaving))
        except NotSaved as failure:
            said = env.t.choice("saving.problem", failure.reason, folder=str(path.parent))
            raise CliError(Exit.FAILED, f"not_saved_{failure.reason}", said) from None
    if env.out.as_json:
        summed = leaving.disputed
        data = {"kind": kind.id, "period": period, "file": str(path), "findings": len(reviewed.disputed)}
        env.out.data("invoices.dispute", data | {"rows": summed.rows, "billed": str(summed.billed)})
    else:
        env.out.line(env.t("saving.done", path=str(path)))
    return Exit.OK
