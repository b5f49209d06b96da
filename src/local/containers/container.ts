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

/** Why a container ended during a request. */
export type Failure = 'exit' | 'memory' | 'timeout'

export interface Reply {
  status: number
  /** JSON. */
  body: string
}

/** Reply if the parameters are nested too deep to serialise; nothing was sent to the container. */
export const tooDeep: Reply = { status: 400, body: '{"error":"The parameters are nested too deep."}' }

export interface ContainerOptions {
  /** Path of the runtime's bundle. */
  runtime: string
  /** The container's own folder: working directory, home and temporary files. Deleted with it. */
  folder: string
  /** MB. */
  memory: number
  environment: Record<string, string>
}

/** Memory of the watchdog thread in the runtime, MB; a real container has none. */
const overhead = 16
/** Interval of memory checks, milliseconds. Without /proc each check spawns a process. */
const memoryInterval = process.platform === 'linux' ? 100 : 1000

/**
 * A Node process in place of an action container, with the same protocol: /init once, then any number of /run. The protocol runs
 * over an inherited socket pair: the process does not listen on a port, so no other process can make it run code.
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
      // Not the host's environment, which holds secrets.
      env: { PATH: process.env.PATH, LANG: 'C.UTF-8', ...homesOf(folder), ...environment },
      // --expose-gc as in the platform's runtime.
      execArgv: ['--expose-gc', `--max-old-space-size=${memory}`],
      // The last entry is the socket pair; on Windows, full duplex needs 'overlapped'.
      stdio: ['ignore', 'pipe', 'pipe', 'ipc', 'overlapped'],
      // A process group, so that child processes of the action end with it.
      detached: hasGroups,
    })
    const { stdout, stderr } = this.child as { stdout: Readable; stderr: Readable }
    this.logs = new Logs(stdout, stderr)
    // A broken connection means that the container is dying; its exit is the answer.
    this.agent = new ChannelAgent((this.child.stdio[channelDescriptor] as Socket).on('error', ignore))
    // V8 may run out of heap before the container reaches its memory limit.
    stderr.on('data', (piece: string) => {
      // Node.js prints "JavaScript" for the main thread, "JS" for workers.
      if (/(JavaScript|JS) heap out of memory/.test(piece)) this.failure = 'memory'
    })
    const closed = new Promise((resolve) => this.child.once('close', resolve))
    // Processes left by the action may keep the streams open, so wait for their end only briefly.
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

  /** Whether the process has ended. */
  get isGone(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null
  }

  /**
   * Posts a request to the runtime.
   * @param timeout milliseconds
   * @returns the reply; why the container ended if it did not reply; `tooDeep` if nothing was sent
   */
  async post(path: '/init' | '/run', payload: object, timeout: number): Promise<Reply | Failure> {
    const body = written(payload)
    if (body === undefined) {
      this.logs.close()
      return tooDeep
    }
    const timer = setTimeout(() => this.kill('timeout'), timeout)
    // /init is not checked: reading a large archive needs more memory than the action will.
    const watch = path === '/run' ? setInterval(() => this.checkMemory(), memoryInterval) : undefined
    // Not Promise.race(): a promise that lives as long as the container would retain every reply.
    const answer = await new Promise<Reply | Failure>((resolve) => {
      this.onExit = () => resolve(this.failure)
      if (this.hasExited) this.onExit()
      this.exchange(path, body, resolve)
    })
    clearTimeout(timer)
    clearInterval(watch)
    return answer
  }

  /** Stops the container: SIGTERM, then SIGKILL. */
  async stop(): Promise<void> {
    this.signal('SIGTERM')
    const timer = setTimeout(() => this.signal('SIGKILL'), 1000)
    await this.exited
    clearTimeout(timer)
    // Windows holds the files of an ended process for a moment.
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
    // A group may outlive its leader; a process tree is found through it.
    if (this.child.pid && (hasGroups || !this.isGone)) signalGroup(this.child.pid, signal)
  }
}

/** Environment that makes the container's folder the home and temporary folder. */
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
