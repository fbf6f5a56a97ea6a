"""Every database is set as the one that the figures of docs/search-index.md were measured with."""

import re
from typing import Any

import pytest
import yaml

from localcloud.postgres_cluster import TUNING
from tests.deploy.hcl import TERRAFORM, configuration, tfvars

CONFIG = configuration()
COMPOSE: dict[str, Any] = yaml.safe_load((TERRAFORM.parent / "deploy/compose.yaml").read_text())["services"]["postgres"]
GROWING = {"shared_buffers", "maintenance_work_mem"}
"""As large as the machine allows; everything else is the same everywhere."""

KB, MB = 1, 1024
UNITS = {"kB": KB, "MB": MB, "GB": 1024 * MB}
UNIT_OF_A_FLAG = {"shared_buffers": 8 * KB, "maintenance_work_mem": KB, "work_mem": KB, "max_wal_size": MB}
"""Cloud SQL takes bare numbers, in the unit that Postgres itself counts the setting in; in kB."""


def test_compose_sets_what_the_embedded_server_sets() -> None:
    command = COMPOSE["command"]
    told = dict(word.split("=") for word in command if "=" in word)
    assert command == ["postgres", *(part for name in told for part in ("-c", f"{name}={told[name]}"))]
    assert {name: told.get(name) for name in TUNING} == TUNING
    assert number(COMPOSE["shm_size"].upper() + "B") > number(told["maintenance_work_mem"]), "a parallel build needs it"


def test_cloud_sql_sets_what_does_not_depend_on_its_memory_to_the_same() -> None:
    flags = CONFIG.locals["database_flags"]
    assert set(flags) >= set(TUNING)
    for name in set(TUNING) - GROWING:
        assert float(flags[name]) * UNIT_OF_A_FLAG.get(name, 1) == number(TUNING[name]), name


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_cloud_sql_has_at_least_the_memory_that_was_measured_with(environment: str) -> None:
    flags, database = CONFIG.locals["database_flags"], tfvars(environment)["database"]
    memory = int(re.fullmatch(r"db-custom-\d+-(\d+)", database["tier"])[1]) * MB  # pyright: ignore[reportOptionalSubscript]
    assert flags["shared_buffers"] == "${tostring(floor(local.database_memory_mb * 1024 / 8 / 4))}", (
        "a quarter, in 8 kB"
    )
    assert memory / 4 >= number(TUNING["shared_buffers"])
    assert flags["maintenance_work_mem"] == "${var.database.maintenance_work_mem}"
    assert number(TUNING["maintenance_work_mem"]) <= int(database["maintenance_work_mem"]) <= memory / 4


def test_the_flags_are_those_of_the_table() -> None:
    block = CONFIG.resource("google_sql_database_instance.this")["settings"][0]["dynamic"][0]["database_flags"]
    assert block["for_each"] == "${local.database_flags}"
    assert block["content"] == [{"name": "${database_flags.key}", "value": "${database_flags.value}"}]


def number(setting: str) -> float:
    """A setting of Postgres as a number: memory in kB, seconds, or without a unit."""
    digits, unit = re.fullmatch(r"([\d.]+)(\w*)", setting).groups()  # pyright: ignore[reportOptionalMemberAccess]
    return float(digits) * UNITS.get(unit, 1)
