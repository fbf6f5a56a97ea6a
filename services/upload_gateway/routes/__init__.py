"""The REST API of upload-gateway and its page."""

from fastapi import APIRouter

from upload_gateway.routes import (
    admin,
    admin_dead_letters,
    admin_reconcile,
    admin_reembed,
    admin_users,
    auth,
    batch,
    events,
    files,
    repair,
    sessions,
    upload,
    uploads,
    users,
)

API: tuple[APIRouter, ...] = (
    uploads.router,
    files.router,
    upload.router,
    sessions.router,
    batch.router,
    users.router,
    auth.router,
    events.router,
    admin.router,
    repair.router,
    admin_dead_letters.router,
    admin_reconcile.router,
    admin_reembed.router,
    admin_users.router,
)
"""Everything under ``/api/v1``, what is asked most first: routes are tried in their order. The page is made by
``routes.page.page_router``.
"""
