"""What the options of a line say of a claim: days, sums and accounts read, with a sentence for each that cannot be."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any, Final

from kelmu_tui.cli.days import read_day
from kelmu_tui.cli.env import Env
from kelmu_tui.cli.exits import CliError, Exit
from kelmu_tui.domain.claims.content import Partial
from kelmu_tui.domain.deadlines import local_date
from kelmu_tui.services.claim_typing import is_open_end
from kelmu_tui.services.context import Context

_DAYS: Final = (
    "first",
    "last",
    "care_first",
    "care_last",
    "assistance_first",
    "assistance_last",
    "assistance_decided_on",
)
_AMOUNTS: Final = ("amount", "assistance_amount")
_TEXTS: Final = ("reference", "handler", "telephone")


def read(env: Env, context: Context, before: Partial, grounds: str | None) -> Partial:
    """Return a claim with what the line says of it.

    Args:
        before: what it says where the line says nothing.
        grounds: read from standard input.

    Raises:
        CliError: something cannot be read.
    """
    said: dict[str, Any] = {}
    for name in _DAYS:
        text = env.option(f"claim_{name}")
        if text is None:
            continue
        if name == "last" and is_open_end(text):
            said |= {"last": None, "until_further_notice": True}
            continue
        said[name] = day(env, text, name)
        if name == "last":
            said["until_further_notice"] = False
    said |= {name: _amount(env, text, name) for name in _AMOUNTS if (text := env.option(f"claim_{name}")) is not None}
    said |= {name: text for name in _TEXTS if (text := env.option(f"claim_{name}")) is not None}
    if env.option("claim_benefit") is not None:
        said["benefit"] = _benefit(env, env.option("claim_benefit"))
    if env.option("claim_basis") is not None:
        said["basis"] = _basis(env, env.option("claim_basis"))
    if grounds is not None:
        said["grounds"] = grounds
    if env.option("claim_account") is not None or before.account is None:
        said["account"] = _account(env, context)
    return replace(before, **said)


def day(env: Env, text: str, field: str) -> date:
    """Return a day of the line.

    Raises:
        CliError: there is no such day.
    """
    from kelmu_tui.services.claim_words import field_name

    return read_day(env, text, local_date(env.clock.now()), field, field_name(field, env.t))


def _amount(env: Env, text: str, field: str) -> Decimal:
    from kelmu_tui.domain.claims.amounts import InvalidAmount, parse_amount
    from kelmu_tui.services.claim_words import amount_fault_text, field_name

    try:
        return parse_amount(text)
    except InvalidAmount as failure:
        said = f"{field_name(field, env.t)}: {amount_fault_text(failure.fault, env.t)}"
        raise CliError(Exit.USAGE, f"{field}_{failure.fault.value}", said) from None


def _benefit(env: Env, word: str) -> str:
    from kelmu_tui.domain.benefits import benefits
    from kelmu_tui.services.benefit_words import benefit_name

    return _named(env, word, {id_: benefit_name(id_, env.t) for id_ in benefits()}, "benefit")


def _basis(env: Env, word: str) -> str:
    from kelmu_tui.domain.claims.catalogue import bases
    from kelmu_tui.services.claim_words import basis_name

    codes = {basis.code.casefold(): id_ for id_, basis in bases().items()}
    return codes.get(word.casefold()) or _named(env, word, {id_: basis_name(id_, env.t) for id_ in bases()}, "basis")


def _named(env: Env, word: str, names: dict[str, str], field: str) -> str:
    """Return the id that a word is, or the only one whose name begins so.

    Raises:
        CliError: none is meant, or several are.
    """
    from kelmu_tui.services.claim_words import field_name

    if word in names:
        return word
    start = word.casefold().strip()
    meant = [id_ for id_, name in names.items() if start and name.casefold().startswith(start)]
    if len(meant) == 1:
        return meant[0]
    near = meant or [id_ for id_ in names if start and start[:5] in id_]
    hint = f" {env.t('cli.did_you_mean', names=', '.join(near[:8]))}" if near else ""
    said = env.t("cli.claim_word", field=field_name(field, env.t)) + hint
    raise CliError(Exit.USAGE, f"{field}_unknown", said)


def _account(env: Env, context: Context) -> str | None:
    """Return the account that the line means: by its id, its beginning, or the number.

    Without a word it is the only one; None where there are several, and the claim lacks it.

    Raises:
        CliError: the word is neither an id nor a number.
    """
    from kelmu_tui.domain.claims.accounts import InvalidAccount, parse_account
    from kelmu_tui.services.claim_words import account_fault_text, field_name

    word, known = env.option("claim_account"), context.claims.accounts()
    if word is None:
        return known[0].iban if len(known) == 1 else None
    meant = [one for one in known if one.id == word or (len(word) >= 4 and one.id.startswith(word))]
    if len(meant) == 1:
        return meant[0].iban
    try:
        return parse_account(word)
    except InvalidAccount as failure:
        said = f"{field_name('account', env.t)}: {account_fault_text(failure.fault, env.t)}"
        raise CliError(Exit.USAGE, f"account_{failure.fault.value}", said) from None
