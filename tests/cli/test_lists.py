"""`kelmu lists …` against a demo that makes lists: what there is, fetched, shown, compared."""

from __future__ import annotations

from typing import Any

import pytest

from kelmu_tui.cli.exits import Exit
from kelmu_tui.domain.lists import lists
from kelmu_tui.platform.paths import profile
from kelmu_tui.services.context import open_context
from kelmu_tui.store.list_pages import ListQuery, SortKey
from kelmu_tui.store.list_views import SavedView
from tests.cli.conftest import Kelmu

pytestmark = pytest.mark.xdist_group("demo-backend")

USER = "persona-county-worker"
LIST = "list_lms_300_days"
CLOSED = "list_lms_invoice_persons"


@pytest.fixture
def worker(demo: Kelmu) -> Kelmu:
    """A worker of a county with look-ups."""
    assert demo("sign-in", "--persona", USER).code == Exit.OK
    return demo


def offers(worker: Kelmu, *more: str) -> dict[str, Any]:
    return {one["list"]: one for one in worker("lists", "list", "--json", *more).data["lists"]}


def test_every_list_is_told_open_or_closed_and_why(worker: Kelmu) -> None:
    found = offers(worker)
    assert list(found) == list(lists())
    assert found[LIST]["open"]
    assert len(found[LIST]["periods"]) >= 2
    assert found[CLOSED] | {"name": ""} == {
        "list": CLOSED,
        "name": "",
        "open": False,
        "reason": "organisation_type",
        "mandates": [],
        "periods": [],
    }
    assert offers(worker, "--offline") == found
    known = worker("lists", "list", "--offline", "--json").data["known_at"]
    assert known == worker("lists", "list", "--offline", "--json").data["known_at"]
    assert worker("lists", "list", "--json").data["known_at"] > known
    ran = worker("lists", "list", "--all", "--lang", "en")
    assert ran.code == Exit.OK
    assert "known as of" in ran.err
    lines = [line.split("\t") for line in ran.out.splitlines()]
    assert len([line for line in lines if line[0] == LIST]) == len(found[LIST]["periods"])
    assert next(line[-1] for line in lines if line[0] == CLOSED).startswith("This is not opened for organisations")


def test_a_list_is_fetched_once_shown_and_compared(worker: Kelmu) -> None:
    newest, before = [one["period"] for one in offers(worker)[LIST]["periods"][:2]]
    refused = worker("lists", "show", LIST, "2020-01", "--json")
    assert (refused.code, refused.document["error"]["code"]) == (Exit.NOT_FOUND, "list_not_here")

    ran = worker("lists", "fetch", LIST, "--json", "--lang", "en")
    assert ran.code == Exit.OK, ran.err
    count = ran.data["rows"]
    assert (ran.data["period"], ran.data["new"], count > 0) == (newest, True, True)
    assert f"{count}/{count} rows" in ran.err
    assert worker("lists", "fetch", LIST, "--json").data["new"] is False
    assert worker("lists", "fetch", LIST, newest, "--again", "--json").data["new"] is True
    assert offers(worker)[LIST]["periods"][0]["fetched"]["rows"] == count

    whole = worker("lists", "show", LIST, "--json", "--limit", "1000").data
    assert (whole["found"], len(whole["shown"])) == (count, count)
    names = [row["name"] for row in whole["shown"]]
    down = worker(
        "lists", "show", "lms_300_days", "--sort", "name:desc", "--column", "name", "--json", "--limit", "1000"
    )
    assert [row["name"] for row in down.data["shown"]] == names[::-1]
    assert set(down.data["shown"][0]) == {"id", "non_disclosure", "name"}
    few = worker("lists", "show", LIST, newest, "--limit", "1", "--lang", "en")
    assert few.out.split("\t")[0] == names[0]
    assert f"1 of {count} rows shown" in few.err
    word = names[0].split(",")[0]
    found = worker("lists", "show", LIST, "--filter", word, "--json", "--limit", "1000").data
    assert {row["name"] for row in found["shown"]} >= {names[0]}
    assert found["found"] < count

    assert worker("lists", "fetch", LIST, before).code == Exit.OK
    compared = worker("lists", "diff", LIST, before, newest, "--json", "--limit", "1000").data
    assert compared["came"]["persons"] + compared["changed"]["persons"] + compared["same"] == count
    kinds = [one["kind"] for one in compared["differences"]]
    assert {kind: kinds.count(kind) for kind in ("came", "went", "changed")} == {
        kind: compared[kind]["rows"] for kind in ("came", "went", "changed")
    }
    ran = worker("lists", "diff", LIST, before, newest, "--lang", "en")
    assert ran.code == Exit.OK
    assert f"the same: {compared['same']}" in ran.err


def test_saved_views_are_listed_and_shown(worker: Kelmu) -> None:
    assert worker("lists", "fetch", LIST).code == Exit.OK
    nothing = worker("lists", "views", LIST, "--lang", "en")
    assert (nothing.code, nothing.out) == (Exit.OK, "")
    assert "no saved views" in nothing.err
    whole = worker("lists", "show", LIST, "--json", "--limit", "1000").data["shown"]
    word = whole[0]["name"].split(",")[0].split()[0]
    with open_context(profile("demo"), user=USER, ask=lambda _: "", needs=frozenset({LIST})) as context:
        query = ListQuery((SortKey("days_accumulated", descending=True),), word, whole[0]["municipality"])
        context.lists.views.save(LIST, SavedView("Omat uudet", ("name", "days_accumulated"), query))
    found = worker("lists", "views", LIST, "--json").data
    assert found == {
        "list": LIST,
        "views": [
            {
                "name": "Omat uudet",
                "columns": ["name", "days_accumulated"],
                "sort": [{"column": "days_accumulated", "descending": True}],
                "filter": word,
                "municipality": whole[0]["municipality"],
            }
        ],
    }
    line = worker("lists", "views", LIST, "--lang", "en").out.strip().split("\t")
    assert line == ["Omat uudet", "name, days_accumulated", "days_accumulated:desc", f"{query.municipality} {word}"]
    shown = worker("lists", "show", LIST, "--view", "Omat uudet", "--json", "--limit", "1000").data["shown"]
    assert set(shown[0]) == {"id", "non_disclosure", "name", "days_accumulated"}
    days = [row["days_accumulated"] for row in shown]
    assert days == sorted(days, reverse=True)
    assert 0 < len(shown) < len(whole)
    ran = worker("lists", "show", LIST, "--view", "Omat uudet", "--column", "address", "--sort", "name", "--json")
    assert set(ran.data["shown"][0]) == {"id", "non_disclosure", "address"}
    missing = worker("lists", "show", LIST, "--view", "Toinen", "--json")
    assert (missing.code, missing.document["error"]["code"]) == (Exit.NOT_FOUND, "view_unknown")
    assert "Omat uudet" in missing.document["error"]["message"]
    assert word not in missing.out + missing.err


def test_identity_codes_are_whole_only_when_asked_for(worker: Kelmu) -> None:
    assert worker("lists", "fetch", LIST).code == Exit.OK
    masked = worker("lists", "show", LIST, "--json").data["shown"]
    whole = worker("lists", "show", LIST, "--full", "--json").data["shown"]
    for one, other in zip(masked, whole, strict=True):
        assert one["identity_code"].startswith("******")
        assert one["identity_code"][8:] == other["identity_code"][8:]
        assert other["identity_code"][:6].isdecimal()


@pytest.mark.parametrize(
    ("line", "code", "exit_"),
    [
        (("show", "nothing"), "list_unknown", Exit.USAGE),
        (("show", LIST, "2026-13"), "period_invalid", Exit.USAGE),
        (("show", LIST, "--column", "salary"), "column_unknown", Exit.USAGE),
        (("show", LIST, "--sort", "salary:desc"), "column_unknown", Exit.USAGE),
        (("show", CLOSED), "organisation_type", Exit.NOT_ALLOWED),
        (("fetch", CLOSED), "organisation_type", Exit.NOT_ALLOWED),
        (("fetch", LIST, "2020-01"), "not_published", Exit.NOT_FOUND),
        (("diff", LIST, "2020-01", "2020-02"), "list_not_here", Exit.NOT_FOUND),
        (("diff", LIST, "2020-01", "x"), "period_invalid", Exit.USAGE),
    ],
)
def test_what_cannot_be_done_is_said(worker: Kelmu, line: tuple[str, ...], code: str, exit_: Exit) -> None:
    ran = worker("lists", *line, "--json")
    assert (ran.document["error"]["code"], ran.code) == (code, exit_)
