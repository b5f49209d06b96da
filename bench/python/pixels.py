"""Prints the pixels of images, preprocessed by preprocess.py, in base64, one image per line.

Usage: pixels.py <input of a whisklens.json> <image>...
"""

import base64
import json
import sys

from PIL import Image

from preprocess import preprocess

spec, *files = sys.argv[1:]
for file in files:
    print(base64.b64encode(preprocess(Image.open(file), json.loads(spec)).tobytes()).decode())
