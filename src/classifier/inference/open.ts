import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { WhisklensError } from '../../errors'
import { homeFolder } from '../../paths'
import { containerMemory, isMemoryScarce, MiB } from '../container-memory'
import type { Answer, Inference, Question, Respond } from './protocol'
import { startThread } from './thread'

/**
 * A thread takes 15 MB of its own, and another 40 where glibc keeps an arena for it, as it does without what the runtime
 * image sets. An action that has less memory needs them for images.
 */
const hasRoomForThread = process.env.MALLOC_ARENA_MAX ? !isMemoryScarce : containerMemory >= 768 * MiB

/** The bundle of program.ts: beside an action's own, else where it is built. */
function programFile(): string {
  const bundled = join(__dirname, 'inference.js')
  return existsSync(bundled) ? bundled : join(homeFolder(), 'dist', 'inference.cjs')
}

let respond: Respond | undefined

/** Starts the program with the models, which takes as long as the rest of an action. */
export function openInference(): void {
  respond ??= hasRoomForThread
    ? startThread(programFile())
    : (createRequire(__filename)(programFile()).respond as Respond)
}

async function ask(question: Question): Promise<unknown> {
  openInference()
  const { value, error } = await (respond as Respond)(question)
  if (error) throw errorOf(error)
  return value
}

const asking =
  <A extends keyof Inference>(name: A) =>
  (...args: Parameters<Inference[A]>) =>
    ask({ ask: name, args }) as ReturnType<Inference[A]>

/** What the program does, wherever it runs. */
export const inference: Inference = {
  load: asking('load'),
  warmUp: asking('warmUp'),
  look: asking('look'),
  memory: asking('memory'),
}

function errorOf({ code, message, hint, stack }: NonNullable<Answer['error']>): Error {
  if (code) return new WhisklensError(code, message, { hint })
  return Object.assign(new Error(message), { stack })
}
