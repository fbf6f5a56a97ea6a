"""Principals are remembered for a while, only so many, and forgotten by name or by user."""

from identity.principal import Principal
from identity.remembered import RememberedPrincipals

ADA, BOB = Principal("ada"), Principal("bob")


def test_a_principal_is_known_for_so_long_and_no_longer() -> None:
    now = [0.0]
    remembered = RememberedPrincipals(5, 10, lambda: now[0])
    remembered.remember("key", ADA)
    now[0] = 4.9
    assert remembered.recall("key") is ADA
    assert remembered.recall("another") is None
    now[0] = 5.0
    assert remembered.recall("key") is None


def test_the_one_found_longest_ago_makes_room() -> None:
    remembered = RememberedPrincipals(5, 2, lambda: 0.0)
    remembered.remember("1", ADA)
    remembered.remember("2", ADA)
    remembered.remember("1", ADA)
    remembered.remember("3", BOB)
    assert [name for name in "123" if remembered.recall(name)] == ["1", "3"]


def test_a_name_and_a_whole_user_are_forgotten() -> None:
    remembered = RememberedPrincipals(5, 10, lambda: 0.0)
    for name, principal in (("1", ADA), ("2", ADA), ("3", BOB)):
        remembered.remember(name, principal)
    remembered.forget("3")
    remembered.forget("unheard of")
    assert remembered.recall("3") is None
    assert remembered.recall("2") is ADA
    remembered.forget_user("ada")
    assert remembered.recall("1") is remembered.recall("2") is None
