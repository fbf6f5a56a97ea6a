"""Refusals of the storage service: one exception type, turned into Google's JSON envelope for the JSON
API and into its ``<Error>`` document for the XML API."""

import json
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

from starlette.responses import Response

_XML_CODES = {
    304: "NotModified",
    400: "InvalidArgument",
    403: "AccessDenied",
    404: "NoSuchKey",
    405: "MethodNotAllowed",
    409: "Conflict",
    411: "MissingContentLength",
    412: "PreconditionFailed",
    416: "InvalidRange",
    503: "ServiceUnavailable",
}


@dataclass
class StorageError(Exception):
    """A refusal with its HTTP status, JSON `reason`, message, and for the XML API a code and extra elements."""

    status: int
    reason: str
    message: str
    xml_code: str = ""
    details: dict[str, str] = field(default_factory=dict[str, str])
    headers: dict[str, str] = field(default_factory=dict[str, str])

    def json_response(self) -> Response:
        """The JSON envelope; 304 and 416 keep their status with as little body as HTTP allows."""
        if self.status == 304:
            return Response(status_code=304, headers=self.headers)
        cause = {"message": self.message, "domain": "global", "reason": self.reason}
        body = {"error": {"code": self.status, "message": self.message, "errors": [cause]}}
        return Response(json.dumps(body), self.status, self.headers, "application/json; charset=UTF-8")

    def xml_response(self) -> Response:
        """The ``<Error><Code/><Message/>…`` document."""
        if self.status == 304:
            return Response(status_code=304, headers=self.headers)
        code = self.xml_code or _XML_CODES.get(self.status, "InternalError")
        elements = {"Code": code, "Message": self.message, **self.details}
        inner = "".join(f"<{name}>{escape(text)}</{name}>" for name, text in elements.items())
        document = f"<?xml version='1.0' encoding='UTF-8'?><Error>{inner}</Error>"
        return Response(document, self.status, self.headers, "application/xml; charset=UTF-8")


def invalid(message: str) -> StorageError:
    """400: the request cannot mean anything."""
    return StorageError(400, "invalid", message)


def no_bucket(name: str) -> StorageError:
    """404 for a bucket."""
    message = f"The specified bucket does not exist: {name}"
    return StorageError(404, "notFound", message, xml_code="NoSuchBucket")


def no_object(bucket: str, name: str) -> StorageError:
    """404 for an object."""
    return StorageError(404, "notFound", f"No such object: {bucket}/{name}", xml_code="NoSuchKey")


def precondition_failed(which: str) -> StorageError:
    """412 for a condition of the request that does not hold."""
    message = f"At least one of the pre-conditions you specified did not hold: {which}."
    return StorageError(412, "conditionNotMet", message)
