"""`kelmu claims check|register|change|prolong|end|cancel`: judged here by the same rules as in the record."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from kelmu_tui.cli import claim_options
from kelmu_tui.cli.claims import meant
from kelmu_tui.cli.env import Env
from kelmu_tui.cli.exits import CliError, Exit
from kelmu_tui.cli.giving import SENT, send
from kelmu_tui.domain.claims.content import Content, Partial
from kelmu_tui.domain.claims.life import ClaimRefused
from kelmu_tui.domain.claims.rules import Checked, Finding, missing
from kelmu_tui.services.claims import NotOpen
from kelmu_tui.services.context import Context
from kelmu_tui.services.known import CLAIMS
from kelmu_tui.store.claim_rows import Payee


def check(env: Env) -> int:
    """Say what the rules say of a claim, without making it."""
    with env.context(CLAIMS) as context:
        said, _ = _new(env, context)
        checked = context.claims.check(said)
    lacking = missing(said)
    if env.out.as_json:
        env.out.data(
            "claims.check",
            {
                "findings": [_finding(env, one) for one in checked.findings],
                "unchecked": checked.unchecked,
                "missing": lacking,
            },
        )
    else:
        for line in _told(env, checked, lacking):
            env.out.line(line)
    return Exit.REFUSED if checked.blocking or lacking else Exit.OK


def register(env: Env) -> int:
    """Make a claim; the payee's code comes from a prompt or standard input."""
    with env.context(CLAIMS) as context:
        said, payee = _new(env, context)
        content = _whole(env, context, said)
        if payee is None:
            raise CliError(Exit.NOT_FOUND, "claim_payee", env.t("cli.claim_payee_unknown"))
        missed = context.claims.at_risk(content)
        command = _refusing(
            env,
            lambda: [
                context.claims.register(content, name=payee.name, non_disclosure=payee.non_disclosure, draft=None)
            ],
        )
        line = context.outbox.line(command[0])
        claim = None if line is None else line.aggregate
        ended = send(env, context, "claims.command", command, "cli.claim_registered", claim=claim, at_risk=missed)
        line = context.outbox.line(command[0])
        if missed is not None and line is not None and line.state not in SENT and line.conflict is None:
            env.out.note(env.t("cli.claim_at_risk", day=env.t.formats.date(missed)))
        return ended


def change(env: Env) -> int:
    """Say something else in a claim that Kela does not handle yet."""
    with env.context(CLAIMS) as context:
        (id_,) = meant(context, [env.args.claim])
        file = context.claims.open(id_)
        if file is None:
            raise CliError(Exit.NOT_FOUND, "claim_draft", env.t("cli.claim_draft"))
        said = claim_options.read(env, context, Partial.of(file.content), _grounds(env))
        content = _whole(env, context, said, claim=id_)
        return _give(env, context, lambda: context.claims.change(id_, content, None))


def prolong(env: Env) -> int:
    """Let claims last until a later day."""
    with env.context(CLAIMS) as context:
        ids = meant(context, env.listed_ids())
        last = claim_options.day(env, env.args.claim_last, "last")

        def give() -> Sequence[str]:
            found = context.claims.doubts(ids, last)
            for line in _told(env, Checked(found, ()), ()):
                env.out.note(line)
            return context.claims.prolong(ids, last)

        return _give(env, context, give)


def end(env: Env) -> int:
    """Tell that the ground of claims has ended."""
    with env.context(CLAIMS) as context:
        ids = meant(context, env.listed_ids())
        last = claim_options.day(env, env.args.claim_last, "last")
        return _give(env, context, lambda: context.claims.end(ids, last, env.args.claim_end_reason))


def cancel(env: Env) -> int:
    """Take claims back before Kela handles them."""
    with env.context(CLAIMS) as context:
        ids = meant(context, env.listed_ids())
        return _give(env, context, lambda: context.claims.cancel(ids))


# --- reading --------------------------------------------------------------------------------------------------------


def _new(env: Env, context: Context) -> tuple[Partial, Payee | None]:
    """Return what the line says of a new claim, and who its payee is as far as that is known here.

    The first line of what stands on standard input is the code, and with `--grounds -` the rest are the grounds.
    """
    text = env.secret_text(env.t("cli.ask_code"))
    first, _, rest = text.strip().partition("\n")
    code = context.customers.clean_code(first).value
    given = env.option("claim_grounds")
    grounds = rest.strip() if given == "-" else given
    said = claim_options.read(env, context, Partial(payee=code, handler=context.active.user_name), grounds)
    return said, context.claims.payee(code)


def _grounds(env: Env) -> str | None:
    given: str | None = env.option("claim_grounds")
    return env.read_stdin().strip() if given == "-" else given


def _whole(env: Env, context: Context, said: Partial, claim: str | None = None) -> Content:
    """Return a claim that says all it has to.

    Raises:
        CliError: something is missing, or a rule forbids it.
    """
    checked = context.claims.check(said, claim=claim)
    for line in _told(env, checked, ()):
        env.out.note(line)
    if checked.blocking:
        raise CliError(Exit.REFUSED, checked.blocking[0].rule, env.t("cli.claim_refused"))
    content, lacking = said.whole(), missing(said)
    if content is None or lacking:
        raise CliError(Exit.USAGE, "fields_missing", _lacking(env, lacking))
    return content


def _told(env: Env, checked: Checked, lacking: Sequence[str]) -> list[str]:
    from kelmu_tui.services.claim_words import kind_name, rule_text, unchecked_texts

    told = [f"{kind_name(one.kind, env.t)}: {rule_text(one, env.t)}" for one in checked.findings]
    told += unchecked_texts(checked.unchecked, env.t)
    return [*told, _lacking(env, lacking)] if lacking else told


def _lacking(env: Env, fields: Sequence[str]) -> str:
    from kelmu_tui.services.claim_words import field_name

    said = env.t("cli.claim_missing", fields=", ".join(field_name(one, env.t) for one in fields))
    return f"{said} {env.t('cli.claim_account_unclear')}" if "account" in fields else said


def _finding(env: Env, finding: Finding) -> dict[str, Any]:
    from kelmu_tui.services.claim_words import rule_source, rule_text

    return {
        "rule": finding.rule,
        "kind": finding.kind,
        "field": finding.field,
        "text": rule_text(finding, env.t),
        "source": rule_source(finding.rule, env.t),
    }


# --- giving ---------------------------------------------------------------------------------------------------------


def _give(env: Env, context: Context, give: Callable[[], Sequence[str]]) -> int:
    return send(env, context, "claims.command", _refusing(env, give), "cli.claim_sent")


def _refusing(env: Env, give: Callable[[], Sequence[str]]) -> Sequence[str]:
    try:
        return give()
    except ClaimRefused as failure:
        _refused(env, failure)
    except NotOpen:
        raise CliError(Exit.REFUSED, "claim_not_open", env.t("cli.claim_not_open")) from None


def _refused(env: Env, failure: ClaimRefused) -> NoReturn:
    from kelmu_tui.services.claim_words import refusal_text

    raise CliError(Exit.REFUSED, failure.rule, refusal_text(failure.rule, env.t)) from None
