"""Tables of the two encrypted files.

`ledger.db` (one per user) is the main database of the connection: commands, conflicts, views shown, secrets. It is
never deleted while it holds something undelivered. `replica.db` (one per user and organisation) is attached as
`replica`: the backend's state as far as the mandates reach, disposable at any moment.
"""

from __future__ import annotations

from typing import Final

from kelmu_tui.store.schema_claims import CLAIMS, REPLICA_STEP_5
from kelmu_tui.store.schema_documents import DOCUMENTS, REPLICA_STEP_6

LEDGER_VERSION: Final = 7
REPLICA_VERSION: Final = 7

LEDGER: Final = """
CREATE TABLE secret (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
-- device id, tokens, session answer, last organisation, trusted clock

CREATE TABLE command (
    number INTEGER PRIMARY KEY AUTOINCREMENT,   -- local order
    id TEXT NOT NULL UNIQUE,                    -- also the Idempotency-Key
    user TEXT NOT NULL,
    organisation TEXT NOT NULL,
    aggregate TEXT NOT NULL,                    -- id of the notice
    verb TEXT NOT NULL,                         -- domain.notices.COMMANDS
    payload TEXT NOT NULL,                      -- JSON of the command's own fields
    label TEXT NOT NULL,                        -- JSON: what it was about, for a list without the replica
    base_version INTEGER NOT NULL,              -- version the user saw
    after TEXT,                                 -- id of the predecessor on the same aggregate
    schema INTEGER NOT NULL,
    lease TEXT NOT NULL,                        -- newest lease known when it was given
    state TEXT NOT NULL,                        -- queued sending acknowledged settled refused blocked undeliverable
                                                -- reissued discarded
    if_match INTEGER,                           -- frozen with body at the first step to sending
    body BLOB,
    attempts INTEGER NOT NULL DEFAULT 0,
    due_at TEXT,                                -- earliest next attempt (UTC)
    created_at TEXT NOT NULL,
    ended_at TEXT,
    ack_seq INTEGER, ack_version INTEGER, ack_epoch TEXT,
    problem TEXT                                -- JSON of the last problem, for people
);
CREATE INDEX command_open ON command (state, aggregate, number);
CREATE INDEX command_aggregate ON command (aggregate, number);

CREATE TABLE conflict (
    command TEXT PRIMARY KEY REFERENCES command (id),
    at TEXT NOT NULL,
    code TEXT NOT NULL,                         -- contract.ProblemCode
    rule TEXT,                                  -- domain.notices.Refusal
    current TEXT,                               -- JSON of the row as the backend has it now
    ended TEXT                                  -- NULL while the user has not acted: reloaded redone discarded
) WITHOUT ROWID;
CREATE INDEX conflict_open ON conflict (command) WHERE ended IS NULL;

CREATE TABLE view_event (
    number INTEGER PRIMARY KEY,                 -- per device, without gaps
    previous BLOB NOT NULL,
    hash BLOB NOT NULL,
    at TEXT NOT NULL,
    user TEXT NOT NULL,
    organisation TEXT NOT NULL,
    view TEXT NOT NULL,                         -- list, preview, notice, trace
    subject TEXT,                               -- id of the notice; NULL for a list
    rows INTEGER NOT NULL,
    data_at TEXT                                -- age of what was shown
);
"""

LEDGER_2: Final = """
-- An event becomes the very text that is hashed and shipped, so that the backend can check it byte for byte. The texts
-- of the first step are the lists that it hashed: their chain goes on unbroken.
ALTER TABLE view_event RENAME TO view_event_1;
CREATE TABLE view_event (
    number INTEGER PRIMARY KEY,                 -- in the chain, without gaps
    previous BLOB NOT NULL,                     -- hash of the event before
    hash BLOB NOT NULL,                         -- SHA-256 of previous and body
    body TEXT NOT NULL,                         -- JSON, see store.views
    received_at TEXT                            -- when the backend's receipt came; NULL before
);
INSERT INTO view_event SELECT number, previous, hash,
    json_array(number, at, user, organisation, view, subject, rows, data_at), NULL FROM view_event_1;
DROP TABLE view_event_1;
CREATE INDEX view_event_unshipped ON view_event (number) WHERE received_at IS NULL;

CREATE TABLE trouble (
    number INTEGER PRIMARY KEY,                 -- the newest ones are kept (store.troubles)
    part TEXT NOT NULL,                         -- pull fill push ship session store
    code TEXT NOT NULL,                         -- api.errors and store.errors
    status INTEGER,                             -- of HTTP
    request_id TEXT NOT NULL,
    times INTEGER NOT NULL,                     -- the same in a row counts
    first_at TEXT NOT NULL,
    last_at TEXT NOT NULL
);
"""

LEDGER_3: Final = """
CREATE TABLE draft (
    id TEXT PRIMARY KEY,
    user TEXT NOT NULL,
    organisation TEXT NOT NULL,
    verb TEXT NOT NULL,                         -- note, transfer
    notices TEXT NOT NULL,                      -- JSON: sorted ids of the notices it was begun for
    payload TEXT NOT NULL,                      -- JSON of what was typed, see store.drafts
    label TEXT NOT NULL,                        -- JSON: the kind of the notices, no names
    saved_at TEXT NOT NULL,
    UNIQUE (user, organisation, verb, notices)
) WITHOUT ROWID;
"""

LEDGER_4: Final = """
CREATE TABLE list_view (
    user TEXT NOT NULL, organisation TEXT NOT NULL,
    list TEXT NOT NULL,                         -- domain.lists: id
    name TEXT NOT NULL,
    body TEXT NOT NULL,                         -- JSON: columns, sort, text, municipality, see store.list_views
    saved_at TEXT NOT NULL,
    PRIMARY KEY (user, organisation, list, name)
) WITHOUT ROWID;
"""

LEDGER_5: Final = """
CREATE TABLE judgement (
    organisation TEXT NOT NULL,
    kind TEXT NOT NULL, period TEXT NOT NULL,   -- domain.lists: id of the invoice and Period.key
    key TEXT NOT NULL,                          -- domain.review.verdicts.finding_key
    verdict TEXT NOT NULL,                      -- domain.review.verdicts.Verdict
    text TEXT NOT NULL,                         -- reason or remark, empty without one
    by TEXT NOT NULL,                           -- name of who said it
    at INTEGER NOT NULL,                        -- microseconds of UTC
    expires INTEGER NOT NULL,                   -- microseconds of UTC: from then on it is not shown
    PRIMARY KEY (organisation, kind, period, key)
) WITHOUT ROWID;
CREATE INDEX judgement_expiry ON judgement (expires);

CREATE TABLE own_answer (
    organisation TEXT NOT NULL,
    ref TEXT NOT NULL,                          -- of Kela's information request
    cost INTEGER NOT NULL, fee INTEGER NOT NULL, -- cents
    at INTEGER NOT NULL,                        -- microseconds of UTC: when a file gave it last
    PRIMARY KEY (organisation, ref)
) WITHOUT ROWID;
CREATE INDEX own_answer_age ON own_answer (at);

CREATE TABLE own_mapping (
    organisation TEXT NOT NULL,
    wanted TEXT NOT NULL,                       -- domain.own_files.Wanted
    headings TEXT NOT NULL,                     -- SHA-256: of a file without headings they would be somebody's data
    places TEXT NOT NULL,                       -- JSON list: columns of the wanted fields, from 0
    at INTEGER NOT NULL,                        -- microseconds of UTC
    PRIMARY KEY (organisation, wanted, headings)
) WITHOUT ROWID;
"""

CUSTOMERS: Final = """
CREATE TABLE replica.customer (
    id TEXT PRIMARY KEY,
    expires INTEGER NOT NULL,                   -- microseconds of UTC: from then on nothing of the file is shown
    fetched INTEGER NOT NULL,                   -- microseconds of UTC
    code TEXT NOT NULL,                         -- the present identity code
    name TEXT NOT NULL,                         -- "Family, Given"
    words TEXT NOT NULL,                        -- folded words of the name, for searching
    purpose TEXT NOT NULL,
    case_reference TEXT,
    hidden_fields TEXT NOT NULL,                -- JSON list
    body TEXT NOT NULL                          -- JSON of contract.Person
) WITHOUT ROWID;
CREATE INDEX replica.customer_expiry ON customer (expires);

CREATE TABLE replica.customer_section (
    customer TEXT NOT NULL, section TEXT NOT NULL,
    expires INTEGER NOT NULL,                   -- of the answer that brought the rows: an older one than the file's
    fetched INTEGER,                            -- NULL before the first answer
    state TEXT NOT NULL,                        -- as contract.SectionState, or waiting before the first answer
    waits_until INTEGER,                        -- an answer is on its way; after that time nobody waits for it any more
    source_at TEXT,
    hidden TEXT, mandates TEXT NOT NULL, narrowed INTEGER NOT NULL, hidden_fields TEXT NOT NULL,
    news TEXT NOT NULL,                         -- JSON list of row ids
    rows TEXT NOT NULL,                         -- JSON list of the contract's rows
    PRIMARY KEY (customer, section)
) WITHOUT ROWID;
CREATE INDEX replica.customer_section_expiry ON customer_section (expires);

CREATE TABLE replica.customer_look (
    customer TEXT NOT NULL, section TEXT NOT NULL,
    until INTEGER NOT NULL,
    marks TEXT NOT NULL,                        -- JSON: row id to digest of the content that the user saw last
    PRIMARY KEY (customer, section)
) WITHOUT ROWID;
CREATE INDEX replica.customer_look_expiry ON customer_look (until);
-- Outlives the file, since what changed is asked for days later; it holds digests, no content.

CREATE TABLE replica.follow (
    generation INTEGER NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL,
    expires INTEGER,                            -- microseconds of UTC: from then on it is not shown
    body TEXT NOT NULL,                         -- JSON of contract.FollowRow
    PRIMARY KEY (generation, id)
) WITHOUT ROWID;
CREATE INDEX replica.follow_expiry ON follow (expires) WHERE expires IS NOT NULL;

CREATE TABLE replica.follow_seen (
    id TEXT PRIMARY KEY,
    at INTEGER NOT NULL                         -- microseconds of UTC: what was told until then is no news
) WITHOUT ROWID;
"""

LISTS: Final = """
CREATE TABLE replica.list_publication (
    list TEXT NOT NULL, period TEXT NOT NULL,   -- domain.lists: id and Period.key
    version INTEGER NOT NULL,
    published INTEGER NOT NULL,                 -- microseconds of UTC
    rows INTEGER NOT NULL,
    withdrawn INTEGER NOT NULL,
    expires INTEGER,                            -- microseconds of UTC: until then it can be fetched
    PRIMARY KEY (list, period)
) WITHOUT ROWID;

CREATE TABLE replica.list_copy (
    number INTEGER PRIMARY KEY AUTOINCREMENT,   -- upper half of its rows' numbers, so never used twice
    list TEXT NOT NULL, period TEXT NOT NULL, version INTEGER NOT NULL,
    published INTEGER NOT NULL,                 -- microseconds of UTC
    state TEXT NOT NULL,                        -- staged whole gone
    columns TEXT NOT NULL,                      -- JSON list of the column ids in v0, v1, ...
    expected INTEGER NOT NULL,                  -- rows announced
    rows INTEGER NOT NULL DEFAULT 0,            -- rows here
    after TEXT,                                 -- id of the last one
    sums TEXT NOT NULL DEFAULT '{}',            -- JSON: cents by column
    persons INTEGER,                            -- how many there are among the rows; NULL while staged
    fetched INTEGER,                            -- microseconds of UTC; NULL while staged
    expires INTEGER NOT NULL                    -- microseconds of UTC
);
CREATE UNIQUE INDEX replica.list_copy_held ON list_copy (list, period, state) WHERE state <> 'gone';
CREATE INDEX replica.list_copy_expiry ON list_copy (expires) WHERE state <> 'gone';

CREATE TABLE replica.list_row (
    row INTEGER PRIMARY KEY,                    -- number of the copy, shifted by 32 bits, and place of arrival
    copy INTEGER NOT NULL,
    id TEXT NOT NULL,
    person TEXT NOT NULL,                       -- identity code; the row's own id in a list without them
    words TEXT NOT NULL,                        -- folded, each behind a space; no address
    non_disclosure INTEGER NOT NULL,
    v0, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12, v13, v14, v15
    -- values in the order of the copy's columns, as store.list_values writes them
);
CREATE UNIQUE INDEX replica.list_row_identity ON list_row (copy, id);

CREATE TABLE replica.list_order (
    copy INTEGER NOT NULL, place INTEGER NOT NULL, row INTEGER NOT NULL,
    PRIMARY KEY (copy, place)
) WITHOUT ROWID;
-- the order in which a whole copy is opened: any page of it is one step into this, however many rows there are

CREATE TABLE replica.list_count (
    list TEXT NOT NULL, period TEXT NOT NULL, version INTEGER NOT NULL,
    rows INTEGER NOT NULL, persons INTEGER NOT NULL,
    came INTEGER, went INTEGER, changed INTEGER, -- persons, against the period before; NULL until compared
    PRIMARY KEY (list, period)
) WITHOUT ROWID;
-- numbers alone, so that they may outlive the rows
"""

INVOICES: Final = """
CREATE TABLE replica.invoice_head (
    number TEXT PRIMARY KEY,
    kind TEXT NOT NULL, period TEXT NOT NULL,   -- domain.lists: id of the invoice and Period.key
    sent TEXT NOT NULL, due TEXT NOT NULL,      -- days
    cents INTEGER NOT NULL,                     -- its total
    rows INTEGER NOT NULL,
    list TEXT NOT NULL,                         -- whose rows it bills
    payer TEXT NOT NULL,
    corrects TEXT,                              -- number of the invoice to which it adds
    expires INTEGER NOT NULL                    -- microseconds of UTC
) WITHOUT ROWID;
CREATE INDEX replica.invoice_head_expiry ON invoice_head (expires);
"""

REPLICA: Final = (
    """
CREATE TABLE replica.state (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
-- epoch, cursor, seq (of the cursor), checkpoint, lease, synced_at, session_revision, lists_told, invoices_told

CREATE TABLE replica.scope (
    name TEXT PRIMARY KEY,                      -- notices:<business id>, traces:<business id>, announcements,
                                                -- follows:<business id>:<user>, claims:<business id>,
                                                -- sendings:<business id>:<user>
    generation INTEGER NOT NULL,                -- generation shown; unique over all scopes; 0 when none yet
    filling INTEGER,                            -- generation being filled
    after_id TEXT,                              -- last id filled
    need INTEGER,                               -- head of the last page: the fill ends at a checkpoint >= need
    expected INTEGER                            -- rows announced, for progress
) WITHOUT ROWID;

CREATE TABLE replica.revision (number INTEGER NOT NULL);
-- one row, raised by every change of the rows below: what was computed from them is known to be old by it

CREATE TABLE replica.notice (
    rowid INTEGER PRIMARY KEY,
    generation INTEGER NOT NULL,
    id TEXT NOT NULL,
    tie INTEGER NOT NULL,                       -- words.tie(id): settles equal places in an index with 8 bytes
    version INTEGER NOT NULL,
    kind TEXT NOT NULL,
    kind_rank INTEGER NOT NULL,                 -- place in the catalogue
    subtype TEXT,
    urgent INTEGER NOT NULL,
    status TEXT NOT NULL,
    open INTEGER NOT NULL,                      -- 1 while it waits for work (notices.OPEN_STATUSES)
    organisation TEXT NOT NULL,
    municipality TEXT NOT NULL,
    municipality_rank INTEGER NOT NULL,         -- place in the Finnish alphabet of municipalities
    arrived INTEGER NOT NULL,                   -- microseconds of UTC: text with and without fractions sorts wrongly
    due TEXT NOT NULL,
    customer TEXT NOT NULL,                     -- "Family, Given", what lists show
    customer_key TEXT NOT NULL,                 -- the same folded for sorting
    non_disclosure INTEGER NOT NULL,
    assignee TEXT,
    assignee_name TEXT,
    transferred_from TEXT,
    body TEXT NOT NULL,                         -- JSON of the whole contract.NoticeRow
    expires INTEGER                             -- microseconds of UTC: from then on it is not shown (store.expiry)
);
CREATE UNIQUE INDEX replica.notice_identity ON notice (generation, id);
CREATE INDEX replica.notice_by_due ON notice (generation, open, due, arrived, tie);
CREATE INDEX replica.notice_by_arrived ON notice (generation, open, arrived, due, tie, urgent);
CREATE INDEX replica.notice_by_kind ON notice (generation, open, kind_rank, due, tie, urgent);
CREATE INDEX replica.notice_by_municipality ON notice (generation, open, municipality_rank, due, tie, urgent);
CREATE INDEX replica.notice_by_customer ON notice (generation, open, customer_key, due, tie, urgent);
CREATE INDEX replica.notice_by_code ON notice (json_extract(body, '$.customer.identity_code'));
CREATE INDEX replica.notice_mine ON notice (generation, assignee, due, arrived, tie)
    WHERE open = 1 AND assignee IS NOT NULL;
CREATE INDEX replica.notice_urgent ON notice (generation, due, arrived, tie) WHERE open = 1 AND urgent = 1;
CREATE INDEX replica.notice_expiry ON notice (expires) WHERE expires IS NOT NULL;

CREATE VIRTUAL TABLE replica.notice_text USING fts5 (
    words, content = '', tokenize = 'ascii', prefix = '1 2 3', detail = none
);
-- rowid of the notice; the words come folded from store.words, so that what is deleted is what was written.
-- Kinds and municipalities are not in it: words.named turns their names into ranks when a filter is asked.

CREATE TABLE replica.trace (
    generation INTEGER NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, at INTEGER NOT NULL,
    due TEXT NOT NULL,
    body TEXT NOT NULL,                         -- JSON of contract.TraceRow
    PRIMARY KEY (generation, id)
) WITHOUT ROWID;

CREATE TABLE replica.announcement (
    generation INTEGER NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, starts TEXT NOT NULL, ends TEXT,
    body TEXT NOT NULL,
    PRIMARY KEY (generation, id)
) WITHOUT ROWID;

CREATE TABLE replica.staged (
    number INTEGER PRIMARY KEY, scope TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, op TEXT NOT NULL,
    body TEXT
);

CREATE TABLE replica.tombstone (
    generation INTEGER NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL,
    PRIMARY KEY (generation, id)
) WITHOUT ROWID;
"""
    + CUSTOMERS
    + LISTS
    + INVOICES
    + CLAIMS
    + DOCUMENTS
)

REPLICA_STEPS: Final = {
    1: """
ALTER TABLE replica.notice ADD COLUMN expires INTEGER;
CREATE INDEX replica.notice_expiry ON notice (expires) WHERE expires IS NOT NULL;
-- The rows that are there do not tell when they end: they are filled anew beside themselves and shown till then.
DELETE FROM replica.state WHERE key = 'cursor';
""",
    2: CUSTOMERS
    + """
CREATE INDEX replica.notice_by_code ON notice (json_extract(body, '$.customer.identity_code'));
-- A backend may have granted scopes before that were not known then: only a new beginning tells of them again.
DELETE FROM replica.state WHERE key = 'cursor';
""",
    3: LISTS,
    4: INVOICES,
    5: REPLICA_STEP_5,
    6: REPLICA_STEP_6,
}
"""What makes a replica of an older version one of the next, without a connection."""
