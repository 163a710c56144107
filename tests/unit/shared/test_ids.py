"""Ids: a UUID that anybody can make again from the name."""

from uuid import NAMESPACE_URL, uuid5

from shared.ids import stable_id


def test_ids_are_version_5_uuids_of_their_names() -> None:
    names = [f"fitsense:user:7:{number}" for number in range(1000)] + ["", "ä"]
    assert [stable_id(name) for name in names] == [str(uuid5(NAMESPACE_URL, name)) for name in names]
