"""Classifies the images of a folder with Pillow and onnxruntime, one process per core.

Usage: classify.py <model folder> <folder of images>
Prints for each image, in order, {"file", "labels": [{"index", "label", "probability"}]}, the five most probable first.
The model folder holds whisklens.json, its labels and model.onnx.
"""

import json
import multiprocessing
import os
import sys

import numpy
import onnxruntime
from PIL import Image

from preprocess import preprocess


def load(folder):
    global session, description, classes, feed
    with open(os.path.join(folder, "whisklens.json"), encoding="utf-8") as file:
        description = json.load(file)
    with open(os.path.join(folder, description["labels"]), encoding="utf-8") as file:
        classes = [one["className"] for one in json.load(file)]
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(os.path.join(folder, "model.onnx"), options, ["CPUExecutionProvider"])
    feed = session.get_inputs()[0].name


def classify(path):
    spec = description["input"]
    pixels = numpy.asarray(preprocess(Image.open(path), spec, shrink_on_load=True))
    if spec.get("type") != "uint8":
        pixels = (pixels.astype(numpy.float32) - numpy.float32(spec["mean"])) / numpy.float32(spec["std"])
    if spec.get("layout") == "nchw":
        pixels = pixels.transpose(2, 0, 1)
    values = session.run(None, {feed: pixels[None]})[0][0][description.get("skip", 0) :]
    if description.get("logits"):
        values = numpy.exp(values - values.max())
        values /= values.sum()
    top = numpy.argsort(-values)[:5]
    labels = [{"index": int(i), "label": classes[i], "probability": float(values[i])} for i in top]
    return json.dumps({"file": path, "labels": labels})


def main():
    model, folder = sys.argv[1:]
    paths = sorted(os.path.join(folder, name) for name in os.listdir(folder))
    cores = len(os.sched_getaffinity(0))
    with multiprocessing.get_context("fork").Pool(cores, load, [model]) as pool:
        for line in pool.imap(classify, paths, chunksize=4):
            print(line)


if __name__ == "__main__":
    main()
