"""What users say of themselves and how they like things shown."""

from typing import Any

from tests.integration.upload_gateway.conftest import Gateway

DEFAULTS = {
    "theme": "system",
    "language": "en",
    "results_per_page": 20,
    "include_flagged": False,
    "view": "grid",
    "play_previews": True,
    "confirm_delete": True,
}


async def put(gateway: Gateway, path: str, body: Any, user: str = "someone") -> Any:
    return await gateway.client.put(f"/api/v1{path}", headers=gateway.headers(user), json=body)


async def test_the_name_is_set_shown_and_cleared(gateway: Gateway) -> None:
    assert (await gateway.get("/users/me")).json()["data"]["display_name"] is None
    changed = await put(gateway, "/users/me", {"display_name": "  Ada ✨ "})
    assert (changed.json()["data"]["display_name"], changed.json()["data"]["user_id"]) == ("Ada ✨", "someone")
    assert (await gateway.get("/users/me")).json()["data"]["display_name"] == "Ada ✨"
    assert (await gateway.get("/users/me", "another")).json()["data"]["display_name"] is None
    assert (await put(gateway, "/users/me", {"display_name": None})).json()["data"]["display_name"] is None


NO_CHANGES: tuple[Any, ...] = (
    {},
    {"display_name": " "},
    {"display_name": "a\x00"},
    {"display_name": "x" * 81},
    {"display_name": "a", "tier": "enterprise"},
)


async def test_nothing_else_of_a_user_can_be_changed(gateway: Gateway) -> None:
    for body in NO_CHANGES:
        assert (await put(gateway, "/users/me", body)).json()["error"]["code"] == "invalid_request"
    assert (await gateway.get("/users/me")).json()["data"]["tier"] == "pro"


async def test_preferences_have_defaults_and_are_replaced_whole(gateway: Gateway) -> None:
    assert (await gateway.get("/users/me/preferences")).json()["data"] == DEFAULTS
    chosen = {"theme": "dark", "language": "de-AT", "results_per_page": 50, "include_flagged": True}
    assert (await put(gateway, "/users/me/preferences", chosen)).json()["data"] == DEFAULTS | chosen
    await put(gateway, "/users/me", {"display_name": "Ada"})
    assert (await gateway.get("/users/me/preferences")).json()["data"] == DEFAULTS | chosen
    assert (await gateway.get("/users/me/preferences", "another")).json()["data"] == DEFAULTS
    assert (await put(gateway, "/users/me/preferences", {"view": "list"})).json()["data"] == DEFAULTS | {"view": "list"}


NO_PREFERENCES: tuple[Any, ...] = (
    {"theme": "neon"},
    {"language": "x"},
    {"language": "en<script>"},
    {"results_per_page": 0},
    {"results_per_page": 101},
    {"include_flagged": "perhaps"},
    {"unknown": 1},
    [],
    None,
)


async def test_what_is_no_preference_is_refused(gateway: Gateway) -> None:
    for body in NO_PREFERENCES:
        assert (await put(gateway, "/users/me/preferences", body)).json()["error"]["code"] == "invalid_request"
    assert (await gateway.get("/users/me/preferences")).json()["data"] == DEFAULTS
