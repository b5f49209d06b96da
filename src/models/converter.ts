import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { InvalidInputError, messageOf, WhisklensError } from '../errors'
import { cacheFolder } from '../paths'

/*
 * TensorFlow's own converter in a Python virtual environment, for formats that only TensorFlow reads.
 */

/** Versions tested together; pip resolves their dependencies. */
const tensorFlow = {
  version: '2.20.0',
  // Without GPU support, which is larger than all the rest; available for Linux and Windows.
  package: process.platform === 'linux' && process.arch === 'x64' ? 'tensorflow-cpu' : 'tensorflow',
}
const packages = [
  `${tensorFlow.package}==${tensorFlow.version}`,
  'keras==3.15.1',
  'packaging==25.0',
  'setuptools==80.9.0',
]
/** Installed without dependencies, which include the full TensorFlow and libraries for other kinds of models. */
const alone = ['tensorflowjs==4.22.0', 'tf-keras==2.20.1', 'tensorflow-hub==0.16.1']

/** Minor versions of Python 3 that all packages support. */
const python = { min: 11, max: 13 }

/** 300 MB may come over a slow connection. Milliseconds. */
const timeout = 3_600_000

/** Python and TensorFlow print a lot. Bytes. */
const maxBuffer = 64 * 1024 * 1024

const program = `
import sys, tempfile, types

# The converter imports these for models of other kinds than those it is given here.
for name in ('tensorflow_decision_forests', 'tensorflowjs.converters.jax_conversion'):
    sys.modules[name] = types.ModuleType(name)
sys.modules['tensorflowjs.converters.jax_conversion'].convert_jax = None

kind, source, target, *options = sys.argv[1:]
with tempfile.TemporaryDirectory() as folder:
    if kind == 'keras':
        import keras
        try:
            keras.models.load_model(source, compile=False).export(folder)
        except Exception as error:
            # Written by Keras 2, with something that Keras 3 has no more.
            import tf_keras
            try:
                tf_keras.models.load_model(source, compile=False).export(folder)
            except Exception:
                raise error
        kind, source = 'tf_saved_model', folder
    from tensorflowjs.converters import converter
    converter.convert(['--input_format=' + kind, '--output_format=tfjs_graph_model', *options, source, target])
`

const execute = promisify(execFile)

/** The folder of the virtual environment. */
export const converterFolder = (): string =>
  process.env.WHISKLENS_CONVERTER || join(cacheFolder(), 'converter')

const systemPython = process.platform === 'win32' ? 'python' : 'python3'

const pythonOf = (folder: string): string =>
  process.platform === 'win32' ? join(folder, 'Scripts', 'python.exe') : join(folder, 'bin', 'python')

/** Written when the installation is complete. An environment cannot be moved, so it is not built elsewhere. */
const markerOf = (folder: string): string => join(folder, 'whisklens-converter')

export const isConverterInstalled = (): boolean => existsSync(markerOf(converterFolder()))

async function run(command: string, args: string[]): Promise<string> {
  const env = {
    ...process.env,
    TF_CPP_MIN_LOG_LEVEL: '2',
    TF_ENABLE_ONEDNN_OPTS: '0',
    CUDA_VISIBLE_DEVICES: '-1',
  }
  try {
    return (await execute(command, args, { timeout, maxBuffer, env })).stdout
  } catch (cause) {
    const { code, stderr = '' } = cause as { code?: unknown; stderr?: string }
    if (code === 'ENOENT') {
      throw new InvalidInputError('tool_missing', `${command} is not installed, and the converter needs it`, {
        hint: `Install Python 3.${python.min} to 3.${python.max} with venv: apt-get install python3 python3-venv`,
        cause,
      })
    }
    throw new WhisklensError('convert_failed', stderr.trim().split('\n').at(-1) || messageOf(cause), {
      cause,
    })
  }
}

/**
 * Installs the converter into a new virtual environment.
 * @param report receives each step as it begins
 * @throws InvalidInputError when Python is missing or has an unsupported version
 * @throws WhisklensError `convert_failed` when a step fails
 */
export async function installConverter(report: (step: string) => void): Promise<void> {
  const folder = converterFolder()
  await checkPython()
  await checkFolder(folder)
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  report(`Creating a virtual environment of Python in ${folder}`)
  await run(systemPython, ['-m', 'venv', folder])
  const pip = (...args: string[]) =>
    run(pythonOf(folder), ['-m', 'pip', 'install', '--disable-pip-version-check', '--quiet', ...args])
  report(`Fetching ${packages.join(', ')} with pip: 300 MB, 1.5 GB unpacked`)
  await pip(...packages)
  report(`Fetching ${alone.join(', ')}`)
  await pip('--no-deps', ...alone)
  await writeFile(markerOf(folder), `${[...packages, ...alone].join('\n')}\n`)
}

/** Refuses a folder that is not ours: it will be emptied. */
async function checkFolder(folder: string): Promise<void> {
  const names = await readdir(folder).catch((): string[] => [])
  if (names.length === 0 || names.includes('pyvenv.cfg')) return
  throw new InvalidInputError('bad_setting', `${folder} is not a Python virtual environment`, {
    hint: 'Set WHISKLENS_CONVERTER to an empty or new folder.',
  })
}

async function checkPython(): Promise<void> {
  const version = await run(systemPython, ['-c', 'import sys; print("%d.%d" % sys.version_info[:2])'])
  const [major, minor = 0] = version.trim().split('.').map(Number)
  if (major === 3 && minor >= python.min && minor <= python.max) return
  throw new InvalidInputError(
    'tool_missing',
    `TensorFlow ${tensorFlow.version} does not support Python ${version.trim()}`,
    {
      hint: `Expected python3 to be 3.${python.min} to 3.${python.max}.`,
    },
  )
}

/** Input formats: a Keras file or a SavedModel. */
export type SourceKind = 'keras' | 'tf_saved_model'

/**
 * Converts a TensorFlow model to a TensorFlow.js graph model.
 * @param target a folder to create
 * @throws InvalidInputError when the converter is not installed
 * @throws WhisklensError `convert_failed` with the last line of its output
 */
export async function runConverter(
  kind: SourceKind,
  source: string,
  target: string,
  { float16 = false } = {},
): Promise<void> {
  if (!isConverterInstalled()) {
    throw new InvalidInputError('tool_missing', 'The TensorFlow converter is not installed', {
      hint: 'Install it once: whisklens model convert --install (needs Python 3; 300 MB, 1.5 GB unpacked).',
    })
  }
  const options = float16 ? ['--quantize_float16=*'] : []
  await run(pythonOf(converterFolder()), ['-c', program, kind, source, target, ...options])
}
