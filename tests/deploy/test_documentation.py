"""docs/deploy.md names only what is there, and its table of settings is current."""

import re
from pathlib import Path

from deploy.docker import settings_table
from tests.deploy.hcl import configuration

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "deploy.md").read_text()
PROSE = PAGE.split(settings_table.START)[0]


def test_the_table_of_settings_is_current() -> None:
    assert settings_table.page() == PAGE, "run python -m deploy.docker.settings_table"


def test_every_setting_is_explained() -> None:
    assert [row for row in settings_table.table().splitlines() if row.endswith("|  |")] == []


def test_every_file_it_names_is_there() -> None:
    named = set(
        re.findall(r"(?<![\w./-])((?:deploy|terraform|docs)/[\w./-]+\.(?:py|yaml|tfvars|tf|md|conf|sh)\b)", PROSE)
    )
    assert named
    assert {path for path in named if not (ROOT / path).exists()} == set()


def test_every_output_and_variable_it_uses_exists() -> None:
    assert set(re.findall(r"terraform output (?:-raw |-json )?(\w+)", PAGE)) <= set(configuration().outputs)
    assert set(re.findall(r"-var (\w+)=", PAGE)) <= set(configuration().variables)
    for target in re.findall(r"-target=(\w+\.\w+)", PAGE):
        assert configuration().resource(target)


def test_commands_of_the_release_are_those_of_its_program() -> None:
    actions = set(re.findall(r"(?:python3? -m deploy\.release|^release) (\w+)", PAGE, re.MULTILINE))
    assert actions == {"images", "rollout", "rollback"}
