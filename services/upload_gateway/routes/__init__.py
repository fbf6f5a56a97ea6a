"""The REST API of upload-gateway and its page."""

from fastapi import APIRouter

from upload_gateway.routes import admin, auth, files, upload, uploads, users

API: tuple[APIRouter, ...] = (
    upload.router,
    uploads.router,
    files.router,
    users.router,
    auth.router,
    admin.router,
)
"""Everything under ``/api/v1``; the page is made by ``routes.page.page_router``."""
