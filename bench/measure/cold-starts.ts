import { spawn } from 'node:child_process'
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

/** Milliseconds from the start of a new process to its first label, by round. */
export interface ColdStarts {
  contestants: Record<string, number[]>
  /** The zip for stock `nodejs:20` with WebAssembly: unpacked, and with /init unpacking it. */
  bundled: number[]
  withInit: number[]
  /** A script with the same model on the npm packages of TensorFlow.js, with WebAssembly. */
  unbundled: number[]
  /** The part of it that does not depend on how code is loaded: Node.js, WebAssembly, weights, one inference. */
  inherent: number[]
}

/** @param zip of the action @param photo to classify, an espresso */
export async function measureColdStarts(
  contestants: Record<string, Contestant>,
  { zip, photo, scripts, folder }: { zip: string; photo: string; scripts: string; folder: string },
): Promise<Measurement<ColdStarts>> {
  const bytes = await readFile(zip)
  await unpack(zip, folder)
  // Beside its packages, like any script.
  const unbundled = join(peersFolder(), 'plain-wasm.js')
  await copyFile(join(contestantsFolder, 'plain-wasm.js'), unbundled)
  const found: ColdStarts = { contestants: {}, bundled: [], withInit: [], unbundled: [], inherent: [] }

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
      const plain = await firstLine(unbundled, [model, photo])
      found.unbundled.push(plain.after)
      found.inherent.push(Number(plain.rest))
      const unpacked = await firstLine(join(contestantsFolder, 'unpacked-action.js'), [folder, photo])
      found.bundled.push(unpacked.after)
      found.withInit.push(await startAction())
    },
    found: async () => found,
    stop: async () => {},
  }
}

/** Runs a script. @returns milliseconds until it printed its label, and its further output */
async function firstLine(script: string, args: string[]): Promise<{ after: number; rest: string }> {
  const began = performance.now()
  const child = spawn(process.execPath, [script, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { PATH: process.env.PATH },
  })
  const lines: string[] = []
  let after = 0
  for await (const line of createInterface({ input: child.stdout })) {
    after ||= performance.now() - began
    lines.push(line)
  }
  expectEspresso(lines[0])
  return { after, rest: lines.slice(1).join('\n') }
}

function expectEspresso(label: unknown): void {
  if (!String(label).includes('espresso')) throw new Error(`The photo was classified as ${label}`)
}
