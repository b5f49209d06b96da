import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { type Agent, request } from 'node:http'
import type { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { ChannelAgent, channelDescriptor } from './channel'
import { Logs } from './logs'
import { residentBytes } from './memory'
import { hasGroups, signalGroup } from './process-group'

/** What ended a container in the middle of its work. */
export type Failure = 'exit' | 'memory' | 'timeout'

export interface Reply {
  status: number
  /** JSON. */
  body: string
}

/** The reply to a body that is nested too deep to be serialised; it was not sent to the container. */
export const tooDeep: Reply = { status: 400, body: '{"error":"The parameters are nested too deep."}' }

export interface ContainerOptions {
  /** The runtime's program. */
  runtime: string
  /** The container's own folder: where it works, keeps temporary files and is at home; removed with it. */
  folder: string
  /** MB. */
  memory: number
  environment: Record<string, string>
}

/** In MB: the watching thread in the runtime, which a real container has no need of. */
const overhead = 16
/** How often the memory is looked at, in milliseconds; without /proc that takes a process. */
const memoryInterval = process.platform === 'linux' ? 100 : 1000

/**
 * A Node process in place of an action container, with the same protocol: /init once, then any number of /run. It is
 * spoken over an inherited pair of sockets: the process listens nowhere, so no other process can make it run code.
 */
export class Container {
  readonly logs: Logs
  private readonly child: ChildProcess
  private readonly exited: Promise<void>
  private readonly agent: Agent
  private failure: Failure = 'exit'
  private hasExited = false
  private onExit = (): void => {}

  private constructor(private readonly options: ContainerOptions) {
    const { runtime, folder, memory, environment } = options
    mkdirSync(folder, { recursive: true })
    this.child = fork(runtime, [], {
      cwd: folder,
      // Nothing of the host's own environment, which holds secrets.
      env: { PATH: process.env.PATH, LANG: 'C.UTF-8', ...homesOf(folder), ...environment },
      // The first as the platform's runtime does.
      execArgv: ['--expose-gc', `--max-old-space-size=${memory}`],
      // The last is the pair of sockets; on Windows, full duplex needs 'overlapped'.
      stdio: ['ignore', 'pipe', 'pipe', 'ipc', 'overlapped'],
      // A process group of its own, so that what the action starts ends with it.
      detached: hasGroups,
    })
    const { stdout, stderr } = this.child as { stdout: Readable; stderr: Readable }
    this.logs = new Logs(stdout, stderr)
    // A broken connection means a dying container, whose exit is the answer.
    this.agent = new ChannelAgent((this.child.stdio[channelDescriptor] as Socket).on('error', ignore))
    // V8 gives up before the container's memory does when the limit is reached by objects alone.
    stderr.on('data', (piece: string) => {
      // Node.js says JavaScript of its main thread, and JS of others.
      if (/(JavaScript|JS) heap out of memory/.test(piece)) this.failure = 'memory'
    })
    const closed = new Promise((resolve) => this.child.once('close', resolve))
    // What an action left running may keep the streams open, so their end is waited for only briefly.
    this.exited = new Promise((resolve) => this.child.once('exit', resolve).once('error', resolve))
      .then(() => Promise.race([closed, sleep(500, undefined, { ref: false })]))
      .then(() => {
        this.logs.close()
        this.hasExited = true
        this.onExit()
      })
  }

  /** Starts a container; it is ready for /init when this resolves. */
  static async start(options: ContainerOptions): Promise<Container> {
    const container = new Container(options)
    const tooEarly = container.exited.then(() => Promise.reject(new Error('The container did not start.')))
    try {
      await Promise.race([once(container.child, 'message'), tooEarly])
      return container
    } catch (thrown) {
      await container.stop()
      throw thrown
    }
  }

  /** Whether its process has ended, for whatever reason. */
  get isGone(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null
  }

  /**
   * Posts to the runtime.
   * @param timeout in milliseconds
   * @returns how the container ended if it did so instead of answering; `tooDeep` when nothing was sent
   */
  async post(path: '/init' | '/run', payload: object, timeout: number): Promise<Reply | Failure> {
    const body = written(payload)
    if (body === undefined) {
      this.logs.close()
      return tooDeep
    }
    const timer = setTimeout(() => this.kill('timeout'), timeout)
    // Reading a large archive takes more memory than the action will, so only runs are watched.
    const watch = path === '/run' ? setInterval(() => this.checkMemory(), memoryInterval) : undefined
    // Not a race of promises: one with a promise as old as the container would keep every reply until its end.
    const answer = await new Promise<Reply | Failure>((resolve) => {
      this.onExit = () => resolve(this.failure)
      if (this.hasExited) this.onExit()
      this.exchange(path, body, resolve)
    })
    clearTimeout(timer)
    clearInterval(watch)
    return answer
  }

  /** Ends the container, asking first. */
  async stop(): Promise<void> {
    this.signal('SIGTERM')
    const timer = setTimeout(() => this.signal('SIGKILL'), 1000)
    await this.exited
    clearTimeout(timer)
    // Windows keeps the files of a process for a moment.
    await rm(this.options.folder, { recursive: true, force: true, maxRetries: 5 })
  }

  private exchange(path: string, payload: string, resolve: (reply: Reply) => void): void {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) }
    request({ path, method: 'POST', headers, agent: this.agent })
      .on('response', (response) => {
        const status = response.statusCode ?? 0
        text(response).then((body) => resolve({ status, body }), ignore)
      })
      .on('error', ignore)
      .end(payload)
  }

  private checkMemory(): void {
    const limit = (this.options.memory + overhead) * 1024 * 1024
    if (residentBytes(this.child.pid ?? 0) > limit) this.kill('memory')
  }

  private kill(failure: Failure): void {
    this.failure = failure
    this.signal('SIGKILL')
  }

  private signal(signal: NodeJS.Signals): void {
    // A group may outlive its leader; a tree is found by it.
    if (this.child.pid && (hasGroups || !this.isGone)) signalGroup(this.child.pid, signal)
  }
}

/** The container's folder as home and for temporary files, by each system's names. */
const homesOf = (folder: string): Record<string, string> =>
  hasGroups ? { HOME: folder, TMPDIR: folder } : { USERPROFILE: folder, TEMP: folder, TMP: folder }

function written(payload: object): string | undefined {
  try {
    return JSON.stringify(payload)
  } catch {
    return undefined
  }
}

function ignore(): void {}
