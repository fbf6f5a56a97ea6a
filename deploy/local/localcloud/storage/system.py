"""The whole service in one readable list: data directory → database, bodies, stores → routes → application."""

import fcntl
import logging
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from localcloud.storage.app import StorageApp
from localcloud.storage.batch import BatchRoutes
from localcloud.storage.bodies import BodyStore
from localcloud.storage.bucket_routes import BucketRoutes
from localcloud.storage.bucket_store import BucketStore
from localcloud.storage.credentials import ensure_certificate, ensure_signer
from localcloud.storage.database import Database
from localcloud.storage.faults import Faults
from localcloud.storage.object_routes import ObjectRoutes
from localcloud.storage.object_store import ObjectStore
from localcloud.storage.outbox import Outbox
from localcloud.storage.relay import Relay
from localcloud.storage.resources import Resources
from localcloud.storage.sessions import SessionRequests
from localcloud.storage.settings import Settings
from localcloud.storage.single_upload import SingleUpload
from localcloud.storage.upload_routes import UploadRoutes
from localcloud.storage.uploads import UploadStore
from localcloud.storage.xml_routes import XmlRoutes

logger = logging.getLogger(__name__)


class DirectoryTakenError(Exception):
    """Another process serves the data directory."""


class StorageSystem:
    """Everything that lives as long as the process."""

    def __init__(self, settings: Settings, port: int) -> None:
        directory = settings.data_dir
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = (directory / "lock").open("w")
        # Two processes on one directory would remove each other's unfinished bodies.
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DirectoryTakenError(f"another process already serves {directory}") from None
        self.certificate, self.key = ensure_certificate(directory)
        signer = ensure_signer(directory)
        self._database = Database(directory / "metadata.sqlite")
        self._bodies = BodyStore(directory / "bodies")
        resources = Resources(settings.public_url or f"http://127.0.0.1:{port}")
        self.outbox = Outbox(self._database, resources)
        self.relay = Relay(self.outbox, settings.broker) if settings.broker else None
        buckets = BucketStore(self._database)
        objects = ObjectStore(self._database, self._bodies, self.outbox)
        self.uploads = UploadStore(self._database, self._bodies, objects)
        sessions = SessionRequests(self.uploads)
        single = SingleUpload(objects, self._bodies)
        faults = Faults()
        hosts = [urlsplit(settings.public_url).netloc] if settings.public_url else []
        xml = XmlRoutes(buckets, objects, single, self.uploads, sessions, signer, hosts)
        routes = [
            *BucketRoutes(buckets).routes(),
            *ObjectRoutes(objects, self._database).routes(),
            *UploadRoutes(single, self.uploads, sessions).routes(),
            *BatchRoutes(self._respond).routes(),
            *faults.routes(),
        ]
        self.app = StorageApp(routes, xml.respond, sessions, faults, hosts)
        self._recover()

    def sweep(self) -> None:
        """Forget what a week has overtaken: upload sessions and announcements nobody took. Blocking."""
        sessions, announcements = self.uploads.expire(), self.outbox.expire()
        if sessions or announcements:
            logger.warning("expired: %d upload sessions, %d notifications", sessions, announcements)

    def close(self) -> None:
        """Close the database and release the directory."""
        self._database.close()
        self._lock.close()

    async def _respond(self, request: Request) -> Response:
        return await self.app.respond(request)

    def _recover(self) -> None:
        self.sweep()
        with self._database.read() as connection:
            query = "SELECT body_id FROM objects UNION SELECT body_id FROM uploads WHERE finished_generation IS NULL"
            known = {row["body_id"] for row in connection.execute(query)}
        if orphans := self._bodies.remove_orphans(known.__contains__):
            logger.info("removed %d bodies no object names", orphans)
