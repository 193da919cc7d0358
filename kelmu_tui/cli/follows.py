"""`kelmu follow …`: following customers for a case, and what happened to them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from kelmu_tui.cli.env import Env
from kelmu_tui.cli.exits import CliError, Exit
from kelmu_tui.cli.giving import send
from kelmu_tui.cli.inbox import shown_id
from kelmu_tui.cli.output import Column
from kelmu_tui.domain.following import FollowRefused
from kelmu_tui.services.context import Context
from kelmu_tui.services.following import NotFollowed
from kelmu_tui.services.known import LOOK_UPS
from kelmu_tui.services.short_ids import customer_ids
from kelmu_tui.store.follows import Change, Follow


def list_follows(env: Env) -> int:
    """List who is followed and what happened; what was listed counts as seen."""
    with env.context(LOOK_UPS) as context:
        found = context.following.lines()
        context.following.log_list(len(found))
        if env.out.as_json:
            env.out.data("follow.list", {"follows": [_data(one) for one in found]})
        else:
            _print(env, found)
        context.following.seen(one.id for one in found)
    return Exit.OK


def _print(env: Env, found: Sequence[Follow]) -> None:
    t = env.t
    columns = [
        Column(t("cli.column_id")),
        Column(t("cli.column_customer"), shrinks=True),
        Column(t("cli.identity")),
        Column(t("cli.column_case"), shrinks=True),
        Column(t("followed.column_until")),
        Column(t("followed.column_what"), shrinks=True),
    ]
    rows = []
    for one in found:
        over = t("followed.over") if one.ended is not None else t.formats.instant(one.until)
        head = [shown_id(env, one.id), one.name, one.masked_code, one.case_reference or "–", over]
        said = [_said(env, change) for change in one.changes] or ["–"]
        rows.append([*head, said[0]])
        rows += [["", "", "", "", "", line] for line in said[1:]]
    env.out.table(columns, rows)


def _said(env: Env, change: Change) -> str:
    from kelmu_tui.services.benefit_words import benefit_name

    t = env.t
    what = t.choice("followed.what", change.what, change.what)
    benefit = "" if change.benefit is None else f": {benefit_name(change.benefit, t)}"
    return f"{'* ' if change.new else ''}{t.formats.date(change.day)} {what}{benefit}"


def _data(one: Follow) -> dict[str, Any]:
    return one._asdict() | {"changes": [change._asdict() for change in one.changes]}


def begin(env: Env) -> int:
    """Follow the customer of a file that is held, for its purpose and case."""
    with env.context(LOOK_UPS) as context:
        (customer,) = customer_ids(context.store, [env.args.customer])
        file = context.customers.open(customer)
        if file is None:
            raise CliError(Exit.NOT_FOUND, "not_held", env.t("cli.customer_not_held"))
        given = env.option("reason") or ""
        reason = context.customers.clean_reason(env.read_stdin() if given == "-" else given)
        why = context.customers.why_reason(customer, file.purpose)
        if why is not None and reason is None:
            raise CliError(Exit.USAGE, "reason_needed", env.t.choice("customer_view.reason_why", why))
        return _give(env, context, lambda: [context.following.begin(file, reason)])


def renew(env: Env) -> int:
    """Follow for the whole time from now on."""
    with env.context(LOOK_UPS) as context:
        ids = _meant(env, context, env.args.follows)
        return _give(env, context, lambda: context.following.renew(ids))


def end(env: Env) -> int:
    """Say that the cases are over."""
    with env.context(LOOK_UPS) as context:
        ids = _meant(env, context, env.args.follows)
        return _give(env, context, lambda: context.following.end(ids))


def _meant(env: Env, context: Context, words: Sequence[str]) -> list[str]:
    """Return the follows that the words mean, by the beginning of their id or of the customer's.

    Raises:
        CliError: a word means none, or several.
    """
    known = context.following.lines()
    found = []
    for word in words:
        meant = [one.id for one in known if one.ended is None and (one.id.startswith(word) or one.customer == word)]
        if len(meant) != 1 or not word:
            raise CliError(Exit.NOT_FOUND, "follow_unknown", env.t("cli.follow_unknown"))
        found += meant
    return found


def _give(env: Env, context: Context, give: Callable[[], Sequence[str]]) -> int:
    """Save commands, send them for a moment, and say what became of them."""
    try:
        commands = tuple(give())
    except FollowRefused as failure:
        raise CliError(Exit.REFUSED, failure.reason.value, env.t.choice("errors.refusal", failure.reason)) from None
    except NotFollowed:
        raise CliError(Exit.REFUSED, "follow_ended", env.t("errors.refusal.follow_ended")) from None
    return send(env, context, "follow.command", commands, "cli.follow_sent")
