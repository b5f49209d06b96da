import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'

/**
 * The folder that contains `models/`. A custom runtime image names it in WHISKLENS_HOME; for a checkout, an installed
 * package or an action's unpacked zip it is found by walking up.
 */
export function homeFolder(start: string = __dirname): string {
  if (process.env.WHISKLENS_HOME) return process.env.WHISKLENS_HOME
  for (let folder = start; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'models', 'efficientnet-lite0'))) return folder
    if (folder === dirname(folder)) return start
  }
}

/** The folder for data that can be fetched again. */
export const cacheFolder = (): string =>
  resolve(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'whisklens')

/** The folder for data that the user added. */
export const dataFolder = (): string =>
  resolve(process.env.XDG_DATA_HOME || join(homedir(), '.local', 'share'), 'whisklens')
