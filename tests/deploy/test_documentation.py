"""Links of README and docs lead somewhere; docs/deploy.md names only what is there, its table is current."""

import re
from pathlib import Path

import pytest

from contracts.artifacts import Service
from contracts.events import MediaEmbeddedV1, MediaProcessedV1, ObjectFinalizedV1
from contracts.topology import Subscription, subscription, subscriptions_of
from deploy.docker import settings_table
from embeddings.encoder import Encoder
from localcloud.router import SEARCHED
from tests.deploy.hcl import configuration

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "deploy.md").read_text()
PROSE = PAGE.split(settings_table.START)[0]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def anchors(page: Path) -> set[str]:
    """What the headings of a page can be linked to by, as Git hosts derive it."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_to_a_file_and_a_heading_that_are_there(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if not link.startswith(("https://", "http://")):
            path, _, anchor = link.partition("#")
            target = (page.parent / path).resolve() if path else page
            assert target.exists(), link
            assert not anchor or anchor in anchors(target), link


def test_the_list_of_decisions_names_each_and_its_title() -> None:
    listed = (ROOT / "docs/decisions/README.md").read_text()
    for decision in sorted((ROOT / "docs/decisions").glob("0*.md")):
        number, title = re.findall(r"^# (\d{4}):? (.+)$", decision.read_text(), re.MULTILINE)[0]
        row = f"| [{number}]({decision.name}) | {title} |"
        assert row in listed, f"docs/decisions/README.md lacks {row}"


def test_every_error_of_a_request_is_listed_with_its_status() -> None:
    public = ("libs/hosting", "libs/identity", "services/search", "services/upload_gateway")
    sources = [path.read_text() for folder in public for path in (ROOT / folder).rglob("*.py")]
    raised = {found for source in sources for found in re.findall(r"ApiError\(\s*(\d{3}),\s*\"(\w+)\"", source)}
    table = (ROOT / "docs/api.md").read_text().split("## Errors of requests")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (\d{3}) \| ([^|]+) \|", table, re.MULTILINE)
    listed = {(status, code) for status, codes in rows for code in re.findall(r"`(\w+)`", codes)}
    assert ("408", "body_too_slow") in raised
    assert raised <= listed


@pytest.mark.parametrize("page", ["api.md", "deploy.md"])
def test_what_search_answers_is_listed_whole(page: str) -> None:
    text = (ROOT / "docs" / page).read_text()
    for prefix, suffix in SEARCHED:
        named = f"`{prefix}{{id}}{suffix}`" if suffix else f"`{prefix}"
        assert named in text, named


def test_how_many_messages_an_instance_takes_is_what_the_topology_says() -> None:
    limits = (ROOT / "docs/operations.md").read_text().split("## Limits and money")[1].split("\n## ")[0]
    takes = {
        stage: sum(s.concurrency for s in subscriptions_of(stage)) for stage in (Service.ANALYZER, Service.EMBEDDER)
    }
    assert f"up to {takes[Service.ANALYZER]} as analyzer, {takes[Service.EMBEDDER]} as embedder" in limits


def test_how_long_a_pushed_message_waits_is_what_the_topology_says() -> None:
    first = " ".join((ROOT / "docs/operations.md").read_text().split("Every repair may be run twice")[0].split())
    shortest, embedded = subscription(Service.SEARCH, MediaProcessedV1), subscription(Service.SEARCH, MediaEmbeddedV1)
    longest = subscription(Service.MEDIA_PROCESSOR, ObjectFinalizedV1)
    told = f"about {waits(shortest)} minutes with the pauses between, {waits(embedded)} for `media.embedded`"
    assert f"{told}, up to {waits(longest)} for stages" in first


def waits(heard: Subscription) -> int:
    """Minutes until a message is given up whose every request lasts to the handler's deadline."""
    retry = heard.retry
    pauses = [min(retry.min_backoff_s * 2**n, retry.max_backoff_s) for n in range(retry.max_deliveries - 1)]
    return round((retry.max_deliveries * heard.handler_deadline_s + sum(pauses)) / 60)


def test_what_an_encoder_must_have_is_what_is_abstract() -> None:
    step = (ROOT / "docs/extending.md").read_text().split("## A new embedding model")[1].split("\n2. ")[0]
    must = step.split("a subclass of `Encoder` with ")[1].split(",")
    assert set(re.findall(r"`(\w+)`", ",".join(must[:2]))) == Encoder.__abstractmethods__


def test_the_readme_names_every_page_of_the_docs() -> None:
    readme = (ROOT / "README.md").read_text()
    assert [page.name for page in (ROOT / "docs").glob("*.md") if f"docs/{page.name}" not in readme] == []


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
