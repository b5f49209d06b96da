import { execFile } from 'node:child_process'
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { InvalidInputError, messageOf, WhisklensError } from '../errors'

/*
 * Makes a tfjs-node whose addon is built here, against the TensorFlow that is in Python's packages: the binaries that
 * tfjs-node downloads for itself are often not to be had.
 */

/** TensorFlow's C++ library and headers; every Python's package has the same ones. */
const wheels: Record<string, { requirement: string; sha256: string; platform: string }> = {
  x64: {
    requirement: 'tensorflow-cpu==2.15.1',
    sha256: '54660c074d7241a503e81edfd9f5ef5af88f64051b72e2945f26318c790f2d26',
    platform: 'manylinux_2_17_x86_64',
  },
  arm64: {
    requirement: 'tensorflow-cpu-aws==2.15.1',
    sha256: 'd4c3a3a9363bf42999adedbbd514e3a133be2d62f61fee9cfa46aaefb087c09e',
    platform: 'manylinux_2_17_aarch64',
  },
}

/** The sources of the addon, and what they are compiled with. */
const packages: Record<string, { version: string; integrity: string }> = {
  '@tensorflow/tfjs-node': {
    version: '4.22.0',
    integrity:
      'sha512-uHrXeUlfgkMxTZqHkESSV7zSdKdV0LlsBeblqkuKU9nnfxB1pC6DtoyYVaLxznzZy7WQSegjcohxxCjAf6Dc7w==',
  },
  'node-api-headers': {
    version: '1.9.0',
    integrity:
      'sha512-2oNILP4jXwRB4ywnYKjVk1YyJ96n2D4EOVJO6S3oYZ5PtbJrw3Yt9TpAuX3nBLMuzn74rnfGQrv13pS9vC+YiA==',
  },
}

const libraries = ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2']
const headers = 'include/(tensorflow/c|tensorflow/core/platform/ctstring|tsl/c|tsl/platform/ctstring).*[.]h'
const neededFiles = `tensorflow/(${libraries.join('|')}|${headers})$`

/** Node's API of this version is in every Node.js from 12.22 on. */
const nodeApi = 8

/** A gigabyte of wheel and libraries may come over a slow line. */
const timeout = 3_600_000

const execute = promisify(execFile)

async function run(cwd: string, command: string, args: string[]): Promise<string> {
  try {
    const { stdout } = await execute(command, args, { cwd, timeout, maxBuffer: 64 * 1024 * 1024 })
    return stdout
  } catch (cause) {
    const { code, stderr } = cause as { code?: unknown; stderr?: string }
    if (code === 'ENOENT') {
      throw new InvalidInputError(`There is no ${command}, which the installation needs`, {
        hint: 'It takes npm, Python 3 with pip, and a C++ compiler: apt-get install python3-pip g++',
        cause,
      })
    }
    const last = stderr?.trim().split('\n').at(-1) || messageOf(cause)
    throw new WhisklensError('install_failed', `${command} ${args[0]} failed: ${last}`, { cause })
  }
}

/**
 * Installs what the engine `native` needs; what was there is replaced when all is done.
 * @param folder where to; deleted and made anew
 * @param tell is told of each step as it begins
 * @throws InvalidInputError where it cannot be done
 * @throws WhisklensError `install_failed` when a step fails
 */
export async function installNative(folder: string, tell: (step: string) => void): Promise<void> {
  const wheel = process.platform === 'linux' ? wheels[process.arch] : undefined
  if (!wheel) {
    throw new InvalidInputError(`There is no native engine for ${process.platform} on ${process.arch}`, {
      hint: 'It is built for Linux on x64 and arm64. Use another engine: WHISKLENS_ENGINE=auto.',
    })
  }
  const fresh = `${folder}.new-${process.pid}`
  await mkdir(fresh, { recursive: true })
  try {
    tell('Fetching tfjs-node with npm')
    await fetchPackages(fresh)
    tell(`Fetching TensorFlow (${wheel.requirement}) with pip`)
    await fetchTensorFlow(fresh, wheel)
    tell('Compiling the addon')
    await build(fresh)
    await rm(folder, { recursive: true, force: true })
    await rename(fresh, folder)
  } finally {
    await rm(fresh, { recursive: true, force: true })
  }
}

async function fetchPackages(folder: string): Promise<void> {
  await writeFile(join(folder, 'package.json'), '{"private": true}\n')
  const exact = Object.entries(packages).map(([name, { version }]) => `${name}@${version}`)
  // Its own install script is what would download the binaries.
  await run(folder, 'npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', ...exact])
  const lock = JSON.parse(await readFile(join(folder, 'package-lock.json'), 'utf8'))
  for (const [name, { integrity }] of Object.entries(packages)) {
    const found = lock.packages[`node_modules/${name}`]?.integrity
    if (found !== integrity)
      throw new WhisklensError('install_failed', `${name} is not the one expected: ${found}`)
  }
}

const extract = `
import re, sys, zipfile
wheel = zipfile.ZipFile(sys.argv[1])
wheel.extractall(sys.argv[2], [name for name in wheel.namelist() if re.match(sys.argv[3], name)])
`

async function fetchTensorFlow(folder: string, wheel: (typeof wheels)[string]): Promise<void> {
  const { requirement, sha256, platform } = wheel
  await writeFile(join(folder, 'requirements.txt'), `${requirement} --hash=sha256:${sha256}\n`)
  const which = [
    '--python-version',
    '3.11',
    '--implementation',
    'cp',
    '--abi',
    'cp311',
    '--platform',
    platform,
  ]
  const options = ['--no-deps', '--only-binary=:all:', '--require-hashes', '--disable-pip-version-check']
  await run(folder, 'python3', [
    ...['-m', 'pip', 'download', ...options, ...which],
    ...['--dest', 'wheel', '--requirement', 'requirements.txt'],
  ])
  const [file = ''] = await readdir(join(folder, 'wheel'))
  await run(folder, 'python3', ['-c', extract, join('wheel', file), 'unpacked', neededFiles])
  await rm(join(folder, 'wheel'), { recursive: true })
}

async function build(folder: string): Promise<void> {
  const home = join('node_modules', '@tensorflow', 'tfjs-node')
  const [lib, addon] = [join(home, 'deps', 'lib'), join(home, 'lib', `napi-v${nodeApi}`, 'tfjs_binding.node')]
  for (const made of [lib, dirname(addon)]) await mkdir(join(folder, made), { recursive: true })
  for (const name of libraries) {
    // A quarter of it is for debuggers.
    await run(folder, 'strip', ['-o', join(lib, name), join('unpacked', 'tensorflow', name)])
  }
  await run(folder, 'g++', [
    ...['-std=c++17', '-O2', '-fPIC', '-shared', `-DNAPI_VERSION=${nodeApi}`, '-o', addon],
    ...['tfjs_backend.cc', 'tfjs_binding.cc'].map((source) => join(home, 'binding', source)),
    // The sources include each other as "binding/…" or by their name alone.
    ...[
      join('node_modules', 'node-api-headers', 'include'),
      home,
      join('unpacked', 'tensorflow', 'include'),
    ].map((path) => `-I${path}`),
    ...[`-L${lib}`, ...libraries.map((name) => `-l:${name}`), '-Wl,-rpath,$ORIGIN/../../deps/lib'],
  ])
  await rm(join(folder, 'unpacked'), { recursive: true })
  // Loading it tells whether it fits this machine.
  await run(folder, process.execPath, ['-e', `require('./${addon}')`])
}
