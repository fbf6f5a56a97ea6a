"""Turns colours that a picture's own profile explains (Display P3, Adobe RGB, a printer's) into those of sRGB."""

import contextlib
import io

from PIL import Image, ImageCms

from media_processor import pictures


def in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """8-bit RGB as browsers show it; as ``pictures.as_rgb`` gives it where a profile is missing or of no use."""
    image = image if image.mode == "CMYK" else pictures.as_rgb(image)
    with contextlib.suppress(ImageCms.PyCMSError, OSError, ValueError, TypeError):
        if profile and (of_file := _opened(profile, image.mode)):
            converted = ImageCms.profileToProfile(image, of_file, ImageCms.createProfile("sRGB"), outputMode="RGB")
            return converted or image
    return pictures.as_rgb(image)


def _opened(profile: bytes, mode: str) -> ImageCms.ImageCmsProfile | None:
    """The profile if it is one of such pictures, and not sRGB already, which most are."""
    opened = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    about = opened.profile
    assert isinstance(about, ImageCms.core.CmsProfile)
    is_usual = "srgb" in (about.profile_description or "").casefold()
    return None if is_usual or about.xcolor_space.strip() != mode else opened
