#!/usr/bin/env bash
# Builds and pushes an image per MAX model. Such an image needs no code:
#   wsk action create NAME --docker USERNAME/NAME --web true -m 512
#
# Usage: MODELS="max-image-classifier max-facial-emotion-classifier" USERNAME=me scripts/build-runtimes.sh
#   TAG=latest     tag of the images
#   ENGINE=tfjs    for models that run on every engine
#   ARCH=          x64 or arm64; needs docker to run or emulate it
#   BASE_IMAGE=…   OpenWhisk runtime, by digest
#   PUSH=0         build without pushing
#   DOCKER=docker  build program, such as podman
set -euo pipefail
cd "$(dirname "$0")/.."

: "${MODELS:?Expected MODELS, the names of MAX models with spaces between them}"
: "${USERNAME:?Expected USERNAME, that of the registry where the images go}"
tag=${TAG:-latest}
docker=${DOCKER:-docker}

# Model and engines of each image.
describe() {
  case $1 in
    max-image-classifier) model=efficientnet-lite0 engine=${ENGINE:-tfjs} ;;
    max-object-detector) model=coco-ssd engine=wasm ;;
    max-facial-emotion-classifier | max-facial-age-estimator) model=faces engine=wasm ;;
    *)
      echo "Unknown image \"$1\". Known: max-image-classifier, max-object-detector," \
        "max-facial-emotion-classifier, max-facial-age-estimator." >&2
      return 2
      ;;
  esac
}

# Platform name of docker.
case ${ARCH:-} in
  '') platform= ;;
  x64) platform=linux/amd64 ;;
  arm64) platform=linux/arm64 ;;
  *)
    echo "Expected ARCH to be x64 or arm64, got \"$ARCH\"." >&2
    exit 2
    ;;
esac

# Check all names before building any image.
for name in $MODELS; do describe "$name"; done

for name in $MODELS; do
  describe "$name"
  image=$USERNAME/$name:$tag
  options=(--build-arg "MODEL=$model" --build-arg "MODELS=$model" --build-arg "ENGINE=$engine" --build-arg "MAX_MODEL=$name")
  if [ -n "${BASE_IMAGE:-}" ]; then options+=(--build-arg "BASE_IMAGE=$BASE_IMAGE"); fi
  if [ -n "$platform" ]; then options+=(--platform "$platform"); fi
  "$docker" build "${options[@]}" --tag "$image" .
  if [ "${PUSH:-1}" != 0 ]; then "$docker" push "$image"; fi
  echo "$image"
done
