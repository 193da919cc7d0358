"""The command line against a real backend process: sign in, read, act, and see it arrive at the other end."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from kelmu_tui.cli.exits import Exit
from kelmu_tui.platform.paths import HOME_VARIABLE
from tests.cli.conftest import Kelmu

WORKER, RECEIVER, COLLEAGUE = "persona-county-worker", "persona-county-receiver", "persona-county-colleague"
TAMPERE, TURKU = "837", "853"

pytestmark = pytest.mark.xdist_group("demo-backend")


def signed_in(demo: Kelmu, *personas: str) -> None:
    for persona in personas:
        assert demo("sign-in", "--persona", persona).code == Exit.OK
        assert demo("sync").code == Exit.OK


def notices(demo: Kelmu, *options: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = demo("inbox", "list", "--json", *options).data["notices"]
    return found


def one(demo: Kelmu, user: str) -> str:
    """Return a notice that nobody has touched and that another county may receive."""
    rows = notices(demo, "--user", user, "--limit", "500")
    return next(
        str(r["id"])
        for r in rows
        if r["status"] == "new" and r["kind"] != "immigrant_2_months" and r["municipality"] not in (TURKU,)
    )


def test_a_transferred_notice_arrives_at_the_receiver(demo: Kelmu, monkeypatch: pytest.MonkeyPatch) -> None:
    signed_in(demo, RECEIVER, WORKER)
    wanted = one(demo, WORKER)
    taken = demo("inbox", "take", wanted[:8], "--json")
    assert taken.data["results"] == [
        {"id": wanted, "result": "sent", "command": taken.data["results"][0]["command"], "reason": None}
    ]
    again = demo("inbox", "take", wanted, "--json")
    assert [row["result"] for row in again.data["results"]] == ["unchanged"]

    monkeypatch.setattr("sys.stdin", io.StringIO("Muuttanut Turkuun.\n"))
    moved = demo("inbox", "transfer", wanted, "--to", "Åbo", "--reason", "-", "--json", "--wait", "20")
    assert (moved.code, moved.data["results"][0]["result"]) == (Exit.OK, "sent")
    assert wanted not in [row["id"] for row in notices(demo, "--view", "all", "--limit", "500")]
    traces = demo("inbox", "list", "--view", "transferred", "--limit", "500", "--json").data["traces"]
    (trace,) = [row for row in traces if row["id"] == wanted]
    assert (trace["to_municipality"], trace["reason"], trace["state"]) == (TURKU, "Muuttanut Turkuun.", "sent")

    assert demo("--user", RECEIVER, "sync").code == Exit.OK
    got = demo("--user", RECEIVER, "inbox", "show", wanted, "--json").data
    assert (got["municipality"], got["origin"]["reason"]) == (TURKU, "Muuttanut Turkuun.")
    assert got["customer"]["identity_code"].startswith("******")

    # The receiver has read it, so the sender cannot take it back any more, and is told why.
    refused = demo("inbox", "take-back", wanted, "--json", "--wait", "20")
    assert refused.code == Exit.REFUSED
    assert refused.data["results"][0]["reason"] == "already_opened"
    listed = demo("outbox", "list", "--json").data["commands"]
    conflicts = [row for row in listed if row["notice"] == wanted and row["conflict"]]
    if conflicts:  # refused by the backend; by the own rule when the trace had come back already
        assert demo("outbox", "discard", conflicts[0]["id"], "--yes").code == Exit.OK
    assert not [row for row in demo("outbox", "list", "--json").data["commands"] if row["notice"] == wanted]


def test_a_colleague_was_faster(demo: Kelmu) -> None:
    signed_in(demo, COLLEAGUE, WORKER)
    wanted = one(demo, WORKER)
    assert demo("inbox", "take", wanted, "--user", COLLEAGUE).code == Exit.OK
    late = demo("inbox", "take", wanted, "--user", WORKER, "--json", "--wait", "20")
    assert late.code == Exit.REFUSED
    assert late.data["results"][0]["reason"] in ("version_conflict", "already_taken")
    command = late.data["results"][0]["command"]
    assert demo("status", "--user", WORKER, "--json").data["conflicts"] >= 1
    assert demo("outbox", "discard", str(command), "--yes", "--user", WORKER).code == Exit.OK


def test_offline_work_is_saved_and_goes_out_later(demo: Kelmu) -> None:
    signed_in(demo, WORKER)
    wanted = one(demo, WORKER)
    saved = demo("inbox", "handle", wanted, "--no-wait", "--json")
    assert (saved.code, saved.data["results"][0]["result"]) == (Exit.OK, "saved")
    assert demo("status", "--json").data["queued"] == 1
    assert wanted not in [row["id"] for row in notices(demo, "--limit", "500")]
    assert demo("outbox", "retry", "--wait", "20").code == Exit.OK
    assert demo("status", "--json").data["queued"] == 0


def test_nothing_happens_when_one_id_is_wrong(demo: Kelmu) -> None:
    signed_in(demo, WORKER)
    wanted = one(demo, WORKER)
    ran = demo("inbox", "take", wanted, "ffffffffffffffffffffffffffffffff", "--json")
    assert (ran.code, ran.document["error"]["code"]) == (Exit.NOT_FOUND, "not_found")
    assert demo("status", "--json").data["queued"] == 0
    assert demo("inbox", "show", "zz").code == Exit.NOT_FOUND


def test_an_illegal_target_and_a_bad_reason_are_refused_before_anything_is_sent(demo: Kelmu) -> None:
    signed_in(demo, WORKER)
    wanted = one(demo, WORKER)
    assert demo("inbox", "transfer", wanted, "--to", "Atlantis", "--reason", "x").code == Exit.NOT_FOUND
    for reason, expected in ((" ", "reason_missing"), ("x" * 10_000, "text_too_long")):
        ran = demo("inbox", "transfer", wanted, "--to", "Turku", "--reason", reason, "--json")
        assert (ran.code, ran.data["results"][0]["reason"]) == (Exit.REFUSED, expected)
    assert demo("status", "--json").data["queued"] == 0


def test_bulk_from_standard_input(demo: Kelmu, monkeypatch: pytest.MonkeyPatch) -> None:
    signed_in(demo, WORKER)
    ids = [row["id"] for row in notices(demo, "--limit", "500") if row["status"] == "new"][:3]
    monkeypatch.setattr("sys.stdin", io.StringIO("\n".join(ids)))
    ran = demo("inbox", "take", "-", "--wait", "20", "--json")
    assert [(row["id"], row["result"]) for row in ran.data["results"]] == [(id_, "sent") for id_ in ids]
    mine = {row["id"] for row in notices(demo, "--view", "mine", "--limit", "500")}
    assert set(ids) <= mine
    assert demo("inbox", "release", *ids, "--wait", "20").code == Exit.OK
    assert demo("inbox", "note", ids[0], "--text", "Soitettu \x1b[31mkahdesti", "--wait", "20").code == Exit.OK
    shown = demo("inbox", "show", ids[0])
    assert "\x1b" not in shown.out
    assert "Soitettu" in shown.out


def test_without_a_mandate_the_reason_is_told(demo: Kelmu) -> None:
    for persona, reason in (
        ("persona-look-alike", "incomes_register_benefit_viewing"),
        ("persona-no-agreement", "no_agreement"),
        ("persona-expired", "mandate_expired"),
    ):
        assert demo("sign-in", "--persona", persona).code == Exit.OK
        ran = demo("inbox", "list", "--json")
        assert (ran.code, ran.document["error"]["code"]) == (Exit.NOT_ALLOWED, reason)


def test_several_organisations_need_a_choice_that_is_remembered(demo: Kelmu) -> None:
    signed = demo("sign-in", "--persona", "persona-aland-joint-authority", "--json")
    usable = [o for o in signed.data["organisations"] if "notices_inbox" in o["capabilities"]]
    assert len(usable) > 1
    ran = demo("inbox", "list", "--json")
    assert (ran.code, ran.document["error"]["code"]) == (Exit.NOT_ALLOWED, "choose_organisation")
    first, second = usable[0]["id"], usable[1]["id"]
    assert demo("--organisation", first, "sync").code == Exit.OK
    assert demo("status", "--json").data["organisation"]["id"] == first
    assert demo("--organisation", second, "status", "--json").data["organisation"]["id"] == second
    assert demo("--organisation", "Atlantis", "status").code == Exit.NOT_ALLOWED


def test_sign_out_asks_about_unsent_work_and_destroys_the_replica(demo: Kelmu, demo_home: Path) -> None:
    signed_in(demo, COLLEAGUE)
    wanted = one(demo, COLLEAGUE)
    assert demo("inbox", "take", wanted, "--no-wait").code == Exit.OK
    refused = demo("sign-out", "--json")
    assert (refused.code, refused.document["error"]["code"]) == (Exit.REFUSED, "unsent")
    assert demo("status", "--json").data["queued"] == 1
    done = demo("sign-out", "--send", "--json")
    assert (done.code, done.data) == (Exit.OK, {"revoked": True})
    assert demo("status").code == Exit.NOT_SIGNED_IN
    users = demo_home / "data" / "demo" / "users"
    current = [folder for folder in users.iterdir() if not list(folder.glob("replica-*"))]
    assert current
    # The ledger stays, and the same worker goes on where they left.
    assert demo("sign-in", "--persona", COLLEAGUE).code == Exit.OK
    assert demo("sync").code == Exit.OK
    assert wanted in [row["id"] for row in notices(demo, "--view", "mine", "--limit", "500")]
    assert demo("inbox", "release", wanted, "--wait", "20").code == Exit.OK


def test_doctor_finds_the_demo_well(demo: Kelmu) -> None:
    signed_in(demo, WORKER)
    ran = demo("doctor", "--json")
    wrong = [finding for finding in ran.data["findings"] if finding["state"] == "wrong"]
    assert (ran.code, wrong) == (Exit.OK, [])
    answers = [f["value"] for f in ran.data["findings"] if f["what"] == "answers"]
    assert answers[0].startswith("http://127.0.0.1:")


def test_joining_tells_the_personas_and_keeps_the_world(demo: Kelmu) -> None:
    ran = demo("demo", "--personas", "--json", "--seed", "99", "--lang", "en")
    assert WORKER in [persona["id"] for persona in ran.data["personas"]]
    assert "--fresh" in ran.err
    refused = demo("demo", "--fresh", "--personas", "--lang", "en")
    assert refused.code == Exit.REFUSED


def test_no_personal_data_outside_the_encrypted_files(demo: Kelmu, demo_home: Path) -> None:
    signed_in(demo, WORKER)
    row = notices(demo, "--limit", "1")[0]
    full = demo("inbox", "show", row["id"], "--full", "--json").data["customer"]
    needles = [full["identity_code"].encode(), full["family_name"].encode() + b", "]
    users = demo_home / "data" / "demo" / "users"
    for path in users.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert not [needle for needle in needles if needle in data], path.name
    assert HOME_VARIABLE == "KELMU_HOME"
