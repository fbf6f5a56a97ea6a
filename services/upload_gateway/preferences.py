"""What a user may choose about how things are shown: a closed set, so that no program finds what it does not know."""

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints


class Theme(StrEnum):
    """Colours of the page."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


class View(StrEnum):
    """How results are laid out."""

    GRID = "grid"
    LIST = "list"


class Preferences(BaseModel):
    """Everything has a default: a new user has chosen nothing."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"theme": "dark", "confirm_delete": False}]},
    )

    theme: Theme = Theme.SYSTEM
    language: Annotated[str, StringConstraints(max_length=35, pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$")] = (
        Field(default="en", description="a BCP 47 tag; kept for other clients, the page does not read it")
    )
    results_per_page: Annotated[int, Field(ge=1, le=100)] = Field(
        default=20, description="kept for other clients, the page does not read it"
    )
    include_flagged: bool = Field(default=False, description="also show what moderation holds back")
    view: View = Field(default=View.GRID, description="kept for other clients, the page does not read it")
    play_previews: bool = Field(default=True, description="previews move when pointed at")
    confirm_delete: bool = True


def read(stored: dict[str, object]) -> Preferences:
    """What an earlier version stored, as far as it is still known."""
    return Preferences.model_validate({k: v for k, v in stored.items() if k in Preferences.model_fields})
