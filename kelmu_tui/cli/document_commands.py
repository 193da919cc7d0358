"""The commands of `kelmu documents`."""

from __future__ import annotations

from typing import Final

from kelmu_tui.cli.grammar import Command, option

ASKERS: Final = ("customer", "guardian", "representative")
WAYS: Final = ("in_person", "telephone", "letter", "secure_message")
"""As in `catalogue/documents.toml`, which no start of the command line should have to read."""

_FILES: Final = option("documents_files", "files", nargs="+", metavar="FILE")
_SENDINGS: Final = option("sendings", "sendings", nargs="+", metavar="ID")
_NO_WAIT: Final = option("documents_no_wait", "--no-wait", dest="no_wait", action="store_true")

DOCUMENTS: Final = (
    Command(("documents", "kinds"), "kelmu_tui.cli.documents:list_kinds"),
    Command(
        ("documents", "check"),
        "kelmu_tui.cli.documents:check",
        (_FILES, option("documents_preview", "--preview", dest="preview", action="store_true")),
    ),
    Command(
        ("documents", "send"),
        "kelmu_tui.cli.documents:send",
        (
            _FILES,
            option("documents_kind", "--kind", dest="kind", action="append", metavar="KIND", required=True),
            option("documents_name", "--name", dest="name", action="append", metavar="TEXT"),
            option("asked_by", "--asked-by", dest="asked_by", choices=ASKERS, default="customer"),
            option("asked_on", "--asked-on", dest="asked_on", metavar="DAY"),
            option("way", "--way", choices=WAYS, required=True),
            option("documents_case", "--case", dest="case", metavar="REFERENCE"),
            _NO_WAIT,
        ),
    ),
    Command(("documents", "list"), "kelmu_tui.cli.documents:list_sendings"),
    Command(("documents", "show"), "kelmu_tui.cli.documents:show", (option("sending", "sending", metavar="ID"),)),
    Command(("documents", "cancel"), "kelmu_tui.cli.documents:cancel", (_SENDINGS,)),
    Command(
        ("documents", "retry"),
        "kelmu_tui.cli.documents:retry",
        (option("sendings_some", "sendings", nargs="*", metavar="ID"), _NO_WAIT),
    ),
)
