"""The stream that answers a look-up: its lines as models, in their order and each once."""

from __future__ import annotations

from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from kelmu_tui.api.answers import is_syntax
from kelmu_tui.api.contract import CustomerQuery, PersonLine, QueryEnd, QueryLine, SectionLine, SectionState
from kelmu_tui.api.errors import BadAnswer
from kelmu_tui.domain.sections import Section

_LINE: Final[TypeAdapter[Any]] = TypeAdapter(QueryLine)


class QueryReader:
    """Reads the lines of an answer and refuses everything out of order, doubled, or not asked for."""

    def __init__(self, query: CustomerQuery, request_id: str) -> None:
        self._query = query
        self._request_id = request_id
        self._left = set(query.sections)
        self._started = False
        self._ended = False

    def feed(self, line: str) -> PersonLine | SectionLine | QueryEnd:
        """Take a line and return what it says."""
        found = self._parse(line)
        if self._ended or isinstance(found, PersonLine) == self._started:
            raise BadAnswer("order", self._request_id)
        if isinstance(found, PersonLine):
            self._begin(found)
        elif isinstance(found, SectionLine):
            self._take(found)
        else:
            self._end()
        return found

    def finish(self) -> None:
        """Check that the stream had its end."""
        if not self._ended:
            raise BadAnswer("cut", self._request_id)

    def _parse(self, line: str) -> PersonLine | SectionLine | QueryEnd:
        try:
            found: PersonLine | SectionLine | QueryEnd = _LINE.validate_json(line)
        except ValidationError as error:
            # The error quotes the input, which is a customer's data: it is dropped with everything it says.
            raise BadAnswer("json" if is_syntax(error) else "model", self._request_id) from None
        return found

    def _begin(self, line: PersonLine) -> None:
        person, query = line.person, self._query
        codes = {person.identity_code, *person.earlier_codes}
        if (query.customer is not None and person.customer != query.customer) or (
            query.identity_code is not None and query.identity_code not in codes
        ):
            raise BadAnswer("scope", self._request_id)  # somebody else than was asked for
        self._started = True

    def _take(self, line: SectionLine) -> None:
        if line.section not in self._left:
            raise BadAnswer("order", self._request_id)
        rows = {section: getattr(line, section.value) for section in Section}
        own = rows.pop(line.section)
        ids = {row.id for row in own}
        wrong = any(rows.values()) or len(ids) != len(own) or (line.state in _EMPTY and own)
        if wrong or (line.hidden is None) == (line.state is SectionState.HIDDEN):
            raise BadAnswer("model", self._request_id)
        self._left.remove(line.section)

    def _end(self) -> None:
        if self._left:
            raise BadAnswer("cut", self._request_id)
        self._ended = True


_EMPTY: Final = frozenset({SectionState.NONE, SectionState.HIDDEN, SectionState.DOWN})
"""States that go without rows."""
