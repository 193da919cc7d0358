"""Tables of documents to Kela: sealed copies of what is queued, in the ledger, and receipts, in the replica.

A sending itself is a command of the outbox (`document-send`): what it says, whose it is and what became of it stand
there. Here stands what the command has to wait for.
"""

from __future__ import annotations

from typing import Final

LEDGER_7: Final = """
CREATE TABLE sealed_copy (
    document TEXT PRIMARY KEY,                  -- id of the document, chosen here; also the name of its file
    sending TEXT NOT NULL,                      -- aggregate of the command that says whose documents they are
    place INTEGER NOT NULL,                     -- among the documents of the sending
    organisation TEXT NOT NULL,
    size INTEGER NOT NULL,                      -- bytes of what is sealed
    key BLOB,                                   -- opens the file; NULL once the copy is destroyed
    state TEXT NOT NULL,                        -- sealed begun whole lost received withdrawn broken ended
    sent INTEGER NOT NULL DEFAULT 0,            -- bytes that the backend has, as far as it was heard
    attempts INTEGER NOT NULL DEFAULT 0,
    due_at TEXT,                                -- earliest next attempt (UTC)
    problem TEXT,                               -- JSON of the last problem: codes
    pages INTEGER,
    removed TEXT NOT NULL                       -- JSON list: what was taken out of the file before it was sealed
) WITHOUT ROWID;
CREATE INDEX sealed_copy_sending ON sealed_copy (sending, place);
"""

DOCUMENTS: Final = """
CREATE TABLE replica.sending (
    generation INTEGER NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL,
    expires INTEGER,                            -- microseconds of UTC: from then on it is not shown
    body TEXT NOT NULL,                         -- JSON of contract.SendingRow
    PRIMARY KEY (generation, id)
) WITHOUT ROWID;
CREATE INDEX replica.sending_expiry ON sending (expires) WHERE expires IS NOT NULL;
"""

REPLICA_STEP_6: Final = (
    DOCUMENTS
    + """
-- A backend may have granted sendings before they were known here: only a new beginning tells of them again.
DELETE FROM replica.state WHERE key = 'cursor';
"""
)
