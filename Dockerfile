# The TensorFlow.js runtime: OpenWhisk's Node.js 20 action runtime with TensorFlow.js, tfjs-node, MobileNet, jpeg-js and
# sharp, which any action can require, and ONNX Runtime and models for classify and predict. Actions bring their own code in
# their zips; one that brings none is predict, as it is of MAX's images. Nothing is fetched at run time.
#
#   docker build -t NAME .                                         the models in models/ on TensorFlow.js
#   docker build -t NAME --build-arg MODEL=faces --build-arg MODELS=faces --build-arg ENGINE=wasm .
#   docker buildx build --platform linux/amd64,linux/arm64 -t NAME .
#
# OpenWhisk publishes this base under moving tags only; for builds that can be repeated, name it by its digest:
#   docker build --build-arg BASE_IMAGE=openwhisk/action-nodejs-v20@sha256:… -t NAME .
ARG BASE_IMAGE=openwhisk/action-nodejs-v20:nightly
# What the image runs where no setting says otherwise: a folder of models/, a name of `whisklens model list`, or default,
# the one in models/ that suits the engine.
ARG MODEL=default
# All that it has beside that one, with spaces between; without any, all of models/.
ARG MODELS=
# What the image runs them with, and has the packages for: docs/runtime-image.md has the figures.
ARG ENGINE=tfjs
# The model of MAX whose answers predict gives, if several are of that kind.
ARG MAX_MODEL=

FROM node:20-bullseye-slim AS runtime
ARG MODEL
ARG MODELS
ARG ENGINE
WORKDIR /whisklens
# What compiles the addon of tfjs-node.
RUN case "$ENGINE" in tfjs|auto|tfjs-node) \
      apt-get update && apt-get install -y --no-install-recommends python3-pip g++;; \
    esac
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY . .
RUN node --import tsx scripts/build.ts \
 && node --import tsx scripts/write-runtime.ts /runtime --engine "$ENGINE" --model "$MODEL" --models "$MODELS"

FROM ${BASE_IMAGE}
ARG MODEL
ARG ENGINE
ARG MAX_MODEL
# What changes least, and what images of different models share, comes first.
COPY --from=runtime /runtime/tensorflow /whisklens
COPY --from=runtime /runtime/base /whisklens
COPY --from=runtime /runtime/model /whisklens
COPY --from=runtime /runtime/action /whisklens
# A deployment's own settings go before these. TensorFlow would start a thread for each core of the host, and log.
ENV WHISKLENS_HOME=/whisklens \
    NODE_PATH=/whisklens/node_modules \
    WHISKLENS_ENGINE=${ENGINE} \
    WHISKLENS_MODEL=${MODEL} \
    WHISKLENS_MAX_MODEL=${MAX_MODEL} \
    WHISKLENS_DEFAULT_ACTION=/whisklens/predict.zip \
    TF_NUM_INTRAOP_THREADS=1 \
    TF_NUM_INTEROP_THREADS=1 \
    TF_CPP_MIN_LOG_LEVEL=2
# The base runs as root, in /nodejsAction, where it unpacks an action's zip. It needs no more than to write there, and
# has the user node from its own base. The first command fails where the base is not the runtime we know. The link is for
# actions that import, which NODE_PATH does not reach.
RUN node -r /whisklens/without-code.cjs -e 0 \
 && ln -s /whisklens/node_modules /nodejsAction/node_modules \
 && chown node:node /nodejsAction
USER node
# Small spaces for young objects are 30 MB less; what is large here lies outside of them.
CMD ["node", "--expose-gc", "--max-semi-space-size=2", "-r", "/whisklens/without-code.cjs", "-r", "/whisklens/node-util.cjs", "app.js"]
# Each thread's arena would keep what decoders gave back (npm run bench:memory).
ENV MALLOC_ARENA_MAX=1 MALLOC_MMAP_THRESHOLD_=131072 MALLOC_TRIM_THRESHOLD_=131072
