# The TensorFlow.js runtime: OpenWhisk's Node.js 20 action runtime with TensorFlow.js, tfjs-node, MobileNet, jpeg-js and
# sharp for any action, and ONNX Runtime and models for classify and predict. An action without code is predict, as in MAX's
# images. Nothing is fetched at run time.
#
#   docker build -t NAME .                                         the models in models/ on TensorFlow.js
#   docker build -t NAME --build-arg MODEL=faces --build-arg MODELS=faces --build-arg ENGINE=wasm .
#   docker buildx build --platform linux/amd64,linux/arm64 -t NAME .
#
# OpenWhisk publishes this base under moving tags only. For reproducible builds, pin its digest:
#   docker build --build-arg BASE_IMAGE=openwhisk/action-nodejs-v20@sha256:… -t NAME .
ARG BASE_IMAGE=openwhisk/action-nodejs-v20:nightly
# The default model: a folder in models/, a name from `whisklens model list`, or "default", the one in models/ that suits the
# engine.
ARG MODEL=default
# Further models, separated by spaces. Empty: all of models/.
ARG MODELS=
# The engine, whose packages are installed. docs/runtime-image.md compares them.
ARG ENGINE=tfjs
# The MAX model that predict answers as, if several fit the model.
ARG MAX_MODEL=

FROM node:20-bullseye-slim AS runtime
ARG MODEL
ARG MODELS
ARG ENGINE
WORKDIR /whisklens
# Compiler for the addon of tfjs-node.
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
# Layers that change least, and that images of different models share, come first.
COPY --from=runtime /runtime/tensorflow /whisklens
COPY --from=runtime /runtime/base /whisklens
COPY --from=runtime /runtime/model /whisklens
COPY --from=runtime /runtime/action /whisklens
# Settings of a deployment override these. By default, TensorFlow starts a thread per core of the host, and logs.
ENV WHISKLENS_HOME=/whisklens \
    NODE_PATH=/whisklens/node_modules \
    WHISKLENS_ENGINE=${ENGINE} \
    WHISKLENS_MODEL=${MODEL} \
    WHISKLENS_MAX_MODEL=${MAX_MODEL} \
    WHISKLENS_DEFAULT_ACTION=/whisklens/predict.zip \
    TF_NUM_INTRAOP_THREADS=1 \
    TF_NUM_INTEROP_THREADS=1 \
    TF_CPP_MIN_LOG_LEVEL=2
# The base runs as root in /nodejsAction, where it unpacks an action's zip. Write access there is all that it needs, so the
# user node, which it inherits, is enough. The first command fails if the base is not the expected runtime. The link serves
# actions that use import, to which NODE_PATH does not apply.
RUN node -r /whisklens/without-code.cjs -e 0 \
 && ln -s /whisklens/node_modules /nodejsAction/node_modules \
 && chown node:node /nodejsAction
USER node
# A small young generation saves 30 MB; large buffers are outside of it.
CMD ["node", "--expose-gc", "--max-semi-space-size=2", "-r", "/whisklens/without-code.cjs", "-r", "/whisklens/node-util.cjs", "app.js"]
# An arena per thread would keep memory that decoders have freed (npm run bench:memory).
ENV MALLOC_ARENA_MAX=1 MALLOC_MMAP_THRESHOLD_=131072 MALLOC_TRIM_THRESHOLD_=131072
