import { readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { homeFolder } from '../paths'

/** Third-party work contained in a distributed file. */
export interface Component {
  name: string
  version: string
  /** As stated by its package, usually SPDX. */
  license: string
  /** Repository. */
  source?: string
  /** Full texts of its licence and notices. */
  texts: string[]
}

interface Package {
  name: string
  version: string
  license?: string | { type: string }
  author?: string | { name?: string }
  repository?: string | { url?: string }
}

const isLicence = (name: string): boolean => /^(licen[cs]e|copying|notice|third.?party)/i.test(name)

/** Also the licence of Whisklens itself. */
const apacheLicense = (): Promise<string> => readFile(join(homeFolder(), 'LICENSE'), 'utf8')

const textOf = (file: string): Promise<string> => readFile(join(homeFolder(), 'notices', file), 'utf8')

/** Texts that packages lack or require in addition, as files in notices/. */
const supplements: [RegExp, string[]][] = [
  [/^@tensorflow\/tfjs-backend-wasm$/, ['tfjs-backend-wasm.txt']],
  [/^onnxruntime-common$/, ['onnxruntime-LICENSE.txt']],
  [/^onnxruntime-node$/, ['onnxruntime-LICENSE.txt', 'onnxruntime-ThirdPartyNotices.txt']],
  [/^@img\/sharp-libvips-/, ['sharp-libvips.txt', 'LGPL-3.0.txt', 'GPL-3.0.txt']],
  [/^libheif-js$/, ['libheif-js.txt', 'GPL-3.0.txt']],
]

/** Tables of licences and versions in the libvips packages. */
const tables: [RegExp, string[]][] = [[/^@img\/sharp-libvips-/, ['README.md', 'versions.json']]]

const filesFor = (name: string, of: [RegExp, string[]][]): string[] =>
  of.filter(([pattern]) => pattern.test(name)).flatMap(([, files]) => files)

/**
 * An npm package with its licence.
 * @param folder of the package
 * @throws Error if no licence text is known
 */
export async function componentOf(folder: string): Promise<Component> {
  const info = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as Package
  const { name, version, author, repository } = info
  const license = (typeof info.license === 'string' ? info.license : info.license?.type) ?? 'unknown'
  const own = [...(await readdir(folder)).filter(isLicence).sort(), ...filesFor(name, tables)]
  const texts = [
    ...(await Promise.all(own.map((file) => readFile(join(folder, file), 'utf8')))),
    ...(await Promise.all(filesFor(name, supplements).map(textOf))),
  ]
  const isLicensed = own.some((file) => /^(licen|copying)/i.test(file)) || hasSupplied(name)
  if (!isLicensed) texts.unshift(await standardText(name, license, author))
  const source = (typeof repository === 'string' ? repository : repository?.url)?.replace(
    /^git\+|\.git$/g,
    '',
  )
  return { name, version, license, source, texts }
}

/** Whether the supplements include a licence. */
const hasSupplied = (name: string): boolean =>
  filesFor(name, supplements).some((file) => /^(L?GPL|.*LICENSE)/.test(file))

/** Texts of licences that are only named, as in `Apache-2.0 AND MIT`. */
async function standardText(name: string, license: string, author?: Package['author']): Promise<string> {
  const holder = (typeof author === 'string' ? author : author?.name)?.replace(/\s*[<(].*$/, '')
  const texts = license.split(' AND ').map(async (one) => {
    if (one === 'Apache-2.0') return apacheLicense()
    if (one !== 'MIT')
      throw new Error(`${name} has no licence text, and no standard text is known for "${license}"`)
    return `Copyright (c) ${holder ?? `the authors of ${name}`}\n\n${await textOf('MIT.txt')}`
  })
  return (await Promise.all(texts)).join('\n')
}

/** WordNet requires its notice in all copies of any part of it. */
export async function wordNet(): Promise<Component> {
  return {
    name: 'WordNet',
    version: '3.0',
    license: 'WordNet',
    source: 'https://wordnet.princeton.edu',
    texts: [await textOf('WordNet-3.0.txt')],
  }
}

/** The libraries linked into tfjs-node. */
export async function tensorFlowLibraries(): Promise<Component> {
  return {
    name: 'TensorFlow',
    version: '2.15.1',
    license: 'Apache-2.0',
    source: 'https://github.com/tensorflow/tensorflow',
    texts: [await apacheLicense()],
  }
}

/** Weights and labels in a model folder. */
export async function modelComponent(folder: string): Promise<Component> {
  const name = `models/${basename(folder)}`
  const { license } = JSON.parse(await readFile(join(folder, 'whisklens.json'), 'utf8'))
  const notice = await readFile(join(folder, 'NOTICE'), 'utf8').catch(() => undefined)
  const texts = [...(notice ? [notice] : []), await standardText(name, license)]
  return { name, version: '', license, texts }
}

/** The photos in samples/. */
export async function samplesComponent(folder: string): Promise<Component> {
  const texts = [await readFile(join(folder, 'README.md'), 'utf8')]
  return { name: 'samples', version: '', license: 'public domain, CC0 1.0, CC BY 2.0', texts }
}
