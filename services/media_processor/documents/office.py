"""Opens an Office file (docx, pptx, xlsx) so that its library can read it: Strict Open XML is put into usual terms."""

import io
import re
from pathlib import Path
from typing import BinaryIO
from zipfile import ZIP_DEFLATED, ZipFile

from media_processor import archives
from media_processor.formats import Format

_RELATIONS = "_rels/.rels"
_STRICT_MAIN = b"http://purl.oclc.org/ooxml/officeDocument/relationships/officeDocument"
_STRICT = re.compile(rb"http://purl\.oclc\.org/ooxml/(\w+)/")
_USUAL = rb"http://schemas.openxmlformats.org/\1/2006/"


def opened(path: Path) -> BinaryIO:
    """The file; of one in Strict terms, which differs in the names of its elements only, a copy in memory.

    The libraries know none but the names of 2006, by which they find nothing in a Strict file. Raises what ``ZipFile``
    does.
    """
    with ZipFile(path) as archive:
        names = dict.fromkeys(archive.namelist())
        if _RELATIONS not in names or _STRICT_MAIN not in archive.read(_RELATIONS):
            return path.open("rb")
        copy = io.BytesIO()
        with ZipFile(copy, "w", ZIP_DEFLATED, compresslevel=1) as usual:
            for name in names:
                part = archive.read(name)
                usual.writestr(name, _STRICT.sub(_USUAL, part) if name.endswith((".xml", ".rels")) else part)
    copy.seek(0)
    return copy


def main_types(format_: Format) -> list[str]:
    """All that the main part of such a file may be; the libraries know the usual ones only."""
    return [name for name, found in archives.MAIN_TYPES.items() if found == format_]
