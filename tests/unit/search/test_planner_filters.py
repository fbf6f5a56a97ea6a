"""Every field of the filters has its condition, and only those in use get into the statement."""

from dataclasses import fields

from search.request import Filters
from search.store.filtering import filter_conditions, is_selective, parameters, visibility_conditions

_VALUES = {
    "required": ("'a'",),
    "excluded": ("'b'",),
    "other_than": "upl_x",
    "include_flagged": True,
}
_VALUE_OF_STATUS = "answering"


def test_each_field_changes_the_statement():
    plain = filter_conditions(Filters())
    for field in fields(Filters):
        changed = Filters(**{field.name: _VALUES.get(field.name, 1)})
        assert (filter_conditions(changed) != plain) is (field.name != _VALUE_OF_STATUS), field.name


def test_every_value_a_statement_names_is_given():
    everything = Filters(**{field.name: _VALUES.get(field.name, 1) for field in fields(Filters)})
    given = parameters("ada", Filters())
    for name in given:
        assert f":{name}" in filter_conditions(everything) or name == "include_flagged"


def test_what_nearly_every_file_meets_is_no_choice():
    assert not is_selective(Filters(include_flagged=True, other_than="upl_x"))
    assert is_selective(Filters(kinds=("image",)))
    assert "flagged" in visibility_conditions(Filters())
    assert "flagged" not in visibility_conditions(Filters(include_flagged=True))
