"""``python -m upload_gateway.bootstrap``: the one local user and their API key, made if missing."""

import asyncio
import hashlib

from contracts.identifiers import is_user_id
from database.engine import Database
from identity.api_keys import hash_api_key, is_well_formed
from upload_gateway.announcing import announce_user
from upload_gateway.settings import BootstrapSettings
from upload_gateway.store import users

KEY_NAME = "this machine"
TIER = "pro"


async def bootstrap(database: Database, user_id: str, api_key: str) -> bool:
    """Makes what is missing; True when anything was. Raises ``ValueError`` for a malformed id or key."""
    if not is_user_id(user_id) or not is_well_formed(api_key):
        raise ValueError("LOCAL_USER_ID or LOCAL_API_KEY is malformed")
    sha256 = hash_api_key(api_key)
    async with database.transaction() as session:
        changed = await users.add_user(session, user_id, tier=TIER, operator=True)
        changed |= await users.add_key(session, key_id_of(sha256), user_id, sha256, KEY_NAME)
        if changed:
            await announce_user(session, user_id)
    return changed


def key_id_of(sha256: str) -> str:
    """A short public name for a key."""
    return "key_" + hashlib.sha256(sha256.encode()).hexdigest()[:20]


async def _run(settings: BootstrapSettings) -> None:
    database = Database(settings.database_url, "upload_gateway", pool_size=2)
    try:
        await bootstrap(database, settings.local_user_id, settings.local_api_key.get_secret_value())
    finally:
        await database.close()


if __name__ == "__main__":
    asyncio.run(_run(BootstrapSettings()))  # pyright: ignore[reportCallIssue]
