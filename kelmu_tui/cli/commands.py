"""The command line's grammar: one table of commands from which parser, help, completion and docs/cli.md come."""

from __future__ import annotations

import argparse
from typing import Final

from kelmu_tui.cli.claim_grammar import COMMANDS as CLAIM_COMMANDS
from kelmu_tui.cli.document_commands import DOCUMENTS
from kelmu_tui.cli.grammar import NO_WAIT, WAIT, number, option
from kelmu_tui.cli.grammar import Command as Command
from kelmu_tui.cli.grammar import Option as Option

VIEWS: Final = ("unhandled", "mine", "urgent", "due_today", "transferred", "all")
SORTS: Final = ("due", "arrived", "kind", "municipality", "customer")
SECTIONS: Final = ("pending", "decisions", "payments", "claims", "insurance", "recovery", "medicine", "passed_on")
AUDIT_PURPOSES: Final = ("monitoring", "suspicion", "customer_request")
FLAGS: Final = ("self", "family_name", "unrelated", "sequence", "paused")
FORMATS: Final = ("csv", "xlsx", "json", "ndjson")
SHELLS: Final = ("bash", "zsh", "fish")
VERDICTS: Final = ("accept", "dispute", "note", "clear")
LANGUAGES: Final = ("fi", "sv", "en")


GLOBAL: Final = (
    option("profile", "--profile", metavar="NAME"),
    option("user", "--user", metavar="ID"),
    option("organisation", "--organisation", metavar="ID"),
    option("lang", "--lang", choices=LANGUAGES),
    option("json", "--json", action="store_true"),
)
"""Options that may stand before and after the command."""

_IDS = option("ids", "ids", nargs="+", metavar="ID")
_FOLLOWS: Final = option("follows", "follows", nargs="+", metavar="ID")
_ACT = (_IDS, WAIT, NO_WAIT)

_AUDIT_PURPOSE = option("audit_purpose", "--purpose", dest="audit_purpose", choices=AUDIT_PURPOSES, required=True)
_CASE = option("case", "--case", metavar="REFERENCE")
_DAYS = (option("since", "--since", metavar="DAY"), option("until", "--until", metavar="DAY"))
_FLAG = option("flag", "--flag", action="append", choices=FLAGS)
_TAKEN = (option("csv", "--csv", action="store_true"), option("output", "--output", metavar="FILE"))

_LIST = option("list", "list", metavar="LIST")
_PERIOD = option("period", "period", nargs="?", metavar="PERIOD")
_AGAIN = option("again", "--again", action="store_true")
_INVOICE = option("invoice", "invoice", metavar="KIND")
_FETCH = option("fetch_rows", "--fetch", action="store_true")
_RESIDENTS = (
    option("residents", "--residents", metavar="FILE"),
    option("residents_column", "--residents-column", metavar="COLUMN"),
)
_SHOWN = (
    option("column", "--column", action="append", metavar="COLUMN"),
    option("full", "--full", action="store_true"),
    option("limit", "--limit", type=number, metavar="N", default=100),
)

_EXPORTED = (
    option("output", "--output", metavar="FILE", required=True),
    option("export_purpose", "--purpose", dest="export_purpose", metavar="TEXT", required=True),
    option("export_format", "--format", dest="export_format", choices=FORMATS),
    option("filter", "--filter", metavar="TEXT", default=""),
    option("municipality", "--municipality", metavar="CODE"),
    option("sort_by", "--sort", dest="sort_by", action="append", metavar="COLUMN"),
    option("column", "--column", action="append", metavar="COLUMN"),
    option("full", "--full", action="store_true"),
    option("shared_folder", "--shared-folder", dest="shared_folder", action="store_true"),
)

EPHEMERAL: Final = option("ephemeral", "--ephemeral", action="store_true", default=argparse.SUPPRESS)
"""Stands before a command or with the demo: it is about the app."""

COMMANDS: Final = (
    Command(
        ("demo",),
        "kelmu_tui.cli.demo:demo",
        (
            EPHEMERAL,
            option("fresh", "--fresh", action="store_true"),
            option("seed", "--seed", type=number, metavar="N"),
            option("people", "--people", type=number, metavar="N"),
            option("notices", "--notices", type=number, metavar="N"),
            option("browser", "--browser", action="store_true"),
            option("personas", "--personas", action="store_true"),
            option("sign_in_as", "--sign-in-as", metavar="PERSONA"),
        ),
    ),
    Command(
        ("sign-in",),
        "kelmu_tui.cli.account:sign_in",
        (
            option("backend", "--backend", metavar="URL"),
            option("persona", "--persona", metavar="PERSONA"),
            option("browser", "--browser", action="store_true"),
        ),
    ),
    Command(
        ("sign-out",),
        "kelmu_tui.cli.account:sign_out",
        (
            option("send", "--send", dest="unsent", action="store_const", const="send"),
            option("keep", "--keep", dest="unsent", action="store_const", const="keep"),
            option("discard", "--discard", dest="unsent", action="store_const", const="discard"),
        ),
    ),
    Command(
        ("passphrase",),
        "kelmu_tui.cli.passphrase:change",
        (
            option("keyring", "--keyring", action="store_true"),
            option("forgotten", "--forgotten", action="store_true"),
        ),
    ),
    Command(("status",), "kelmu_tui.cli.account:status"),
    Command(("sync",), "kelmu_tui.cli.account:sync", (WAIT,)),
    Command(
        ("inbox", "list"),
        "kelmu_tui.cli.inbox:list_notices",
        (
            option("view", "--view", choices=VIEWS, default="unhandled"),
            option("filter", "--filter", metavar="TEXT", default=""),
            option("sort", "--sort", choices=SORTS, default="due"),
            option("descending", "--descending", action="store_true"),
            option("limit", "--limit", type=number, metavar="N", default=100),
        ),
    ),
    Command(
        ("inbox", "show"),
        "kelmu_tui.cli.inbox:show",
        (option("id", "id", metavar="ID"), option("full", "--full", action="store_true")),
    ),
    Command(("inbox", "take"), "kelmu_tui.cli.acts:take", _ACT),
    Command(("inbox", "release"), "kelmu_tui.cli.acts:release", _ACT),
    Command(("inbox", "handle"), "kelmu_tui.cli.acts:handle", _ACT),
    Command(("inbox", "reopen"), "kelmu_tui.cli.acts:reopen", _ACT),
    Command(
        ("inbox", "note"), "kelmu_tui.cli.acts:note", (*_ACT, option("text", "--text", required=True, metavar="TEXT"))
    ),
    Command(
        ("inbox", "transfer"),
        "kelmu_tui.cli.acts:transfer",
        (
            *_ACT,
            option("to", "--to", required=True, metavar="MUNICIPALITY"),
            option("reason", "--reason", required=True, metavar="TEXT"),
        ),
    ),
    Command(("inbox", "take-back"), "kelmu_tui.cli.acts:take_back", _ACT),
    Command(
        ("customer", "show"),
        "kelmu_tui.cli.customers:show",
        (
            option("customer", "customer", nargs="?", metavar="ID"),
            option("purpose", "--purpose", metavar="PURPOSE"),
            _CASE,
            option("reason", "--reason", metavar="TEXT"),
            option("section", "--section", action="append", choices=SECTIONS),
            option("offline", "--offline", action="store_true"),
            option("full", "--full", action="store_true"),
            option("output", "--output", metavar="FILE"),
        ),
    ),
    Command(
        ("customer", "recent"),
        "kelmu_tui.cli.customers:recent",
        (option("filter", "--filter", metavar="TEXT", default=""),),
    ),
    Command(
        ("customer", "history"),
        "kelmu_tui.cli.customers:history",
        (option("limit", "--limit", type=number, metavar="N", default=100),),
    ),
    Command(
        ("customer", "forget"),
        "kelmu_tui.cli.customers:forget",
        (
            option("customers", "customers", nargs="*", metavar="ID"),
            option("all_files", "--all", action="store_true"),
        ),
    ),
    Command(("follow", "list"), "kelmu_tui.cli.follows:list_follows", ()),
    Command(
        ("follow", "begin"),
        "kelmu_tui.cli.follows:begin",
        (option("customer", "customer", metavar="ID"), option("reason", "--reason", metavar="TEXT")),
    ),
    Command(("follow", "renew"), "kelmu_tui.cli.follows:renew", (_FOLLOWS,)),
    Command(("follow", "end"), "kelmu_tui.cli.follows:end", (_FOLLOWS,)),
    *CLAIM_COMMANDS,
    Command(
        ("audit", "search"),
        "kelmu_tui.cli.audit:search",
        (
            _AUDIT_PURPOSE,
            option("by", "--by", metavar="USER"),
            option("of_customer", "--customer", dest="of_customer", metavar="ID"),
            *_DAYS,
            _FLAG,
            option("limit", "--limit", type=number, metavar="N", default=100),
            *_TAKEN,
        ),
    ),
    Command(
        ("audit", "sample"),
        "kelmu_tui.cli.audit:sample",
        (
            _AUDIT_PURPOSE,
            _CASE,
            option("size", "--size", metavar="N"),
            option("sample_seed", "--seed", dest="sample_seed", metavar="N"),
            *_DAYS,
            _FLAG,
            *_TAKEN,
        ),
    ),
    Command(
        ("audit", "extract"),
        "kelmu_tui.cli.audit:extract",
        (option("customer", "customer", nargs="?", metavar="ID"), _AUDIT_PURPOSE, _CASE, *_TAKEN),
    ),
    Command(
        ("lists", "list"),
        "kelmu_tui.cli.lists:list_lists",
        (
            option("all_periods", "--all", dest="all", action="store_true"),
            option("offline", "--offline", action="store_true"),
        ),
    ),
    Command(("lists", "fetch"), "kelmu_tui.cli.lists:fetch", (_LIST, _PERIOD, _AGAIN)),
    Command(
        ("lists", "show"),
        "kelmu_tui.cli.lists:show",
        (
            _LIST,
            _PERIOD,
            option("filter", "--filter", metavar="TEXT", default=""),
            option("municipality", "--municipality", metavar="CODE"),
            option("sort_by", "--sort", dest="sort_by", action="append", metavar="COLUMN"),
            option("saved_view", "--view", dest="saved_view", metavar="NAME"),
            *_SHOWN,
        ),
    ),
    Command(("lists", "views"), "kelmu_tui.cli.list_views:list_views", (_LIST,)),
    Command(
        ("lists", "diff"),
        "kelmu_tui.cli.lists:diff",
        (
            _LIST,
            option("before", "before", metavar="BEFORE"),
            option("after", "after", metavar="AFTER"),
            *_SHOWN,
        ),
    ),
    Command(("lists", "export"), "kelmu_tui.cli.list_export:export_list", (_LIST, _PERIOD, *_EXPORTED)),
    Command(
        ("invoices", "list"),
        "kelmu_tui.cli.invoices:list_invoices",
        (option("offline", "--offline", action="store_true"),),
    ),
    Command(
        ("invoices", "review"),
        "kelmu_tui.cli.invoices:review_invoice",
        (_INVOICE, _PERIOD, _FETCH, *_RESIDENTS, option("full", "--full", action="store_true")),
    ),
    Command(
        ("invoices", "judge"),
        "kelmu_tui.cli.invoice_disputes:judge",
        (
            _INVOICE,
            option("billed_period", "period", metavar="PERIOD"),
            option("findings", "keys", nargs="+", metavar="KEY"),
            *(option(f"judge_{verdict}", f"--{verdict}", dest=verdict, action="store_true") for verdict in VERDICTS),
            option("judgement_text", "--text", metavar="TEXT", default=""),
            *_RESIDENTS,
        ),
    ),
    Command(
        ("invoices", "dispute"),
        "kelmu_tui.cli.invoice_disputes:dispute",
        (_INVOICE, _PERIOD, option("dispute_file", "--output", metavar="FILE", required=True), *_RESIDENTS),
    ),
    Command(
        ("invoices", "answers"),
        "kelmu_tui.cli.own_files:answers",
        (
            option("own_file", "own_file", nargs="?", metavar="FILE"),
            option("own_column", "--column", dest="own_column", action="append", metavar="FIELD=COLUMN"),
            option("sheet", "--sheet", type=number, metavar="N"),
            option("take_good", "--take-good", action="store_true"),
            option("dry_run", "--dry-run", action="store_true"),
            option("forget", "--forget", action="store_true"),
        ),
    ),
    Command(
        ("invoices", "export"),
        "kelmu_tui.cli.list_export:export_invoice",
        (_INVOICE, _PERIOD, *_EXPORTED),
    ),
    *DOCUMENTS,
    Command(("outbox", "list"), "kelmu_tui.cli.outbox:list_commands", (option("all", "--all", action="store_true"),)),
    Command(
        ("outbox", "show"),
        "kelmu_tui.cli.outbox:show",
        (option("command_id", "id", metavar="ID"), option("text_alone", "--text", action="store_true")),
    ),
    Command(
        ("outbox", "retry"),
        "kelmu_tui.cli.outbox:retry",
        (option("command_ids", "ids", nargs="*", metavar="ID"), WAIT, NO_WAIT),
    ),
    Command(
        ("outbox", "reload"), "kelmu_tui.cli.outbox:reload", (option("command_ids", "ids", nargs="+", metavar="ID"),)
    ),
    Command(
        ("outbox", "discard"),
        "kelmu_tui.cli.outbox:discard",
        (option("command_ids", "ids", nargs="+", metavar="ID"), option("yes", "--yes", action="store_true")),
    ),
    Command(("doctor",), "kelmu_tui.cli.doctor:doctor"),
    Command(("config", "path"), "kelmu_tui.cli.config:path"),
    Command(("config", "show"), "kelmu_tui.cli.config:show"),
    Command(("completion",), "kelmu_tui.cli.completion:completion", (option("shell", "shell", choices=SHELLS),)),
)

NAMES: Final = tuple(command.name for command in COMMANDS)
"""Names under which the commands' help texts stand."""
GROUPS: Final = tuple(dict.fromkeys(command.words[0] for command in COMMANDS if len(command.words) > 1))
OPTIONS: Final = tuple(
    dict.fromkeys(["version", *(o.name for o in GLOBAL), *(o.name for c in COMMANDS for o in c.options)])
)
"""Names under which the options' help texts stand."""
