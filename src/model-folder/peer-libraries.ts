/** An npm package that only some models need. */
export interface PeerLibrary {
  name: string
  version: string
  /** Path of its CommonJS file in the package. */
  file: string
}

export const peerLibraries = {
  faceApi: {
    name: '@vladmandic/face-api',
    version: '1.7.15',
    // The build that takes TensorFlow.js from outside; others bundle a copy or need the native addon.
    file: 'dist/face-api.node-wasm.js',
  },
  cocoSsd: { name: '@tensorflow-models/coco-ssd', version: '2.2.3', file: 'dist/coco-ssd.node.js' },
  mobilenet: { name: '@tensorflow-models/mobilenet', version: '2.1.1', file: 'dist/index.js' },
} satisfies Record<string, PeerLibrary>

/** The package as an argument of `npm install`. */
export const packageOf = ({ name, version }: PeerLibrary): string => `${name}@${version}`
