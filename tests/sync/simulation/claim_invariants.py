"""What must hold of payment claims, looked at from outside.

C1 an accepted registration has exactly one claim    C2 a claim is what the domain makes of what was accepted
C3 a payment day is paid once    C4 a terminal shows the replica and its own pending commands, by the domain's rules
C5 a refused command keeps what the user wrote    C6 a draft is gone once it was given
C7 nothing of a payee outlives the scope of claims

C1 to C3 are kept by the book of the record (`claims.Book`).
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, Final, NamedTuple

from kelmu_tui.domain.claims.content import Content
from kelmu_tui.domain.claims.life import ClaimRefused, ClaimState, Status, decide, settled
from kelmu_tui.domain.deadlines import local_date
from kelmu_tui.store import claim_content, claims, feed
from kelmu_tui.store.claim_rows import DRAFT
from tests.sync.simulation.claimant import Claimant, Looked, said
from tests.sync.simulation.terminal import Terminal

PENDING: Final = ("queued", "sending", "acknowledged", "blocked")
_OWNED: Final = (
    "SELECT (SELECT count(*) FROM main.claim_draft WHERE organisation = ?1),"
    " (SELECT count(*) FROM main.command WHERE organisation = ?1 AND verb GLOB 'claim-*'"
    "  AND (json_type(label, '$.customer') IS NOT NULL"
    "   OR state IN ('discarded', 'reissued') AND json_type(payload, '$.payee') IS NOT NULL)),"
    " (SELECT count(*) FROM main.command AS c JOIN main.conflict AS k ON k.command = c.id"
    "  WHERE c.organisation = ?1 AND c.verb GLOB 'claim-*' AND k.current IS NOT NULL)"
)


class Expected(NamedTuple):
    """What has to be shown of a claim; `pending` is the last own command that did something to it."""

    status: str
    content: Content
    pending: str | None
    conflict: bool


def expected(db: Any, now: datetime) -> dict[str, Expected]:
    """Return what has to be shown: replica and pending commands by `decide`, put together in another way."""
    epoch = _epoch(db)
    today = local_date(now)
    states: dict[str, ClaimState | None] = {}
    versions: dict[str, int] = {}
    for (body,) in db.execute(
        "SELECT b.body FROM replica.claim_body AS b JOIN replica.scope AS s ON s.generation = b.generation"
    ):
        row = json.loads(body)
        until = row.get("expires_at")
        if until is None or datetime.fromisoformat(until) > now:
            state = ClaimState(
                Status(row["status"]),
                claim_content.of_row(row),
                row["version"],
                row.get("end_reason"),
                claim_content.day(row.get("ended_on")),
            )
            states[row["id"]], versions[row["id"]] = settled(state, today), row["version"]
    held = set(states)
    open_, refused = _conflicts(db)
    last: dict[str, str] = {}
    for id_, verb, payload, at, version, known in db.execute(
        "SELECT aggregate, verb, payload, created_at, ack_version, ack_epoch FROM main.command"
        f" WHERE verb GLOB 'claim-*' AND state IN {PENDING} ORDER BY number"
    ).fetchall():
        if id_ in held and known is not None and known == epoch and versions[id_] >= version:
            continue
        if id_ in refused and id_ not in held:
            continue
        command = claim_content.command_of(verb, json.loads(payload))
        try:
            states[id_] = decide(states.get(id_), command, local_date(datetime.fromisoformat(at)))
        except ClaimRefused:
            continue
        last[id_] = verb
    found = {
        id_: Expected(state.status.value, state.content, last.get(id_), id_ in open_)
        for id_, state in states.items()
        if state is not None
    }
    for id_, payload in refused.items():
        if id_ not in held:
            found[id_] = Expected(DRAFT, claim_content.of_payload(json.loads(payload)), None, True)
    return found


def _epoch(db: Any) -> str | None:
    scope = next((one for one in feed.state(db).scopes if one.name.startswith("claims:")), None)
    if scope is None:
        return None
    row = db.execute("SELECT value FROM replica.state WHERE key = ?", (f"epoch:{scope.generation}",)).fetchone()
    return feed.state(db).epoch if row is None else str(row[0])


def _conflicts(db: Any) -> tuple[set[str], dict[str, str]]:
    rows = db.execute(
        "SELECT c.aggregate, c.verb, c.payload, c.state FROM main.conflict AS k JOIN main.command AS c"
        " ON c.id = k.command WHERE k.ended IS NULL"
    ).fetchall()
    refused = {row[0]: row[2] for row in rows if row[1] == "claim-register" and row[3] == "refused"}
    return {row[0] for row in rows}, refused


def shown(db: Any, looked: Looked, now: datetime) -> str:
    """Return what is wrong with what a terminal shows (C4), empty when nothing is."""
    wanted = expected(db, now)
    typed = {row[0] for row in db.execute("SELECT id FROM main.claim_draft")}
    lines = {one.id: one for one in looked.lines if one.id not in typed}
    if lines.keys() != wanted.keys():
        return f"claims {sorted(lines.keys() ^ wanted.keys())} are shown, or missing"
    for id_, want in wanted.items():
        line, content = lines[id_], want.content
        have = line.status, line.first, line.last, line.amount, line.benefit, line.pending, line.conflict
        if have != (
            want.status, content.first, content.last, content.amount, content.benefit, want.pending, want.conflict,
        ):  # fmt: skip
            return f"{id_} is shown as {have}, and is {want}"
    file = looked.file
    if file is not None and file.content != wanted[file.line.id].content:
        return f"{file.line.id} is shown whole with another content"
    return ""


def wrong(db: Any, terminal: Terminal, claimant: Claimant) -> str:
    """Return what is wrong with commands, drafts, and what the list makes of them; empty when nothing is."""
    return _ledger(db, claimant) or _between_epochs(db, terminal, claimant)


def _ledger(db: Any, claimant: Claimant) -> str:
    """Return what is wrong with commands and drafts of the ledger (C5, C6), empty when nothing is."""
    given = db.execute(
        "SELECT d.id FROM main.claim_draft AS d JOIN main.command AS c ON json_extract(c.payload, '$.draft') = d.id"
        " WHERE c.verb GLOB 'claim-*' AND c.state NOT IN ('discarded', 'reissued')"
    ).fetchone()
    if given is not None:
        return f"C6: draft {given[0]} is there, and was given"
    for key, payload in db.execute(
        "SELECT c.id, c.payload FROM main.command AS c JOIN main.conflict AS k ON k.command = c.id"
        " WHERE c.verb GLOB 'claim-*' AND k.ended IS NULL"
    ):
        if key in claimant.given and said(payload) != said(claimant.given[key]):
            return "C5: what was refused has lost what the user wrote"
    return ""


def _between_epochs(db: Any, terminal: Terminal, claimant: Claimant) -> str:
    """Return what is wrong with the list while a command was applied in another epoch than that of the rows (C4)."""
    organisation = terminal.store.organisation
    if organisation is None:
        return ""
    stray = db.execute(
        "SELECT 1 FROM main.command WHERE verb GLOB 'claim-*' AND state = 'acknowledged' AND ack_epoch IS NOT ?",
        (_epoch(db),),
    ).fetchone()
    if stray is None:
        return ""
    now = terminal.store.clock.now()
    lines = claims.lines(db, claims.Frame(organisation, claimant.user, now))
    return shown(db, Looked(tuple(lines), None), now)


def left(db: Any, organisation: str) -> str:
    """Return what is left of payees although claims are not granted (C7), empty when nothing is."""
    drafts, names, rows = db.execute(_OWNED, (organisation,)).fetchone()
    replica = db.execute(
        "SELECT (SELECT count(*) FROM replica.claim), (SELECT count(*) FROM replica.claim_body),"
        " (SELECT count(*) FROM replica.account)"
    ).fetchone()
    if not (drafts or names or rows or any(replica)):
        return ""
    return f"{drafts} drafts, {names} names, {rows} rows of conflicts, {replica} rows of the replica"
