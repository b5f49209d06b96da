"""An image as a network of one square sees it, made with Pillow alone."""

import numpy
from PIL import Image, ImageOps

FILTERS = {
    "cubic": Image.Resampling.BICUBIC,
    "linear": Image.Resampling.BILINEAR,
    "lanczos3": Image.Resampling.LANCZOS,
}


def preprocess(image, spec, shrink_on_load=True):
    """The pixels, height x width x 3, of 0-255. `spec` is the input of a whisklens.json."""
    size = spec["size"]
    short = spec.get("resizeShortSide")
    if shrink_on_load:
        # JPEG only: decoded at a half, a quarter or an eighth, never under twice of what is wanted.
        image.draft("RGB", (2 * (short or size),) * 2)
    image = ImageOps.exif_transpose(image)
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    image = image.convert("RGB")
    width, height = image.size
    if short is None:
        return numpy.asarray(image.resize((size, size), FILTERS[spec["kernel"]]))
    scale = short / min(width, height)
    scaled = (round(width * scale), round(height * scale))
    # Rounded as torchvision's CenterCrop does: half to even.
    left = int(round((scaled[0] - size) / 2.0))
    top = int(round((scaled[1] - size) / 2.0))
    image = image.resize(scaled, FILTERS[spec["kernel"]])
    return numpy.asarray(image.crop((left, top, left + size, top + size)))
