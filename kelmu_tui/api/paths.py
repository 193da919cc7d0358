"""Where commands of the outbox go."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from kelmu_tui.api.reading import segment
from kelmu_tui.domain import documents, following
from kelmu_tui.domain.claims import life

_KINDS: Final[Mapping[str, Mapping[str, str]]] = {
    "follows": following.VERBS,
    "claims": life.VERBS,
    "sendings": documents.VERBS,
}
"""What commands are on, besides notices, with their verbs as an outbox names them and on the wire."""


def command_path(verb: str, id: str) -> str:  # noqa: A002
    """Return the path of a command; a verb that is not of another kind is one on notices."""
    for kind, verbs in _KINDS.items():
        if verb in verbs:
            return f"/v1/{kind}/{segment(id)}/{segment(verbs[verb])}"
    return f"/v1/notices/{segment(id)}/{segment(verb)}"
