# The runtime of classify and predict: OpenWhisk's Node.js 20 action runtime with sharp, TensorFlow.js' WASM binaries and
# the models. The actions' own code comes in their zips.
FROM node:20-bookworm-slim AS modules
WORKDIR /modules
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev

FROM openwhisk/action-nodejs-v20:latest
ENV WHISKLENS_HOME=/whisklens
COPY --from=modules /modules/node_modules/sharp /whisklens/node_modules/sharp
COPY --from=modules /modules/node_modules/@img /whisklens/node_modules/@img
COPY --from=modules /modules/node_modules/detect-libc /whisklens/node_modules/detect-libc
COPY --from=modules /modules/node_modules/semver /whisklens/node_modules/semver
COPY --from=modules /modules/node_modules/@tensorflow/tfjs-backend-wasm/dist/*.wasm /whisklens/wasm/
COPY models /whisklens/models
ENV NODE_PATH=/whisklens/node_modules
