import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { WhisklensError } from '../../errors'
import { homeFolder } from '../../paths'
import { containerMemory, isMemoryScarce, MiB } from '../container-memory'
import type { Answer, Inference, Question, Respond } from './protocol'
import { startThread } from './thread'

/**
 * A thread needs 15 MB, and 40 more if glibc keeps an arena for it, as it does without the runtime image's settings. Actions with
 * less memory need it for images.
 */
const hasRoomForThread = process.env.MALLOC_ARENA_MAX ? !isMemoryScarce : containerMemory >= 768 * MiB

/** Bundle of program.ts: beside the action's own, else in the build. */
function programFile(): string {
  const bundled = join(__dirname, 'inference.js')
  return existsSync(bundled) ? bundled : join(homeFolder(), 'dist', 'inference.cjs')
}

let respond: Respond | undefined

/** Starts the inference program, which loads in parallel with the rest of the action. */
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

const proxy =
  <A extends keyof Inference>(name: A) =>
  (...args: Parameters<Inference[A]>) =>
    ask({ ask: name, args }) as ReturnType<Inference[A]>

/** Proxy of the inference program, in a thread or in this one. */
export const inference: Inference = {
  load: proxy('load'),
  warmUp: proxy('warmUp'),
  predict: proxy('predict'),
  memory: proxy('memory'),
}

function errorOf({ code, message, hint, stack }: NonNullable<Answer['error']>): Error {
  if (code) return new WhisklensError(code, message, { hint })
  return Object.assign(new Error(message), { stack })
}
