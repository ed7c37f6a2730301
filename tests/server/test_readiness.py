"""A process is ready while its store answers, and asks no more than it must."""

from planner import StoreError
from server import readiness
from server.readiness import Readiness


class Away:
    def __init__(self):
        self.asked = 0

    def require_answer(self):
        self.asked += 1
        raise StoreError("gone")


def test_a_store_that_answers_is_ready(tmp_path):
    from planner import Store

    store = Store(f"sqlite:///{tmp_path / 'a.sqlite'}")
    assert Readiness(lambda: store).answers()
    store.close()


def test_a_store_that_lost_its_tables_is_not(tmp_path):
    import sqlite3

    from planner import Store

    store = Store(f"sqlite:///{tmp_path / 'a.sqlite'}")
    with sqlite3.connect(tmp_path / "a.sqlite") as connection:
        connection.execute("DROP TABLE versions")
    connection.close()
    assert not Readiness(lambda: store).answers()
    store.close()


def test_a_store_that_cannot_be_opened_is_not():
    def refuse():
        raise StoreError("no such place")

    assert not Readiness(refuse).answers()


def test_a_thousand_questions_are_one_to_the_store(monkeypatch):
    store = Away()
    asked = Readiness(lambda: store)
    assert not any(asked.answers() for _ in range(1000))
    assert store.asked == 1
    monkeypatch.setattr(readiness, "KEPT_S", 0.0)
    asked.answers()
    assert store.asked == 2
