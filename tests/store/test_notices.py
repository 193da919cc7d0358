"""Lists against a model in plain Python: every view, order and filter, with pending commands on random rows."""

from __future__ import annotations

import shutil
import tempfile
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from kelmu_tui.domain.deadlines import kind_rules
from kelmu_tui.domain.notices import OPEN_STATUSES, Actor, Kind, NoticeState, Refused, Status, decide
from kelmu_tui.domain.organisations import municipalities
from kelmu_tui.store import notices, outbox, overlay, replica
from kelmu_tui.store.outbox import Draft
from kelmu_tui.store.rows import Key, NoticeLine, Query, Sort, View
from kelmu_tui.store.words import folded, sort_key, tie
from tests.store.build import NOW, OWN, fill, notice, open_store

ME = "user-1"
VIEWS = [view for view in View if view is not View.TRANSFERRED]
CODES = ["837", "536", "980", "091", "092"]
DAYS = [f"2026-11-{day}" for day in (18, 19, 20, 23, 24)]
TEXTS = ["", "a", "vi", "Virta", "ÄIJÄ", "aija", "tampere", "tammerfors", "kiire", "sosiaali", "vuokra"]
TEXTS += ["utkomststöd", "vi aino", "zz", '"', "' OR 1=1 --", "vuokra* NOT (", "n-1", "%", "1", "sosiaalityön tarve"]
TEXTS += ["muistiinpano", "aino virta tampere", "k", "s", "NEAR(a b)", "a AND b"]

kinds = st.sampled_from([kind.value for kind in Kind])
ids = st.integers(0, 6).map(lambda n: f"n-{n}")
queries = st.builds(
    Query,
    view=st.sampled_from(VIEWS),
    text=st.sampled_from(TEXTS),
    sort=st.sampled_from(list(Sort)),
    descending=st.booleans(),
    user=st.just(ME),
    day=st.sampled_from([date.fromisoformat(day) for day in DAYS]),
)


@st.composite
def rows(draw: st.DrawFn) -> dict[str, Any]:
    status = draw(st.sampled_from([s.value for s in Status if s is not Status.TRANSFERRED]))
    assignee = draw(st.sampled_from([None, ME, "user-2"]))
    arrived = datetime(2026, 11, 18, 8, tzinfo=NOW.tzinfo) + draw(
        st.sampled_from([timedelta(0), timedelta(microseconds=1), timedelta(seconds=1), timedelta(days=1)])
    )
    return notice(
        draw(ids),
        kind=draw(kinds),
        urgent=draw(st.booleans()),
        status=status,
        municipality=draw(st.sampled_from(CODES[:3])),
        due=draw(st.sampled_from(DAYS)),
        arrived=arrived.isoformat().replace("+00:00", draw(st.sampled_from(["Z", "+00:00"]))),
        family=draw(st.sampled_from(["Virtanen", "Äijälä", "Ojala", "Öhman", "Zitting", "O'Neill"])),
        given=draw(st.sampled_from(["Aino", "Åke", "Ea"])),
        free_text=draw(st.sampled_from([None, "Vuokra maksamatta", "Ei\nrahaa 1 €"])),
        non_disclosure=draw(st.booleans()),
        assignee=assignee,
        assignee_name=assignee and f"Nimi {assignee}",
    )


class Model:
    """What the lists should show, by the simplest means."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, Any]] = {}
        self.commands: list[dict[str, Any]] = []

    def shown(self) -> list[tuple[dict[str, Any], NoticeState, bool, str]]:
        found = []
        for row in self.rows.values():
            own = [c for c in self.commands if c["id"] == row["id"] and c["pending"]]
            state = NoticeState(
                Kind(row["kind"]), Status(row["status"]), row["organisation"], row["municipality"], row["version"],
                row["assignee"], row["assignee_name"],
            )  # fmt: skip
            notes, home = "", state.municipality
            for command in own:
                if command["ack"] is not None and row["version"] >= command["ack"]:
                    continue
                before = state.municipality
                try:
                    # Whom a municipality's notices go to depends on the kind of the row as it is now.
                    given = overlay.domain_command(command["command"], Kind(row["kind"]), NOW)
                    state = decide(state, given, Actor(ME, "Minä", OWN), NOW)
                except Refused:
                    continue
                if command["verb"] == "transfer":
                    home = before
                elif command["verb"] == "take-back":
                    state = state._replace(municipality=home)
                if command["verb"] == "note":
                    notes += " " + command["payload"]["text"]
            if state.organisation == OWN:
                found.append((row, state, bool(own), notes))
        return found

    def list(self, query: Query) -> list[str]:
        kept = [item for item in self.shown() if self.in_view(query, *item[:2]) and self.fits(query.text, *item)]
        return [item[0]["id"] for item in sorted(kept, key=lambda i: place(query.sort, i), reverse=query.descending)]

    @staticmethod
    def in_view(query: Query, row: dict[str, Any], state: NoticeState) -> bool:
        waiting = state.status in OPEN_STATUSES
        return {
            View.UNHANDLED: waiting,
            View.MINE: waiting and state.assignee == ME,
            View.URGENT: waiting and row["urgent"],
            View.DUE_TODAY: waiting and row["due"] <= query.day.isoformat(),
            View.ALL: True,
        }[query.view]

    @staticmethod
    def fits(text: str, row: dict[str, Any], state: NoticeState, pending: bool, notes: str) -> bool:
        place = municipalities()[state.municipality].name
        mine = folded(
            f"{row['customer']['family_name']} {row['customer']['given_names']} {row['content']['free_text'] or ''}"
            f" {notes} {place.fi} {place.sv} {place.en} {kind_names()[row['kind']]}"
            + (" Kiireellinen Brådskande Urgent" if row["urgent"] else "")
        )
        return all(any(word.startswith(asked) for word in mine) for asked in folded(text))


def place(sort: Sort, item: tuple[dict[str, Any], NoticeState, bool, str]) -> tuple[Any, ...]:
    row, state = item[:2]
    arrived = datetime.fromisoformat(row["arrived"])
    customer = row["customer"]
    names = sorted(municipalities().values(), key=lambda m: sort_key(m.name.fi))
    first: dict[Sort, tuple[Any, ...]] = {
        Sort.DUE: (row["due"], arrived),
        Sort.ARRIVED: (arrived, row["due"]),
        Sort.KIND: (list(Kind).index(Kind(row["kind"])), row["due"]),
        Sort.MUNICIPALITY: (names.index(municipalities()[state.municipality]), row["due"]),
        Sort.CUSTOMER: (sort_key(f"{customer['family_name']}, {customer['given_names']}"), row["due"]),
    }
    return (*first[sort], tie(row["id"]))


@cache
def kind_names() -> dict[str, str]:
    import tomllib
    from importlib.resources import files

    found = tomllib.loads((files("kelmu_tui.domain.catalogue") / "notices.toml").read_text(encoding="utf-8"))["notice"]
    return {row["id"]: f"{kind_rules()[Kind(row['id'])].code} {row['fi']} {row['sv']} {row['en']}" for row in found}


class Lists(RuleBasedStateMachine):
    """Rows come, change and go, commands are given and come back; every list agrees with the model."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.store = open_store(self.folder / "one")
        self.store.attach(OWN)
        fill(self.store, [])
        self.model = Model()
        self.last = Query(View.UNHANDLED, "v", user=ME)

    def teardown(self) -> None:
        self.store.close()
        shutil.rmtree(self.folder)

    @initialize(found=st.lists(rows(), max_size=12))
    def begin(self, found: list[dict[str, Any]]) -> None:
        for row in found:
            self.put(row)

    @rule(row=rows())
    def put(self, row: dict[str, Any]) -> None:
        known = self.model.rows.get(row["id"])
        row["version"] = known["version"] + 1 if known else 1
        with self.store.write() as db:
            assert replica.put_rows(db, 1, [row]) == 1
        self.model.rows[row["id"]] = row

    @rule(row=rows())
    def put_what_is_old(self, row: dict[str, Any]) -> None:
        if row["id"] in self.model.rows:
            row["version"] = self.model.rows[row["id"]]["version"] - 1
            with self.store.write() as db:
                assert replica.put_rows(db, 1, [row]) == 0

    @rule(id_=ids)
    def remove(self, id_: str) -> None:
        with self.store.write() as db:
            assert replica.remove(db, 1, id_) == (id_ in self.model.rows)
        self.model.rows.pop(id_, None)

    @rule(row=rows())
    def fill_beside(self, row: dict[str, Any]) -> None:
        with self.store.write() as db:
            replica.put_rows(db, 7, [row])

    @rule(
        id_=ids,
        verb=st.sampled_from(["take", "release", "handle", "reopen", "open", "note", "transfer", "take-back"]),
        to=st.sampled_from(CODES),
    )
    def give(self, id_: str, verb: str, to: str) -> None:
        payload = {"note": {"text": "Muistiinpano lapsesta"}, "transfer": {"municipality": to, "reason": "Muutto"}}
        command_id = f"c{len(self.model.commands)}"
        draft = Draft(ME, OWN, id_, verb, payload.get(verb, {}), {"by": "Minä"}, 1, "lease")
        with self.store.write() as db:
            outbox.append(db, draft, id=command_id, now=NOW)
            command = outbox.command(db, command_id)
        assert command is not None
        self.model.commands.append(
            {"id": id_, "verb": verb, "payload": draft.payload, "command": command, "pending": True, "ack": None}
        )

    @rule(number=st.integers(0, 8), version=st.integers(1, 3))
    def acknowledge(self, number: int, version: int) -> None:
        if number < len(self.model.commands):
            with self.store.write() as db:
                outbox.acknowledge(db, f"c{number}", seq=1, version=version, epoch="e", now=NOW)
            self.model.commands[number] |= {"ack": version, "pending": True}

    @rule(number=st.integers(0, 8))
    def settle(self, number: int) -> None:
        if number < len(self.model.commands):
            with self.store.write() as db:
                db.execute("UPDATE command SET state = 'settled' WHERE id = ?", (f"c{number}",))
            self.model.commands[number]["pending"] = False

    @rule(query=queries, size=st.integers(1, 5))
    def read(self, query: Query, size: int) -> None:
        self.last = query
        expected = self.model.list(query)
        with self.store.read() as db:
            assert notices.count(db, query) == len(expected)
            assert [line.id for line in notices.page(db, query, limit=100)] == expected
            assert forwards(db, query, size) == expected
            assert backwards(db, query, size) == expected
            everything = [*self.model.rows, "nobody"]
            assert [line.id for line in notices.lines(db, query, everything)] == [
                id_ for id_ in everything if id_ in expected
            ]
            for id_ in everything:
                assert notices.rank(db, query, id_) == (expected.index(id_) if id_ in expected else None)

    @invariant()
    def a_list_left_open_stays_right(self) -> None:
        with self.store.read() as db:
            assert [line.id for line in notices.page(db, self.last, limit=100)] == self.model.list(self.last)

    @invariant()
    def lines_tell_what_is_shown(self) -> None:
        with self.store.read() as db:
            found = {line.id: line for line in notices.page(db, Query(View.ALL), limit=100)}
        assert {
            id_: (line.status, line.municipality, line.assignee, line.assignee_name, line.pending)
            for id_, line in found.items()
        } == {
            row["id"]: (state.status, state.municipality, state.assignee, state.assignee_name, pending)
            for row, state, pending, _ in self.model.shown()
        }


def forwards(db: Any, query: Query, size: int) -> list[str]:
    found: list[str] = []
    place: Key | None = None
    while chunk := notices.page(db, query, after=place, limit=size):
        found.extend(line.id for line in chunk)
        place = notices.key(query, chunk[-1])
    return found


def backwards(db: Any, query: Query, size: int) -> list[str]:
    last = notices.page(db, query, limit=100)[-1:]
    found = [line.id for line in last]
    chunk: list[NoticeLine] = last
    while chunk:
        chunk = notices.page(db, query, before=notices.key(query, chunk[0]), limit=size)
        found[:0] = [line.id for line in chunk]
    return found


Lists.TestCase.settings = settings(
    max_examples=25,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    database=None,
    # A failing run is short enough to be read; shrinking it over a real store takes minutes.
    phases=(Phase.explicit, Phase.generate),
)
TestLists = Lists.TestCase


# --- what the model can't tell -------------------------------------------------------------------------------------


@pytest.mark.parametrize("view", [View.UNHANDLED, View.MINE, View.URGENT, View.DUE_TODAY, View.ALL])
@pytest.mark.parametrize("sort", list(Sort))
def test_no_list_sorts_the_table(store: Any, view: View, sort: Sort) -> None:
    query = Query(view, sort=sort, user=ME, day=date(2026, 11, 20))
    with store.read() as db:
        for part in notices._parts(db, query):
            first, second = notices._FIRST[sort], notices._second(sort)
            statement = f"EXPLAIN QUERY PLAN {part.sql('id')} ORDER BY {first}, {second}, tie LIMIT 50"
            plan = " | ".join(row[3] for row in db.execute(statement, part.values))
            assert "SCAN notice" not in plan, plan
            if view is not View.MINE or sort is Sort.DUE:
                assert "TEMP B-TREE" not in plan, plan


@pytest.mark.parametrize("view", [View.UNHANDLED, View.MINE, View.URGENT, View.DUE_TODAY, View.ALL])
def test_counts_read_no_row(store: Any, view: View) -> None:
    with store.read() as db:
        for part in notices._parts(db, Query(view, user=ME, day=date(2026, 11, 20))):
            plan = [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {part.sql('count(*)')}", part.values)]
            assert all("COVERING INDEX" in step for step in plan), plan


def test_matches_beyond_the_few_are_walked_and_agree(store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(store, [notice(f"n{n}", family="Virtanen" if n % 3 else "Korpi", due=DAYS[n % 5]) for n in range(60)])
    query = Query(View.UNHANDLED, "virt")
    with store.read() as db:
        few = [line.id for line in notices.page(db, query, limit=100)]
        assert notices.count(db, query) == len(few) == 40
        monkeypatch.setattr(notices, "_FEW", 5)
        assert [line.id for line in notices.page(db, query, limit=100)] == few
        assert notices.count(db, query) == 40
        assert notices.rank(db, query, few[7]) == 7


def test_where_a_hidden_person_lives_is_in_no_index(store: Any) -> None:
    fill(store, [notice("n1", non_disclosure=True), notice("n2")])
    with store.read() as db:
        for text in ("Salainentie", "010190"):
            assert notices.count(db, Query(View.ALL, text)) == 0
        words = db.execute("SELECT count(*) FROM replica.notice_text WHERE notice_text MATCH 'tampere'").fetchone()
    assert words == (0,)
