"""What goes wrong, as RFC 9457 has it, with codes that stay the same."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from kelmu_tui.api.contract.claims import ClaimRecord
from kelmu_tui.api.contract.common import Answer, Identifier, Line
from kelmu_tui.api.contract.documents import SendingRow
from kelmu_tui.api.contract.rows import FollowRow, NoticeRow, TraceRow
from kelmu_tui.api.contract.views import ChainHead


class ProblemCode(StrEnum):
    """Stable codes of the problems the backend answers with; the client has a text for each."""

    UNAUTHENTICATED = "unauthenticated"
    MANDATE_MISSING = "mandate_missing"
    ORGANISATION_NOT_ALLOWED = "organisation_not_allowed"
    NOT_FOUND = "not_found"
    VERSION_CONFLICT = "version_conflict"
    RULE_REFUSED = "rule_refused"
    INVALID_REQUEST = "invalid_request"
    IDEMPOTENCY_KEY_MISSING = "idempotency_key_missing"
    IDEMPOTENCY_KEY_REUSED = "idempotency_key_reused"
    IDEMPOTENCY_IN_PROGRESS = "idempotency_in_progress"
    VERSION_REQUIRED = "version_required"
    COMMAND_EXPIRED = "command_expired"
    SCHEMA_UNKNOWN = "schema_unknown"
    VIEW_CHAIN_TAKEN = "view_chain_taken"
    VIEW_CHAIN_GAP = "view_chain_gap"
    VIEW_CHAIN_FORKED = "view_chain_forked"
    VIEW_CHAIN_FORGED = "view_chain_forged"
    VIEW_SIGNATURE_WRONG = "view_signature_wrong"
    CUSTOMER_CODE_INVALID = "customer_code_invalid"
    PURPOSE_NOT_ALLOWED = "purpose_not_allowed"
    REASON_NEEDED = "reason_needed"
    LOOKUPS_SPENT = "lookups_spent"
    LOOKUPS_PAUSED = "lookups_paused"
    LIST_WITHDRAWN = "list_withdrawn"
    LIST_REPUBLISHED = "list_republished"
    UPLOAD_TOO_LARGE = "upload_too_large"
    UPLOADS_FULL = "uploads_full"
    UPLOAD_TAKEN = "upload_taken"
    UPLOAD_OFFSET = "upload_offset"
    UPLOAD_CHECKSUM = "upload_checksum"
    UPLOAD_BUSY = "upload_busy"
    UPLOAD_GONE = "upload_gone"
    TOO_MANY_REQUESTS = "too_many_requests"
    SERVICE_BREAK = "service_break"
    INTERNAL = "internal"


class Problem(Answer):
    """Problem details; `rule` names the `domain.notices.Refusal`, `domain.following.FollowRefusal`,
    `domain.claims.life.ClaimRefusal` or rule of claims, or `domain.documents.SendRefusal`; `current` is the present row
    of a conflict.

    For `customer_code_invalid`, `rule` is the `domain.identifiers.CodeFault`; for `reason_needed` it is why one is
    asked for: `self`, `family_name`, `unrelated` or `purpose`.

    For the rule `sending_document`, `detail` is the `domain.documents.Fault`, and `errors` names the document.

    `head` goes with a refused batch of views: the last event before what was refused that backend and client share.
    """

    type: str = "about:blank"
    title: str
    status: int
    code: ProblemCode
    detail: Line | None = None
    request_id: Identifier | None = None
    rule: str | None = None
    errors: list[str] = Field(default_factory=list)
    current: NoticeRow | TraceRow | FollowRow | ClaimRecord | SendingRow | None = None
    head: ChainHead | None = None
