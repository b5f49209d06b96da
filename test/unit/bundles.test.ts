import { build } from 'esbuild'

/** What an action and the program with the models are bundled of. */
async function inputsOf(entry: string): Promise<string[]> {
  const { metafile } = await build({
    absWorkingDir: `${__dirname}/../..`,
    entryPoints: [entry],
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    external: ['sharp', 'node-fetch'],
    logLevel: 'silent',
  })
  return Object.keys(metafile.inputs)
}

/** Writes a SavedModel for TensorFlow, which reads no graphs of TensorFlow.js. */
const savedModel = ['graph', 'read-graph', 'shapes', 'weights', 'float16', 'saved-model', 'protobuf']

it.each(['actions/classify.ts', 'actions/predict.ts', 'src/classifier/inference/program.ts'])(
  'the bundle %s contains no network compiler',
  async (entry) => {
    const inputs = await inputsOf(entry)
    expect(inputs).toContain('src/errors.ts')
    const compiler = inputs.filter((path) => /^src\/(network|models)\/|onnx-proto|protobufjs/.test(path))
    const allowed = savedModel.map((name) => `src/network/${name}.ts`)
    expect(compiler.filter((path) => !allowed.includes(path))).toEqual([])
  },
)
