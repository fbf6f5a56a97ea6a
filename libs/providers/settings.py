"""What the environment says of every paid provider alike; settings of services that call one inherit it."""

from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings

StoreUrl = Annotated[str, Field(pattern=r"^(memory://$|rediss?://.)")]
"""``memory://``, this process's own, or ``redis://…`` for all of them."""


class ProviderSettings(BaseSettings):
    """Where the limits of calls and money are counted."""

    provider_limits_url: StoreUrl = "memory://"
    """``redis://…``: calls a minute and the daily budget are those of all instances of a service together.
    ``memory://``: of each process."""
