"""What each service's settings read from the environment, told by the settings classes themselves."""

import importlib

from pydantic_settings import BaseSettings

from contracts.artifacts import Service

PLATFORM = {
    "GOOGLE_APPLICATION_CREDENTIALS",
    "PUBSUB_EMULATOR_HOST",
    "STORAGE_EMULATOR_HOST",
}
"""Read by Google's clients."""


def settings_class(service: str) -> type[BaseSettings]:
    return importlib.import_module(f"{service.replace('-', '_')}.settings").Settings


def known(service: str) -> set[str]:
    """Every environment variable that the service understands."""
    return {name.upper() for name in settings_class(service).model_fields}


def required(service: str) -> set[str]:
    """Those without which it does not start."""
    return {name.upper() for name, field in settings_class(service).model_fields.items() if field.is_required()}


def connections(service: str) -> int:
    """How many an instance's pool opens at most: no environment sets another number."""
    return settings_class(service).model_fields["database_pool_size"].default


SERVICES = [service.value for service in Service]
