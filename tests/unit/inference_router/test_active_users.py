"""How many people are counted as active."""

from services.inference_router.active_users import WITHIN_S, ActiveUsers


def test_somebody_who_asks_twice_is_one_person() -> None:
    users = ActiveUsers()
    for second, user in enumerate(["ann", "bob", "ann"]):
        users.note(user, second)
    assert users.count(3) == 2


def test_who_has_not_asked_for_a_day_is_not_active_any_more() -> None:
    users = ActiveUsers()
    users.note("ann", 0)
    users.note("bob", 10)
    users.note("ann", 20)
    assert users.count(10 + WITHIN_S) == 1
    assert users.count(20 + WITHIN_S) == 0


def test_names_are_not_kept() -> None:
    users = ActiveUsers()
    users.note("ann@example.com", 0)
    assert "ann" not in repr(vars(users))
