"""Turns the name of a task into its instructions."""

from importlib.resources import files


def instructions(task: str) -> str:
    """The text of ``<task>.md``. Raises ``FileNotFoundError``."""
    return (files("analyzer.prompts") / f"{task}.md").read_text("utf-8")
