#!/usr/bin/env node

const { spawnSync } = require('node:child_process')
const {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} = require('node:fs')
const { availableParallelism } = require('node:os')
const { dirname, join } = require('node:path')

/*
 * Runs the command line's bundle. An installed package has it; a checkout builds it first whenever a source is newer,
 * so that `git pull` or an edit needs no further thought.
 */

const root = join(__dirname, '..')
const bundle = join(root, 'dist', 'cli.cjs')
/** One command has a bundle of its own, which is read in less time. */
const classify = join(root, 'dist', 'cli-classify.cjs')
const sources = [
  'src',
  'actions',
  'triggers',
  'scripts/build.ts',
  'scripts/bundled.ts',
  'notices',
  'package.json',
]
const lock = join(root, 'node_modules', '.cache', 'whisklens-build.lock')

// Reading and decoding run in libuv's threads; its default of four would starve the workers of a larger machine. It is
// read once, at first use, and so has to be set before anything else.
process.env.UV_THREADPOOL_SIZE ??= String(Math.max(4, availableParallelism() * 2))

/** Newest modification below a path, milliseconds; a folder's own tells of files that were removed. */
function newest(path) {
  const stats = statSync(path, { throwIfNoEntry: false })
  if (!stats) return 0
  if (!stats.isDirectory()) return stats.mtimeMs
  return Math.max(stats.mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))))
}

function isCurrent() {
  const built = statSync(bundle, { throwIfNoEntry: false })
  return (
    built !== undefined && built.mtimeMs >= Math.max(...sources.map((source) => newest(join(root, source))))
  )
}

/** Far longer than a build takes, milliseconds. */
const lockLife = 5 * 60_000

/** Takes the lock, also from a process that died with it. @returns whether it is ours */
function takeLock() {
  try {
    mkdirSync(dirname(lock), { recursive: true })
    writeFileSync(lock, String(process.pid), { flag: 'wx' })
    return true
  } catch (thrown) {
    if (thrown.code !== 'EEXIST') throw thrown
  }
  try {
    const owner = Number(readFileSync(lock, 'utf8'))
    if (statSync(lock).mtimeMs < Date.now() - lockLife) rmSync(lock, { force: true })
    // Empty for the moment between its creation and the writing of the number.
    if (owner > 0) process.kill(owner, 0)
  } catch (thrown) {
    if (thrown.code === 'ESRCH') rmSync(lock, { force: true })
  }
  return false
}

function build() {
  const started = new Date()
  const { status } = spawnSync(process.execPath, ['--import', 'tsx', join('scripts', 'build.ts')], {
    cwd: root,
    // stdout is for data.
    stdio: ['ignore', 2, 2],
  })
  if (status !== 0) return false
  // A source that was edited during the build is newer than what was built of it.
  utimesSync(bundle, started, started)
  return true
}

/** @returns whether there is a bundle to run */
function ensureBuilt() {
  const canBuild = existsSync(join(root, 'node_modules', 'tsx'))
  if (!canBuild && !existsSync(bundle)) {
    process.stderr.write('error: this checkout has not been built\nhint: Run npm ci first.\n')
    return false
  }
  while (canBuild && !isCurrent()) {
    if (!takeLock()) {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100)
      continue
    }
    try {
      // Whoever had the lock before may have built it. Not looked at again afterwards: a source dated in the future
      // would have it built for ever.
      if (isCurrent() || build()) return true
      process.stderr.write('error: the build failed\n')
      return false
    } finally {
      rmSync(lock, { force: true })
    }
  }
  return true
}

if (!existsSync(join(root, 'scripts', 'build.ts')) || ensureBuilt()) {
  require(process.argv[2] === 'classify' && existsSync(classify) ? classify : bundle)
} else process.exitCode = 1
