"""`kelmu customer show` from a notice of the demo to the rows that the backend makes for its customer."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest

from kelmu_tui.cli.exits import Exit
from kelmu_tui.domain.sections import Section
from tests.cli.conftest import Kelmu, Ran

pytestmark = pytest.mark.xdist_group("demo-backend")

USER = "persona-county-worker"
OWN_CODE = "120384-952J"


@pytest.fixture
def worker(demo: Kelmu) -> Iterator[Kelmu]:
    """A worker with the inbox of a county and its look-ups."""
    assert demo("sign-in", "--persona", USER).code == Exit.OK
    assert demo("sync").code == Exit.OK
    yield demo
    demo("customer", "forget", "--all", "--user", USER)


@pytest.fixture
def look(worker: Kelmu, monkeypatch: pytest.MonkeyPatch) -> Kelmu:
    """Looks somebody up by code."""

    def ask(code: str, *more: str) -> Ran:
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{code}\n"))
        return worker("customer", "show", "--purpose", "social_work", "--case", "7/26", "--full", "--json", *more)

    return ask


def _notices(worker: Kelmu) -> Iterator[dict[str, Any]]:
    """Yield whole notices of the inbox, none that reading would change."""
    for row in worker("inbox", "list", "--view", "all", "--limit", "500", "--json").data["notices"]:
        if row["status"] != "new":
            yield worker("inbox", "show", row["id"], "--json", "--full").data


def test_the_customer_of_a_notice_with_a_family(worker: Kelmu, look: Kelmu) -> None:
    notice = next(one for one in _notices(worker) if one["content"].get("household"))
    ran = look(notice["customer"]["identity_code"])
    assert ran.code == Exit.OK, ran.err
    person = ran.data["person"]
    assert person["family_name"] == notice["customer"]["family_name"]
    told = {(one["relation"], str(one["born"])) for one in notice["content"]["household"]}
    assert {(one["relation"], one["born"][:4]) for one in person["household"]} == told
    sections = ran.data["sections"]
    assert set(sections) == {section.value for section in Section}
    assert [row["ground"] for row in sections["insurance"]["rows"]] == ["residence"]


def test_looking_oneself_up_needs_a_reason(look: Kelmu) -> None:
    refused = look(OWN_CODE)
    assert refused.document["error"]["code"] == "reason_needed"
    told = look(OWN_CODE, "--reason", "Harjoitus")
    assert told.code == Exit.OK, told.err
    assert told.data["person"]["given_names"] == "Outi"
    assert {one["relation"] for one in told.data["person"]["household"]} == {"spouse", "child"}
