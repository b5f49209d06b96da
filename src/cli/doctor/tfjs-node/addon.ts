import { copyFile, mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { InvalidInputError } from '../../../errors'
import { runStep } from './step'

/*
 * Compiles the addon of tfjs-node against the TensorFlow libraries in a Python wheel. The prebuilt binaries that tfjs-node
 * downloads are often unavailable.
 */

interface Target {
  /** Wheel with TensorFlow's C++ library and headers, which are the same for all Python versions. */
  requirement: string
  sha256: string
  platform: string
  /** Libraries in the wheel that TensorFlow's own depend on. */
  bundled: string[]
  /** Prefix of the cross compiler on other architectures. */
  tools: string
}

const targets: Record<string, Target> = {
  x64: {
    requirement: 'tensorflow-cpu==2.15.1',
    sha256: '54660c074d7241a503e81edfd9f5ef5af88f64051b72e2945f26318c790f2d26',
    platform: 'manylinux_2_17_x86_64',
    bundled: [],
    tools: 'x86_64-linux-gnu-',
  },
  arm64: {
    requirement: 'tensorflow-cpu-aws==2.15.1',
    sha256: 'd4c3a3a9363bf42999adedbbd514e3a133be2d62f61fee9cfa46aaefb087c09e',
    platform: 'manylinux_2_17_aarch64',
    bundled: ['tensorflow_cpu_aws.libs/libomp-54bf90fd.so.5'],
    tools: 'aarch64-linux-gnu-',
  },
}

const libraries = ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2']
const headers = 'include/(tensorflow/c|tensorflow/core/platform/ctstring|tsl/c|tsl/platform/ctstring).*[.]h'

/** Regular expression for the files needed from a wheel. */
const neededFiles = ({ bundled }: Target): string =>
  [`tensorflow/(${libraries.join('|')}|${headers})$`, ...bundled].join('|')

/** Node-API version, supported since Node.js 12.22. */
const nodeApi = 8

const tfjsNode = join('node_modules', '@tensorflow', 'tfjs-node')

/** Output folders of {@link compileAddon}, relative to its `folder`. */
export const addonFolders = [join(tfjsNode, 'lib'), join(tfjsNode, 'deps')]

/**
 * The target for an architecture.
 * @throws InvalidInputError if TensorFlow does not support it
 */
export function targetOf(architecture: string): Target {
  const target = process.platform === 'linux' ? targets[architecture] : undefined
  if (target) return target
  throw new InvalidInputError(
    'platform_unsupported',
    `tfjs-node cannot be built for ${process.platform} on ${architecture}`,
    {
      hint: 'It supports Linux on x64 and arm64. Use another engine: WHISKLENS_ENGINE=auto.',
    },
  )
}

/**
 * Compiles the addon of a tfjs-node package, and puts TensorFlow beside it.
 * @param folder has `@tensorflow/tfjs-node` and `node-api-headers` in its `node_modules`
 * @param architecture of the addon; one other than this machine's needs a cross compiler
 * @param onStep called as each step begins
 * @throws InvalidInputError on an unsupported platform, or without a compiler
 * @throws WhisklensError `install_failed` if a step fails
 */
export async function compileAddon(
  folder: string,
  architecture: string,
  onStep: (step: string) => void,
): Promise<void> {
  const target = targetOf(architecture)
  onStep(`Fetching TensorFlow (${target.requirement}) with pip`)
  await fetchTensorFlow(folder, target)
  onStep('Compiling the addon')
  const isCross = architecture !== process.arch
  const addon = await compile(folder, target, isCross ? target.tools : '')
  await rm(join(folder, 'unpacked'), { recursive: true })
  // Loading it shows whether it works on this machine.
  if (!isCross) await runStep(folder, process.execPath, ['-e', `require('./${addon}')`])
}

const extract = `
import re, sys, zipfile
wheel = zipfile.ZipFile(sys.argv[1])
wheel.extractall(sys.argv[2], [name for name in wheel.namelist() if re.match(sys.argv[3], name)])
`

async function fetchTensorFlow(folder: string, target: Target): Promise<void> {
  const { requirement, sha256, platform } = target
  await writeFile(join(folder, 'requirements.txt'), `${requirement} --hash=sha256:${sha256}\n`)
  const options = ['--no-deps', '--only-binary=:all:', '--require-hashes', '--disable-pip-version-check']
  const which = ['--python-version', '3.11', '--implementation', 'cp', '--abi', 'cp311']
  await runStep(folder, 'python3', [
    ...['-m', 'pip', 'download', ...options, ...which, '--platform', platform],
    ...['--dest', 'wheel', '--requirement', 'requirements.txt'],
  ])
  const [file = ''] = await readdir(join(folder, 'wheel'))
  await runStep(folder, 'python3', ['-c', extract, join('wheel', file), 'unpacked', neededFiles(target)])
  await rm(join(folder, 'wheel'), { recursive: true })
}

/** @returns path of the addon */
async function compile(folder: string, { bundled }: Target, tools: string): Promise<string> {
  const lib = join(tfjsNode, 'deps', 'lib')
  const addon = join(tfjsNode, 'lib', `napi-v${nodeApi}`, 'tfjs_binding.node')
  for (const made of [lib, dirname(addon)]) await mkdir(join(folder, made), { recursive: true })
  for (const name of libraries) {
    // Debug symbols are a quarter of it.
    await runStep(folder, `${tools}strip`, ['-o', join(lib, name), join('unpacked', 'tensorflow', name)])
  }
  for (const path of bundled)
    await copyFile(join(folder, 'unpacked', path), join(folder, lib, basename(path)))
  await runStep(folder, `${tools}g++`, [
    ...['-std=c++17', '-O2', '-fPIC', '-shared', `-DNAPI_VERSION=${nodeApi}`, '-o', addon],
    ...['tfjs_backend.cc', 'tfjs_binding.cc'].map((source) => join(tfjsNode, 'binding', source)),
    // The sources include each other as "binding/…" and by bare name.
    ...[
      join('node_modules', 'node-api-headers', 'include'),
      tfjsNode,
      join('unpacked', 'tensorflow', 'include'),
    ].map((path) => `-I${path}`),
    ...[`-L${lib}`, ...libraries.map((name) => `-l:${name}`), '-Wl,-rpath,$ORIGIN/../../deps/lib'],
  ])
  return addon
}
