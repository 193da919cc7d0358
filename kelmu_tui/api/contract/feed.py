"""Pulling: pages of changes and the stream of a snapshot."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, Field

from kelmu_tui.api.contract.common import Answer, Identifier, Sequence, Version
from kelmu_tui.api.contract.rows import Row
from kelmu_tui.api.contract.session import Lease


class Change(Answer):
    """One entry of the feed: `up` carries the row as of now, `rm` only its id and last version in the scope."""

    scope: Identifier
    id: Identifier
    version: Version
    op: Literal["up", "rm"]
    row: Row | None = None


class Changes(Answer):
    """Answer of `GET /v1/changes`, read in one database snapshot.

    Args:
        kind: `reset` when the cursor is missing, of another epoch, too old or ahead: the client starts new fills.
        cursor: opaque, signed; holds epoch, sequence, organisation and the scopes known after this answer.
        seq: all entries up to here are in this answer or were in earlier ones; a page never splits a sequence.
        more: another page follows; nothing becomes visible before the last one.
        head: newest sequence of the feed.
        granted: all scopes the session may see now.
        added: granted scopes that the cursor did not know; they have to be filled from the snapshot.
        revoked: scopes of the cursor that are no longer granted; they have to be purged.
    """

    kind: Literal["delta", "reset"]
    epoch: Identifier
    cursor: str
    seq: Sequence
    more: bool = False
    head: Sequence
    changes: list[Change] = Field(default_factory=list)
    granted: list[Identifier]
    added: list[Identifier] = Field(default_factory=list)
    revoked: list[Identifier] = Field(default_factory=list)
    session_revision: int
    lease: Lease
    server_time: AwareDatetime


class SnapshotStart(Answer):
    """First line of `GET /v1/snapshot?scope=…&after=…` (NDJSON): whose rows follow."""

    line: Literal["start"] = "start"
    epoch: Identifier
    scope: Identifier
    count: int
    head: Sequence


class SnapshotRow(Answer):
    """A row of the scope; rows come ordered by `id`, so the last id seen resumes an interrupted stream."""

    line: Literal["row"] = "row"
    row: Row


class SnapshotEnd(Answer):
    """Last line: the scope is complete once the client's checkpoint has reached `head`."""

    line: Literal["end"] = "end"
    head: Sequence
