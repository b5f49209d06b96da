import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { startActionProcess } from '../../test/helpers/action-process'
import type { Contestant } from '../contestants'
import { peersFolder } from '../peers'
import { root, startChild } from '../processes'
import { unpack } from '../unpack'
import { inTurn, type Measurement } from './measurement'

const contestantsFolder = join(root, 'bench', 'contestants')

/** Milliseconds from the start of a fresh process to its first label, by round. */
export interface ColdStarts {
  contestants: Record<string, number[]>
  /** The zip for stock `nodejs:20`, WebAssembly: from the folder it was unpacked to, and with /init unpacking it. */
  bundled: number[]
  withInit: number[]
  /** A script with the same model on TensorFlow.js's packages as they are in node_modules, WebAssembly. */
  unbundled: number[]
}

/** @param zip of the action @param photo what to classify, an espresso */
export async function measureColdStarts(
  contestants: Record<string, Contestant>,
  { zip, photo, scripts, folder }: { zip: string; photo: string; scripts: string; folder: string },
): Promise<Measurement<ColdStarts>> {
  const bytes = await readFile(zip)
  await unpack(zip, folder)
  // Beside its packages, as anybody's script is.
  const unbundled = join(peersFolder(), 'plain-wasm.js')
  await copyFile(join(contestantsFolder, 'plain-wasm.js'), unbundled)
  const found: ColdStarts = { contestants: {}, bundled: [], withInit: [], unbundled: [] }

  async function start(name: string, { script, args }: Contestant): Promise<void> {
    const child = await startChild(`${scripts}/${script}.js`, [...args, photo])
    await child.stop()
    found.contestants[name] ??= []
    found.contestants[name].push(child.readyAfter)
  }

  async function startAction(): Promise<number> {
    const [code, image] = [bytes.toString('base64'), (await readFile(photo)).toString('base64')]
    const began = performance.now()
    const action = await startActionProcess()
    try {
      await action.init(code)
      const { results } = (await action.run({ image })) as { results?: { className: string }[] }
      expectEspresso(results?.[0]?.className)
      return performance.now() - began
    } finally {
      await action.stop()
    }
  }

  return {
    turn: async (round) => {
      for (const [name, one] of inTurn(Object.entries(contestants), round)) await start(name, one)
      const model = join(root, 'models', 'efficientnet-lite0')
      found.unbundled.push(await firstLine(unbundled, [model, photo]))
      found.bundled.push(await firstLine(join(contestantsFolder, 'unpacked-action.js'), [folder, photo]))
      found.withInit.push(await startAction())
    },
    found: async () => found,
    stop: async () => {},
  }
}

/** Milliseconds until a script, run as it is, has printed its label. */
async function firstLine(script: string, args: string[]): Promise<number> {
  const began = performance.now()
  const child = spawn(process.execPath, [script, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { PATH: process.env.PATH },
  })
  const closed = once(child, 'close')
  const line = await Promise.race([once(createInterface({ input: child.stdout }), 'line'), closed])
  const taken = performance.now() - began
  await closed
  expectEspresso(line[0])
  return taken
}

function expectEspresso(label: unknown): void {
  if (!String(label).includes('espresso')) throw new Error(`The photo was not classified: ${label}`)
}
