#!/usr/bin/env bash
# Builds one image for each model of MAX and pushes it. Such an image needs no code:
#   wsk action create NAME --docker USERNAME/NAME --web true -m 512
#
# Usage: MODELS="max-image-classifier max-facial-emotion-classifier" USERNAME=me scripts/build-runtimes.sh
#   TAG=latest     the images' tag
#   ENGINE=auto    for models that run on every engine
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
    max-image-classifier) model=efficientnet-lite0 engine=${ENGINE:-auto} ;;
    max-object-detector) model=coco-ssd engine=wasm ;;
    max-facial-emotion-classifier | max-facial-age-estimator) model=faces engine=wasm ;;
    *)
      echo "There is no image for \"$1\". There are max-image-classifier, max-object-detector," \
        "max-facial-emotion-classifier and max-facial-age-estimator." >&2
      return 2
      ;;
  esac
}

# A name that is wrong is found before hours are spent on others.
for name in $MODELS; do describe "$name"; done

for name in $MODELS; do
  describe "$name"
  image=$USERNAME/$name:$tag
  options=(--build-arg "MODEL=$model" --build-arg "ENGINE=$engine" --build-arg "MAX_MODEL=$name")
  if [ -n "${BASE_IMAGE:-}" ]; then options+=(--build-arg "BASE_IMAGE=$BASE_IMAGE"); fi
  "$docker" build "${options[@]}" --tag "$image" .
  if [ "${PUSH:-1}" != 0 ]; then "$docker" push "$image"; fi
  echo "$image"
done
