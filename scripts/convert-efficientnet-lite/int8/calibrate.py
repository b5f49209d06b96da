"""Measures the tensors of a float network on photos: range, and mean per channel.

The output is committed, so that the int8 models do not depend on the versions of the packages below.

    npx tsx scripts/convert-efficientnet-lite/int8/write-float.ts FOLDER
    pip install -r scripts/convert-efficientnet-lite/int8/requirements.txt
    pip download --no-deps -d WHEELS scikit-image==0.26.0 scikit-learn==1.9.1
    python scripts/convert-efficientnet-lite/int8/calibrate.py FOLDER/efficientnet-lite0.onnx WHEELS > efficientnet-lite0.json
"""

import hashlib
import io
import json
import math
import pathlib
import sys
import zipfile

import numpy
import onnxruntime
from PIL import Image, ImageEnhance

# Photos rather than drawings or scans; no faces except the astronaut's. Licences: see the packages.
WHEELS = {
    "scikit_image-0.26.0-cp311-cp311-manylinux_2_24_x86_64.manylinux_2_28_x86_64.whl": (
        "74aa5518ccea28121f57a95374581d3b979839adc25bb03f289b1bc9b99c58af",
        "skimage/data",
        "astronaut.png brick.png camera.png chelsea.png clock_motion.png coffee.png coins.png grass.png gravel.png "
        "hubble_deep_field.jpg ihc.png moon.png motorcycle_left.png retina.jpg rocket.jpg",
    ),
    "scikit_learn-1.9.1-cp311-cp311-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl": (
        "52a0703bbc07ad27f560fa63fa68e4c54dd735bfbbf65b4dd3c225dc7547b6df",
        "sklearn/datasets/images",
        "china.jpg flower.jpg",
    ),
}
CROPS = 64
SEED = 0


def photos(folder):
    for wheel, (digest, place, names) in WHEELS.items():
        content = (pathlib.Path(folder) / wheel).read_bytes()
        found = hashlib.sha256(content).hexdigest()
        if found != digest:
            sys.exit(f"Expected {wheel} to have the SHA-256 {digest}, it has {found}")
        archive = zipfile.ZipFile(io.BytesIO(content))
        for name in names.split():
            yield Image.open(io.BytesIO(archive.read(f"{place}/{name}"))).convert("RGB")


def central_box(photo):
    """The centre crop of preprocessing: 224 of 256 pixels."""
    side = min(photo.size) * 0.875
    left, top = (photo.width - side) / 2, (photo.height - side) / 2
    return left, top, left + side, top + side


def random_box(photo, random):
    """15 to 100 % of the area, sides of 3:4 to 4:3."""
    while True:
        area = photo.width * photo.height * random.uniform(0.15, 1)
        aspect = math.exp(random.uniform(math.log(3 / 4), math.log(4 / 3)))
        width, height = math.sqrt(area * aspect), math.sqrt(area / aspect)
        if width <= photo.width and height <= photo.height:
            left = random.uniform(0, photo.width - width)
            top = random.uniform(0, photo.height - height)
            return left, top, left + width, top + height


def crops(photo, size, random):
    """The centre, then random crops, mirrored and with changed colours, as in training."""
    yield photo.resize((size, size), Image.BICUBIC, central_box(photo))
    for _ in range(CROPS - 1):
        crop = photo.resize((size, size), Image.BICUBIC, random_box(photo, random))
        if random.uniform() < 0.5:
            crop = crop.transpose(Image.FLIP_LEFT_RIGHT)
        for enhance in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
            crop = enhance(crop).enhance(random.uniform(0.6, 1.4))
        yield crop


def rounded(value, digits):
    return float(f"{value:.{digits}g}")


def measure(model, folder):
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    image = session.get_inputs()[0]
    names = [output.name for output in session.get_outputs()]
    random = numpy.random.default_rng(SEED)
    ranges, means = {}, {}

    def note(name, values):
        lowest, highest = ranges.get(name, (0.0, 0.0))
        ranges[name] = min(lowest, float(values.min())), max(highest, float(values.max()))
        means.setdefault(name, []).append(values.mean(axis=tuple(range(values.ndim - 1)), dtype=numpy.float64))

    for photo in photos(folder):
        for crop in crops(photo, image.shape[1], random):
            scaled = (numpy.asarray(crop, numpy.float32)[numpy.newaxis] - 127) / 128
            note(image.name, scaled)
            for name, values in zip(names, session.run(names, {image.name: scaled})):
                note(name, values)

    return {
        name: {
            "range": [rounded(bound, 6) for bound in ranges[name]],
            "mean": [rounded(mean, 4) for mean in numpy.mean(means[name], axis=0)],
        }
        for name in ranges
    }


if __name__ == "__main__":
    lines = [f'"{name}": {json.dumps(tensor, separators=(",", ":"))}' for name, tensor in measure(sys.argv[1], sys.argv[2]).items()]
    print("{\n" + ",\n".join(lines) + "\n}")
