import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { sha256Of } from '../../sha256'
import type { Alarm } from './alarm'
import { conflict, notFound } from './refusals'

/** A parameter or annotation. Parameters marked `init` are passed as environment variables. */
export interface KeyValue {
  key: string
  value?: unknown
  init?: boolean
}

/** Name of an entity: `{path: 'guest/ml', name: 'classify'}`. */
export interface Reference {
  path: string
  name: string
}

interface Common<C extends string> {
  collection: C
  /** Includes the package of an action: `guest/ml`. */
  namespace: string
  name: string
  version: string
  publish: boolean
  annotations: KeyValue[]
  parameters: KeyValue[]
  updated: number
}

export interface PackageEntity extends Common<'packages'> {
  binding?: { namespace: string; name: string }
}

export interface ActionEntity extends Common<'actions'> {
  exec: Exec
  limits: { concurrency: number; logs: number; memory: number; timeout: number }
}

export interface Exec {
  kind: string
  image?: string
  main?: string
  binary?: boolean
  /** Name of the code file. Code is stored separately to keep writes of the entities small. */
  code?: string
  /** Sequences only: `/guest/ml/prepare`. */
  components?: string[]
}

/** As on a real server, a trigger that ever had a rule lists its rules with their status. */
export interface TriggerEntity extends Common<'triggers'> {
  rules?: Record<string, RuleLink>
  /** Stored in the trigger, so that it is removed with it. */
  alarm?: Alarm
}

export interface RuleLink {
  action: Reference
  status: 'active' | 'inactive'
}

export interface RuleEntity extends Common<'rules'> {
  trigger: Reference
  action: Reference
}

export type Entity = PackageEntity | ActionEntity | TriggerEntity | RuleEntity
export type Collection = Entity['collection']
export type EntityIn<C extends Collection> = Extract<Entity, { collection: C }>

export const pathOf = (entity: { namespace: string; name: string }): string =>
  `${entity.namespace}/${entity.name}`

let last = 0
/** Strictly increasing time in milliseconds, so that sorting by time is unambiguous. */
export function clock(): number {
  last = Math.max(Date.now(), last + 1)
  return last
}

/** Deployed entities, stored in a folder. Changes are on disk, atomically, when a call returns. */
export class Entities {
  private readonly all: Map<string, Entity>
  private readonly file: string
  private readonly codeFolder: string

  /** @param builtIn entities that always exist and are not stored; their `code` is the code itself */
  constructor(
    folder: string,
    private readonly builtIn: Entity[] = [],
  ) {
    this.file = join(folder, 'entities.json')
    this.codeFolder = join(folder, 'code')
    mkdirSync(this.codeFolder, { recursive: true })
    const saved: Entity[] = existsSync(this.file) ? JSON.parse(readFileSync(this.file, 'utf8')) : []
    this.all = new Map([...saved, ...builtIn].map((entity) => [pathOf(entity), entity]))
    this.dropUnusedCode()
  }

  /** @returns undefined if there is none. @throws HttpError 409 if the path is an entity of another collection */
  find<C extends Collection>(collection: C, path: string): EntityIn<C> | undefined {
    const entity = this.all.get(path)
    if (entity === undefined || entity.collection === collection) return entity as EntityIn<C> | undefined
    throw conflict('Resource by this name exists but is not in this collection.')
  }

  /** As `find`. @throws HttpError 404 if there is none */
  get<C extends Collection>(collection: C, path: string): EntityIn<C> {
    const entity = this.find(collection, path)
    if (entity) return entity
    throw notFound()
  }

  /** Entities in a namespace or package, latest first. */
  list<C extends Collection>(collection: C, namespace: string): EntityIn<C>[] {
    const all = [...this.all.values()] as EntityIn<C>[]
    return all
      .filter((one) => one.collection === collection && `${one.namespace}/`.startsWith(`${namespace}/`))
      .sort((a, b) => b.updated - a.updated)
  }

  put(entity: Entity): void {
    this.all.set(pathOf(entity), entity)
    this.save()
  }

  remove(entity: Entity): void {
    this.all.delete(pathOf(entity))
    this.save()
  }

  /** Stores code for the action that is put next. */
  saveCode(code: string): string {
    const name = sha256Of(code)
    writeAtomically(join(this.codeFolder, name), code)
    return name
  }

  readCode(name: string): string {
    const isBuiltIn = this.builtIn.some((entity) => 'exec' in entity && entity.exec.code === name)
    return isBuiltIn ? name : readFileSync(join(this.codeFolder, name), 'utf8')
  }

  private save(): void {
    const kept = [...this.all.values()].filter((entity) => !this.builtIn.includes(entity))
    writeAtomically(this.file, JSON.stringify(kept))
    this.dropUnusedCode()
  }

  private dropUnusedCode(): void {
    const used = new Set([...this.all.values()].map((entity) => 'exec' in entity && entity.exec.code))
    const unused = readdirSync(this.codeFolder).filter((name) => !used.has(name))
    for (const name of unused) rmSync(join(this.codeFolder, name))
  }
}

function writeAtomically(file: string, text: string): void {
  writeFileSync(`${file}.new`, text)
  renameSync(`${file}.new`, file)
}
