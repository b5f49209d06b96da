#!/usr/bin/env bash
# Builds one image for each model of MAX and pushes it. Such an image needs no code:
#   wsk action create NAME --docker USERNAME/NAME --web true -m 512
#
# Usage: MODELS="max-image-classifier max-facial-emotion-classifier" USERNAME=me scripts/build-runtimes.sh
#   TAG=latest     the images' tag
#   ENGINE=tfjs    for models that run on every engine
#   ARCH=          x64 or arm64: builds for that architecture, where docker can run or emulate it
#   BASE_IMAGE=…   OpenWhisk's runtime, by its digest
#   PUSH=0         builds without pushing
#   DOCKER=docker  the program to build with, such as podman
set -euo pipefail
cd "$(dirname "$0")/.."

: "${MODELS:?Expected MODELS, the names of MAX models with spaces between them}"
: "${USERNAME:?Expected USERNAME, that of the registry where the images go}"
tag=${TAG:-latest}
docker=${DOCKER:-docker}

# Each image's model, and the engines that run it.
describe() {
  case $1 in
    max-image-classifier) model=efficientnet-lite0 engine=${ENGINE:-tfjs} ;;
    max-object-detector) model=coco-ssd engine=wasm ;;
    max-facial-emotion-classifier | max-facial-age-estimator) model=faces engine=wasm ;;
    *)
      echo "There is no image for \"$1\". There are max-image-classifier, max-object-detector," \
        "max-facial-emotion-classifier and max-facial-age-estimator." >&2
      return 2
      ;;
  esac
}

# As docker calls it.
case ${ARCH:-} in
  '') platform= ;;
  x64) platform=linux/amd64 ;;
  arm64) platform=linux/arm64 ;;
  *)
    echo "There are images for x64 and arm64, not for \"$ARCH\"." >&2
    exit 2
    ;;
esac

# A name that is wrong is found before hours are spent on others.
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
