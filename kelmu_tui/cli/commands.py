"""The command line's grammar: one table of commands from which parser, help, completion and docs/cli.md come."""

from __future__ import annotations

import argparse
from typing import Any, Final, NamedTuple

VIEWS: Final = ("unhandled", "mine", "urgent", "due_today", "transferred", "all")
SORTS: Final = ("due", "arrived", "kind", "municipality", "customer")
SECTIONS: Final = ("pending", "decisions", "payments", "claims", "insurance", "recovery", "medicine", "passed_on")
AUDIT_PURPOSES: Final = ("monitoring", "suspicion", "customer_request")
FLAGS: Final = ("self", "family_name", "unrelated", "sequence", "paused")
SHELLS: Final = ("bash", "zsh", "fish")
VERDICTS: Final = ("accept", "dispute", "note", "clear")
LANGUAGES: Final = ("fi", "sv", "en")


class Option(NamedTuple):
    """An option or argument: what argparse takes, and `name`, under which its help text stands."""

    name: str
    flags: tuple[str, ...]
    settings: tuple[tuple[str, Any], ...] = ()


class Command(NamedTuple):
    """A command: its words, the function that does it (`module:function`) and its options."""

    words: tuple[str, ...]
    handler: str
    options: tuple[Option, ...] = ()
    hidden: bool = False

    @property
    def name(self) -> str:
        """Name under which the command's texts stand, `inbox_take_back` for example."""
        return "_".join(self.words).replace("-", "_")


def _option(name: str, *flags: str, **settings: Any) -> Option:
    return Option(name, flags, tuple(settings.items()))


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 0 < int(text) < 10**9):
        raise argparse.ArgumentTypeError("1…")
    return int(text)


def _seconds(text: str) -> float:
    if not (text.isascii() and text.isdecimal() and int(text) <= 3600):
        raise argparse.ArgumentTypeError("0…3600")
    return float(text)


GLOBAL: Final = (
    _option("profile", "--profile", metavar="NAME"),
    _option("user", "--user", metavar="ID"),
    _option("organisation", "--organisation", metavar="ID"),
    _option("lang", "--lang", choices=LANGUAGES),
    _option("json", "--json", action="store_true"),
)
"""Options that may stand before and after the command."""

_IDS = _option("ids", "ids", nargs="+", metavar="ID")
_WAIT = _option("wait", "--wait", type=_seconds, metavar="SECONDS")
_NO_WAIT = _option("no_wait", "--no-wait", dest="wait", action="store_const", const=0.0)
_FOLLOWS: Final = _option("follows", "follows", nargs="+", metavar="ID")
_ACT = (_IDS, _WAIT, _NO_WAIT)

_AUDIT_PURPOSE = _option("audit_purpose", "--purpose", dest="audit_purpose", choices=AUDIT_PURPOSES, required=True)
_CASE = _option("case", "--case", metavar="REFERENCE")
_DAYS = (_option("since", "--since", metavar="DAY"), _option("until", "--until", metavar="DAY"))
_FLAG = _option("flag", "--flag", action="append", choices=FLAGS)
_TAKEN = (_option("csv", "--csv", action="store_true"), _option("output", "--output", metavar="FILE"))

_LIST = _option("list", "list", metavar="LIST")
_PERIOD = _option("period", "period", nargs="?", metavar="PERIOD")
_AGAIN = _option("again", "--again", action="store_true")
_INVOICE = _option("invoice", "invoice", metavar="KIND")
_FETCH = _option("fetch_rows", "--fetch", action="store_true")
_SHOWN = (
    _option("column", "--column", action="append", metavar="COLUMN"),
    _option("full", "--full", action="store_true"),
    _option("limit", "--limit", type=_number, metavar="N", default=100),
)

EPHEMERAL: Final = _option("ephemeral", "--ephemeral", action="store_true", default=argparse.SUPPRESS)
"""Stands before a command or with the demo: it is about the app."""

COMMANDS: Final = (
    Command(
        ("demo",),
        "kelmu_tui.cli.demo:demo",
        (
            EPHEMERAL,
            _option("fresh", "--fresh", action="store_true"),
            _option("seed", "--seed", type=_number, metavar="N"),
            _option("people", "--people", type=_number, metavar="N"),
            _option("notices", "--notices", type=_number, metavar="N"),
            _option("browser", "--browser", action="store_true"),
            _option("personas", "--personas", action="store_true"),
            _option("sign_in_as", "--sign-in-as", metavar="PERSONA"),
        ),
    ),
    Command(
        ("sign-in",),
        "kelmu_tui.cli.account:sign_in",
        (
            _option("backend", "--backend", metavar="URL"),
            _option("persona", "--persona", metavar="PERSONA"),
            _option("browser", "--browser", action="store_true"),
        ),
    ),
    Command(
        ("sign-out",),
        "kelmu_tui.cli.account:sign_out",
        (
            _option("send", "--send", dest="unsent", action="store_const", const="send"),
            _option("keep", "--keep", dest="unsent", action="store_const", const="keep"),
            _option("discard", "--discard", dest="unsent", action="store_const", const="discard"),
        ),
    ),
    Command(
        ("passphrase",),
        "kelmu_tui.cli.passphrase:change",
        (
            _option("keyring", "--keyring", action="store_true"),
            _option("forgotten", "--forgotten", action="store_true"),
        ),
    ),
    Command(("status",), "kelmu_tui.cli.account:status"),
    Command(("sync",), "kelmu_tui.cli.account:sync", (_WAIT,)),
    Command(
        ("inbox", "list"),
        "kelmu_tui.cli.inbox:list_notices",
        (
            _option("view", "--view", choices=VIEWS, default="unhandled"),
            _option("filter", "--filter", metavar="TEXT", default=""),
            _option("sort", "--sort", choices=SORTS, default="due"),
            _option("descending", "--descending", action="store_true"),
            _option("limit", "--limit", type=_number, metavar="N", default=100),
        ),
    ),
    Command(
        ("inbox", "show"),
        "kelmu_tui.cli.inbox:show",
        (_option("id", "id", metavar="ID"), _option("full", "--full", action="store_true")),
    ),
    Command(("inbox", "take"), "kelmu_tui.cli.acts:take", _ACT),
    Command(("inbox", "release"), "kelmu_tui.cli.acts:release", _ACT),
    Command(("inbox", "handle"), "kelmu_tui.cli.acts:handle", _ACT),
    Command(("inbox", "reopen"), "kelmu_tui.cli.acts:reopen", _ACT),
    Command(
        ("inbox", "note"), "kelmu_tui.cli.acts:note", (*_ACT, _option("text", "--text", required=True, metavar="TEXT"))
    ),
    Command(
        ("inbox", "transfer"),
        "kelmu_tui.cli.acts:transfer",
        (
            *_ACT,
            _option("to", "--to", required=True, metavar="MUNICIPALITY"),
            _option("reason", "--reason", required=True, metavar="TEXT"),
        ),
    ),
    Command(("inbox", "take-back"), "kelmu_tui.cli.acts:take_back", _ACT),
    Command(
        ("customer", "show"),
        "kelmu_tui.cli.customers:show",
        (
            _option("customer", "customer", nargs="?", metavar="ID"),
            _option("purpose", "--purpose", metavar="PURPOSE"),
            _CASE,
            _option("reason", "--reason", metavar="TEXT"),
            _option("section", "--section", action="append", choices=SECTIONS),
            _option("offline", "--offline", action="store_true"),
            _option("full", "--full", action="store_true"),
            _option("output", "--output", metavar="FILE"),
        ),
    ),
    Command(
        ("customer", "recent"),
        "kelmu_tui.cli.customers:recent",
        (_option("filter", "--filter", metavar="TEXT", default=""),),
    ),
    Command(
        ("customer", "history"),
        "kelmu_tui.cli.customers:history",
        (_option("limit", "--limit", type=_number, metavar="N", default=100),),
    ),
    Command(
        ("customer", "forget"),
        "kelmu_tui.cli.customers:forget",
        (
            _option("customers", "customers", nargs="*", metavar="ID"),
            _option("all_files", "--all", action="store_true"),
        ),
    ),
    Command(("follow", "list"), "kelmu_tui.cli.follows:list_follows", ()),
    Command(
        ("follow", "begin"),
        "kelmu_tui.cli.follows:begin",
        (_option("customer", "customer", metavar="ID"), _option("reason", "--reason", metavar="TEXT")),
    ),
    Command(("follow", "renew"), "kelmu_tui.cli.follows:renew", (_FOLLOWS,)),
    Command(("follow", "end"), "kelmu_tui.cli.follows:end", (_FOLLOWS,)),
    Command(
        ("audit", "search"),
        "kelmu_tui.cli.audit:search",
        (
            _AUDIT_PURPOSE,
            _option("by", "--by", metavar="USER"),
            _option("of_customer", "--customer", dest="of_customer", metavar="ID"),
            *_DAYS,
            _FLAG,
            _option("limit", "--limit", type=_number, metavar="N", default=100),
            *_TAKEN,
        ),
    ),
    Command(
        ("audit", "sample"),
        "kelmu_tui.cli.audit:sample",
        (
            _AUDIT_PURPOSE,
            _CASE,
            _option("size", "--size", metavar="N"),
            _option("sample_seed", "--seed", dest="sample_seed", metavar="N"),
            *_DAYS,
            _FLAG,
            *_TAKEN,
        ),
    ),
    Command(
        ("audit", "extract"),
        "kelmu_tui.cli.audit:extract",
        (_option("customer", "customer", nargs="?", metavar="ID"), _AUDIT_PURPOSE, _CASE, *_TAKEN),
    ),
    Command(
        ("lists", "list"),
        "kelmu_tui.cli.lists:list_lists",
        (
            _option("all_periods", "--all", dest="all", action="store_true"),
            _option("offline", "--offline", action="store_true"),
        ),
    ),
    Command(("lists", "fetch"), "kelmu_tui.cli.lists:fetch", (_LIST, _PERIOD, _AGAIN)),
    Command(
        ("lists", "show"),
        "kelmu_tui.cli.lists:show",
        (
            _LIST,
            _PERIOD,
            _option("filter", "--filter", metavar="TEXT", default=""),
            _option("municipality", "--municipality", metavar="CODE"),
            _option("sort_by", "--sort", dest="sort_by", action="append", metavar="COLUMN"),
            *_SHOWN,
        ),
    ),
    Command(
        ("lists", "diff"),
        "kelmu_tui.cli.lists:diff",
        (
            _LIST,
            _option("before", "before", metavar="BEFORE"),
            _option("after", "after", metavar="AFTER"),
            *_SHOWN,
        ),
    ),
    Command(
        ("invoices", "list"),
        "kelmu_tui.cli.invoices:list_invoices",
        (_option("offline", "--offline", action="store_true"),),
    ),
    Command(
        ("invoices", "review"),
        "kelmu_tui.cli.invoices:review_invoice",
        (_INVOICE, _PERIOD, _FETCH, _option("full", "--full", action="store_true")),
    ),
    Command(
        ("invoices", "judge"),
        "kelmu_tui.cli.invoice_disputes:judge",
        (
            _INVOICE,
            _option("billed_period", "period", metavar="PERIOD"),
            _option("findings", "keys", nargs="+", metavar="KEY"),
            *(_option(f"judge_{verdict}", f"--{verdict}", dest=verdict, action="store_true") for verdict in VERDICTS),
            _option("judgement_text", "--text", metavar="TEXT", default=""),
        ),
    ),
    Command(
        ("invoices", "dispute"),
        "kelmu_tui.cli.invoice_disputes:dispute",
        (_INVOICE, _PERIOD, _option("dispute_file", "--output", metavar="FILE", required=True)),
    ),
    Command(("outbox", "list"), "kelmu_tui.cli.outbox:list_commands", (_option("all", "--all", action="store_true"),)),
    Command(
        ("outbox", "show"),
        "kelmu_tui.cli.outbox:show",
        (_option("command_id", "id", metavar="ID"), _option("text_alone", "--text", action="store_true")),
    ),
    Command(
        ("outbox", "retry"),
        "kelmu_tui.cli.outbox:retry",
        (_option("command_ids", "ids", nargs="*", metavar="ID"), _WAIT, _NO_WAIT),
    ),
    Command(
        ("outbox", "reload"), "kelmu_tui.cli.outbox:reload", (_option("command_ids", "ids", nargs="+", metavar="ID"),)
    ),
    Command(
        ("outbox", "discard"),
        "kelmu_tui.cli.outbox:discard",
        (_option("command_ids", "ids", nargs="+", metavar="ID"), _option("yes", "--yes", action="store_true")),
    ),
    Command(("doctor",), "kelmu_tui.cli.doctor:doctor"),
    Command(("config", "path"), "kelmu_tui.cli.config:path"),
    Command(("config", "show"), "kelmu_tui.cli.config:show"),
    Command(("completion",), "kelmu_tui.cli.completion:completion", (_option("shell", "shell", choices=SHELLS),)),
)

NAMES: Final = tuple(command.name for command in COMMANDS)
"""Names under which the commands' help texts stand."""
GROUPS: Final = tuple(dict.fromkeys(command.words[0] for command in COMMANDS if len(command.words) > 1))
OPTIONS: Final = tuple(
    dict.fromkeys(["version", *(o.name for o in GLOBAL), *(o.name for c in COMMANDS for o in c.options)])
)
"""Names under which the options' help texts stand."""
