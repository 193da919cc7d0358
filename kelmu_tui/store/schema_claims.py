"""Tables of payment claims, in both files: see `schema`."""

from __future__ import annotations

from typing import Final

LEDGER_6: Final = """
CREATE TABLE claim_draft (
    id TEXT PRIMARY KEY,
    user TEXT NOT NULL,
    organisation TEXT NOT NULL,
    claim TEXT,                                 -- the claim that it changes; NULL for a new one
    payee TEXT NOT NULL,                        -- identity code, empty while there is none
    name TEXT NOT NULL,                         -- "Family, Given", empty while it is not known
    body TEXT NOT NULL,                         -- JSON: raw texts of the form's fields, see store.claim_drafts
    base TEXT,                                  -- JSON: texts of the claim that it changes, as they were then
    saved_at TEXT NOT NULL
) WITHOUT ROWID;
"""

CLAIMS: Final = """
CREATE TABLE replica.claim (
    generation INTEGER NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL,
    status TEXT NOT NULL,                       -- domain.claims.life.Status
    code TEXT NOT NULL,                         -- the payee's identity code
    masked TEXT NOT NULL,                       -- the same as lists show it
    name TEXT NOT NULL,                         -- "Family, Given"
    non_disclosure INTEGER NOT NULL,
    basis TEXT NOT NULL, benefit TEXT NOT NULL,
    first TEXT NOT NULL, last TEXT,             -- days
    cents INTEGER NOT NULL,
    payment_day TEXT,                           -- first one that it reaches
    latest TEXT,                                -- day by which it had to arrive for the one it is meant for
    late INTEGER NOT NULL,
    paid INTEGER NOT NULL,                      -- cents
    registered INTEGER NOT NULL,                -- microseconds of UTC
    registered_by TEXT NOT NULL,
    hearing_until TEXT,
    editors TEXT,                               -- JSON of contract.ClaimEditor, NULL without any
    ended TEXT,                                 -- last day that was told with its end
    expires INTEGER,                            -- microseconds of UTC: from then on it is not shown
    PRIMARY KEY (generation, id)
) WITHOUT ROWID;
CREATE INDEX replica.claim_by_code ON claim (code);
CREATE INDEX replica.claim_expiry ON claim (expires) WHERE expires IS NOT NULL;

CREATE TABLE replica.claim_body (
    generation INTEGER NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL,
    body TEXT NOT NULL,                         -- JSON of contract.ClaimRecord
    PRIMARY KEY (generation, id)
) WITHOUT ROWID;
-- apart from the columns, so that a list of ten thousand claims need not decrypt what it does not show

CREATE TABLE replica.account (
    generation INTEGER NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL,
    iban TEXT NOT NULL, name TEXT NOT NULL,
    PRIMARY KEY (generation, id)
) WITHOUT ROWID;
"""

REPLICA_STEP_5: Final = (
    CLAIMS
    + """
-- A backend may have granted claims before they were known here: only a new beginning tells of them again.
DELETE FROM replica.state WHERE key = 'cursor';
"""
)
