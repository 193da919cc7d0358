"""`kelmu status` tells where things stand, for people and for the support."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kelmu_tui.cli.exits import Exit
from kelmu_tui.cli.reference import JSON
from kelmu_tui.i18n import LANGUAGES, Translator
from tests.cli.conftest import Kelmu

WORKER = "persona-county-worker"

pytestmark = pytest.mark.xdist_group("demo-backend")


def test_the_diagnostics_of_a_synced_store(demo: Kelmu) -> None:
    assert demo("sign-in", "--persona", WORKER).code == Exit.OK
    assert demo("sync").code == Exit.OK
    data = demo("status", "--json").data
    told = data["diagnostics"]
    assert told["feed"]["checkpoint"] == told["feed"]["seq"] > 0
    assert len(told["feed"]["epoch"]) == 8
    assert {scope["state"] for scope in told["feed"]["scopes"]} == {"live"}
    assert told["ages"]["synced_at"] == data["synced_at"]
    assert told["ages"]["session_revision"] >= 1
    assert told["leader"]["who"] == "nobody"
    assert told["leader"]["beat_at"] is not None
    assert told["storage"]["keys"] == "demo"
    (ledger, replica) = told["storage"]["databases"]
    assert replica["rows"]["notice"] == data["views"]["all"] > 0
    assert ledger["rows"]["command"] >= 0
    assert told["backend"].startswith("127.0.0.1:")


def test_what_waits_is_told_without_a_word_about_anybody(demo: Kelmu, demo_home: Path) -> None:
    assert demo("sign-in", "--persona", WORKER).code == Exit.OK
    assert demo("sync").code == Exit.OK
    rows = demo("inbox", "list", "--json", "--limit", "500").data["notices"]
    wanted = next(row["id"] for row in rows if row["status"] == "new")
    saved = demo("inbox", "handle", wanted, "--no-wait", "--json").data["results"][0]
    data = demo("status", "--json").data
    told = data["diagnostics"]
    assert told["queue"]["states"]["queued"] == 1
    oldest = told["queue"]["oldest"]
    assert (oldest["id"], oldest["verb"], oldest["attempts"]) == (saved["command"][:8], "handle", 0)
    text = json.dumps(told, ensure_ascii=False)
    person = demo("inbox", "show", wanted, "--full", "--json").data["customer"]
    needles = [
        data["user"]["name"],
        data["user"]["id"],
        wanted,
        saved["command"],
        person["identity_code"],
        f"{person['family_name']}, {person['given_names']}",
        str(demo_home),
    ]
    assert [needle for needle in needles if needle in text] == []
    for language in LANGUAGES:
        t = Translator(language)
        out = demo("status", "--lang", language).out
        assert t("diagnostics.oldest") in out
        assert t("states.verb.handle") in out
        assert t("diagnostics.store_size") in out
    assert demo("outbox", "discard", saved["command"], "--yes").code == Exit.OK


def test_every_field_is_documented(demo: Kelmu) -> None:
    assert demo("sign-in", "--persona", WORKER).code == Exit.OK
    told = demo("status", "--json").data["diagnostics"]
    names = {*told, *told["feed"], *told["ages"], *told["queue"], *told["storage"], *told["leader"]}
    names |= {name for scope in told["feed"]["scopes"] for name in scope}
    names |= {name for database in told["storage"]["databases"] for name in database}
    assert [name for name in sorted(names) if f"`{name}`" not in JSON and f"`storage.{name}`" not in JSON] == []
