"""Preprocesses images for a network with a square input, with Pillow only."""

from PIL import Image, ImageOps

FILTERS = {
    "cubic": Image.Resampling.BICUBIC,
    "linear": Image.Resampling.BILINEAR,
    "lanczos3": Image.Resampling.LANCZOS,
}


def preprocess(image, spec, shrink_on_load=False):
    """An RGB image of the model's size. `spec` is the input of a whisklens.json."""
    size = spec["size"]
    short = spec.get("resizeShortSide")
    if shrink_on_load:
        # JPEG only: decode at a half, a quarter or an eighth, but no less than twice the target size.
        image.draft("RGB", (2 * (short or size),) * 2)
    image = ImageOps.exif_transpose(image)
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    if image.mode != "RGB":
        image = image.convert("RGB")
    width, height = image.size
    if short is None:
        return image.resize((size, size), FILTERS[spec["kernel"]])
    scale = short / min(width, height)
    width, height = round(width * scale), round(height * scale)
    # Round half to even, as torchvision's CenterCrop does.
    left, top = int(round((width - size) / 2.0)), int(round((height - size) / 2.0))
    image = image.resize((width, height), FILTERS[spec["kernel"]])
    return image.crop((left, top, left + size, top + size))
