"""Prints for each file of a folder, in JSON by its name, what Pillow makes of it: its mode and its pixels as a network of one
square sees them, in base64; or why it does not read it.

Usage: pillow.py <bench/python> <input of a whisklens.json> <folder>
"""

import base64
import json
import os
import sys
import warnings

from PIL import Image

tools, spec, folder = sys.argv[1:]
sys.path.insert(0, tools)

from preprocess import preprocess  # noqa: E402

warnings.simplefilter("ignore")
for name in sorted(os.listdir(folder)):
    try:
        image = Image.open(os.path.join(folder, name))
        mode = image.mode
        image.load()
        pixels = base64.b64encode(preprocess(image, json.loads(spec)).tobytes()).decode()
        found = {"mode": mode, "pixels": pixels}
    except Exception as error:
        found = {"error": f"{type(error).__name__}: {error}"[:200]}
    print(json.dumps({"name": name, **found}))
