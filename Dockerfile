# The runtime of classify and predict: OpenWhisk's Node.js 20 action runtime with sharp, ONNX Runtime, TensorFlow.js' WASM
# binaries and the models. The actions' own code comes in their zips, and nothing is fetched at run time.
#
# OpenWhisk publishes this base under moving tags only; for builds that can be repeated, name it by its digest:
#   docker build --build-arg BASE_IMAGE=openwhisk/action-nodejs-v20@sha256:… -t NAME .
ARG BASE_IMAGE=openwhisk/action-nodejs-v20:nightly

FROM node:20-bullseye-slim AS runtime
WORKDIR /whisklens
COPY package.json package-lock.json .npmrc ./
RUN npm ci && npm install --no-save onnxruntime-node@1.30.0
COPY scripts/runtime-files.ts scripts/write-runtime.ts scripts/
COPY models models
RUN node --import tsx scripts/write-runtime.ts /runtime --onnx

FROM ${BASE_IMAGE}
COPY --from=runtime /runtime /whisklens
# The best engine that works; docs/engines.md has the figures. A deployment's own setting goes before.
ENV WHISKLENS_HOME=/whisklens NODE_PATH=/whisklens/node_modules WHISKLENS_ENGINE=auto
