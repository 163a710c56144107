"""The database: whose rows are seen, what one transaction is, and what becomes of refusals."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
import sqlalchemy

from shared.database import Database, database
from shared.statements import DatabaseRefused, Statement
from tests.postgres import Server

ADD = Statement(
    "INSERT INTO profile.users (user_id, email, name, password_hash) VALUES (:user_id, :email, :name, :hash)"
)
EVERYBODY = Statement("SELECT user_id, name FROM profile.users")
HASH = "x" * 60


@pytest.fixture
def here(server: Server, database_name: str) -> Iterator[Database]:
    made = database(server.settings("profile", database_name))
    yield made
    made.close()


def add(here: Database, name: str) -> str:
    user_id = str(uuid4())
    here.run(user_id, ADD(user_id=user_id, email=f"{name}@x.example", name=name, hash=HASH))
    return user_id


def test_a_query_with_a_forgotten_where_returns_nothing_of_anybody_else(here: Database) -> None:
    ann, bob = add(here, "ann"), add(here, "bob")
    assert here.run(ann, EVERYBODY()) == [[(ann, "ann")]]
    assert here.run(bob, EVERYBODY()) == [[(bob, "bob")]]
    assert here.run(None, EVERYBODY()) == [[]]
    with here.transaction(ann) as connection:
        assert connection.execute(sqlalchemy.text("SELECT name FROM profile.users")).all() == [("ann",)]
    with here.transaction(None) as connection:
        assert connection.execute(sqlalchemy.text("SELECT name FROM profile.users")).all() == []


def test_an_update_or_delete_with_a_forgotten_where_touches_nobody_else(here: Database) -> None:
    ann, bob = add(here, "ann"), add(here, "bob")
    here.run(ann, Statement("UPDATE profile.users SET name = 'x'")())
    here.run(ann, Statement("DELETE FROM profile.users")())
    assert here.run(bob, EVERYBODY()) == [[(bob, "bob")]]


def test_nobody_writes_a_row_in_another_users_name(here: Database) -> None:
    ann = add(here, "ann")
    with pytest.raises(DatabaseRefused) as refused:
        here.run(ann, ADD(user_id=str(uuid4()), email="b@x.example", name="b", hash=HASH))
    assert refused.value.sqlstate == "42501"


def test_no_role_of_a_service_may_bypass_the_policies_and_every_table_of_users_forces_them(
    server: Server, database_name: str
) -> None:
    roles = server.sql("SELECT rolname, rolbypassrls, rolsuper FROM pg_roles WHERE rolname LIKE 'fitsense_%'")
    assert roles
    assert [one for one in roles if one[1] or one[2]] == []
    tables = server.sql(
        "SELECT c.oid::regclass::text, c.relrowsecurity AND c.relforcerowsecurity, pg_get_userbyid(c.relowner) "
        "FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'user_id' "
        "JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE c.relkind IN ('r', 'p') AND n.nspname IN ('profile', 'plan', 'logging')",
        database_name,
    )
    assert tables
    assert [one for one in tables if not one[1] or one[2] != "fitsense_owner"] == []


def test_statements_of_one_call_happen_together_or_not_at_all(here: Database) -> None:
    ann = str(uuid4())
    good = ADD(user_id=ann, email="a@x.example", name="ann", hash=HASH)
    with pytest.raises(DatabaseRefused) as refused:
        here.run(ann, good, good)
    assert refused.value.is_duplicate
    assert refused.value.constraint == "users_pkey"
    assert here.run(ann, EVERYBODY()) == [[]]


def test_the_user_of_one_call_is_forgotten_by_the_next_on_the_same_connection(here: Database) -> None:
    ann = add(here, "ann")
    assert here.run(ann, EVERYBODY()) != [[]]
    assert here.run(None, Statement("SELECT current_setting('app.user_id', true)")()) == [[("",)]]


def test_values_come_back_as_what_they_are(here: Database) -> None:
    asked = Statement(
        "SELECT :a::int, :b::float8, :c::boolean, :d::date, :e::timestamptz, :f::text, :g::int, :h::numeric(6,2)"
    )
    ((row,),) = here.run(
        None, asked(a=1, b=2.5, c=True, d="2026-01-02", e="2026-01-02T03:04:05+01:00", f="é\n'\"\\", g=None, h=7.25)
    )
    assert row[:3] == (1, 2.5, True)
    assert row[3].isoformat() == "2026-01-02"
    assert row[4].isoformat() == "2026-01-02T02:04:05+00:00"
    assert row[5:] == ("é\n'\"\\", None, 7.25)
