"""Pulling: pages of changes and the stream of a snapshot."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, get_args

from pydantic import AwareDatetime, BeforeValidator, Field

from kelmu_tui.api.contract.common import Answer, Identifier, Sequence, Version
from kelmu_tui.api.contract.rows import Row
from kelmu_tui.api.contract.session import Lease

_TABLES: Final = frozenset(model.model_fields["table"].default for model in get_args(get_args(Row)[0]))


def _known(row: Any) -> Any:
    """Leave out a row of a kind that a newer backend has, so that an older client can read the rest of the page."""
    strange = isinstance(row, dict) and isinstance(row.get("table"), str) and row["table"] not in _TABLES
    return None if strange else row


class Change(Answer):
    """One entry of the feed: `up` carries the row as of now, `rm` only its id and last version in the scope.

    The row of an `up` is None when it is of a kind that the reader does not know.
    """

    scope: Identifier
    id: Identifier
    version: Version
    op: Literal["up", "rm"]
    row: Annotated[Row | None, BeforeValidator(_known)] = None


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
