"""The grammar of `kelmu claims …`; names of the domain stand here as words, so that no help loads it."""

from __future__ import annotations

from typing import Final

from kelmu_tui.cli.grammar import NO_WAIT, WAIT, Command, number, option

STATES: Final = (
    "draft", "registered", "in_handling", "hearing", "in_force", "rejected", "ended", "cancelled",
)  # fmt: skip
END_REASONS: Final = (
    "care_ended", "assistance_recovered", "assistance_situation_ended", "benefit_ended", "registered_in_error",
    "customer_moved",
)  # fmt: skip
_CLAIM = option("claim", "claim", metavar="ID")
_CLAIMS = option("claims", "ids", nargs="+", metavar="ID")
_BASIS = option("claim_basis", "--basis", dest="claim_basis", metavar="BASIS")
_SAID = (
    option("claim_benefit", "--benefit", dest="claim_benefit", metavar="BENEFIT"),
    option("claim_first", "--first", dest="claim_first", metavar="DAY"),
    option("claim_last", "--last", dest="claim_last", metavar="DAY"),
    option("claim_amount", "--amount", dest="claim_amount", metavar="EUROS"),
    option("claim_account", "--account", dest="claim_account", metavar="ACCOUNT"),
    option("claim_reference", "--reference", dest="claim_reference", metavar="TEXT"),
    option("claim_handler", "--handler", dest="claim_handler", metavar="NAME"),
    option("claim_telephone", "--telephone", dest="claim_telephone", metavar="NUMBER"),
    option("claim_care_first", "--care-first", dest="claim_care_first", metavar="DAY"),
    option("claim_care_last", "--care-last", dest="claim_care_last", metavar="DAY"),
    option("claim_assistance_first", "--assistance-first", dest="claim_assistance_first", metavar="DAY"),
    option("claim_assistance_last", "--assistance-last", dest="claim_assistance_last", metavar="DAY"),
    option("claim_assistance_amount", "--assistance-amount", dest="claim_assistance_amount", metavar="EUROS"),
    option("claim_assistance_decided_on", "--assistance-decided", dest="claim_assistance_decided_on", metavar="DAY"),
)
_NEW = (_BASIS, *_SAID, option("claim_grounds", "--grounds", dest="claim_grounds", metavar="TEXT"))
_CHANGED = (*_SAID, option("claim_grounds_alone", "--grounds", dest="claim_grounds", metavar="TEXT"))
"""Payee and basis stay: with another one it would be another claim."""

COMMANDS: Final = (
    Command(
        ("claims", "list"),
        "kelmu_tui.cli.claims:list_claims",
        (
            option("claim_status", "--status", dest="claim_status", action="append", choices=STATES),
            option("claim_filter", "--filter", dest="filter", metavar="TEXT", default=""),
            option("all_claims", "--all", dest="all_claims", action="store_true"),
            option("limit", "--limit", type=number, metavar="N", default=100),
        ),
    ),
    Command(
        ("claims", "show"),
        "kelmu_tui.cli.claims:show",
        (_CLAIM, option("full", "--full", action="store_true")),
    ),
    Command(("claims", "check"), "kelmu_tui.cli.claim_giving:check", _NEW),
    Command(("claims", "register"), "kelmu_tui.cli.claim_giving:register", (*_NEW, WAIT, NO_WAIT)),
    Command(("claims", "change"), "kelmu_tui.cli.claim_giving:change", (_CLAIM, *_CHANGED, WAIT, NO_WAIT)),
    Command(
        ("claims", "prolong"),
        "kelmu_tui.cli.claim_giving:prolong",
        (
            _CLAIMS,
            option("claim_later_last", "--last", dest="claim_last", metavar="DAY", required=True),
            WAIT,
            NO_WAIT,
        ),
    ),
    Command(
        ("claims", "end"),
        "kelmu_tui.cli.claim_giving:end",
        (
            _CLAIMS,
            option("claim_final_last", "--last", dest="claim_last", metavar="DAY", required=True),
            option("claim_end_reason", "--reason", dest="claim_end_reason", choices=END_REASONS, required=True),
            WAIT,
            NO_WAIT,
        ),
    ),
    Command(("claims", "cancel"), "kelmu_tui.cli.claim_giving:cancel", (_CLAIMS, WAIT, NO_WAIT)),
    Command(("claims", "accounts"), "kelmu_tui.cli.claims:list_accounts"),
)
