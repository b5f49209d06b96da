/** An npm package that some models need and most do not. */
export interface PeerLibrary {
  name: string
  version: string
  /** Its CommonJS file, below the package's folder. */
  file: string
}

export const peerLibraries = {
  faceApi: {
    name: '@vladmandic/face-api',
    version: '1.7.15',
    // The build that takes TensorFlow.js from outside; the others bring a copy, or want the native addon.
    file: 'dist/face-api.node-wasm.js',
  },
  cocoSsd: { name: '@tensorflow-models/coco-ssd', version: '2.2.3', file: 'dist/coco-ssd.node.js' },
  mobilenet: { name: '@tensorflow-models/mobilenet', version: '2.1.1', file: 'dist/index.js' },
} satisfies Record<string, PeerLibrary>

/** As `npm install` takes it. */
export const packageOf = ({ name, version }: PeerLibrary): string => `${name}@${version}`
