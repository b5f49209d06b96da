import { build } from 'esbuild'

/** The source files in the bundle of an entry point. */
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

it.each(['actions/classify.ts', 'actions/predict.ts', 'src/classifier/inference/program.ts'])(
  'the bundle %s contains no network compiler',
  async (entry) => {
    const inputs = await inputsOf(entry)
    expect(inputs).toContain('src/errors.ts')
    expect(inputs.filter((path) => /^src\/(network|models)\/|onnx-proto|protobufjs/.test(path))).toEqual([])
  },
)
