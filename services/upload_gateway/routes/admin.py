"""What operators may see: uploads that belong to nobody."""

from fastapi import APIRouter

from hosting.answers import Answer
from hosting.app import API_ROOT
from upload_gateway.resources import Gateway
from upload_gateway.routes.admin_access import Operator
from upload_gateway.routes.representations import UploadShown, shown
from upload_gateway.routes.uploads import Limit, Offset, page_meta
from upload_gateway.store import uploads

router = APIRouter(prefix=API_ROOT, tags=["admin"])


class RejectedUpload(UploadShown):
    """An upload without owner, and where its object lies."""

    bucket: str
    object_name: str
    claimed_owner: str


@router.get("/admin/rejected")
async def rejected(
    _caller: Operator, gateway: Gateway, limit: Limit = 20, offset: Offset = 0
) -> Answer[list[RejectedUpload]]:
    """Objects whose owner cannot be told or does not exist."""
    async with gateway.database.transaction() as session:
        rows, total = await uploads.rejected(session, limit, offset)
    found = [
        RejectedUpload(
            **shown(row).model_dump(), bucket=row.bucket, object_name=row.object_name, claimed_owner=row.user_id
        )
        for row in rows
    ]
    return Answer(data=found, meta=page_meta(total, limit, offset, len(rows)))
