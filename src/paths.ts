import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'

/**
 * The folder that holds `models/` and, in a checkout, everything else. A custom runtime image names it in
 * WHISKLENS_HOME; a checkout, an installed package and an action's unpacked zip are found by walking up.
 */
export function homeFolder(start: string = __dirname): string {
  if (process.env.WHISKLENS_HOME) return process.env.WHISKLENS_HOME
  for (let folder = start; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'models', 'efficientnet-lite0'))) return folder
    if (folder === dirname(folder)) return start
  }
}

/** What can be had again is kept here. */
export const cacheFolder = (): string =>
  resolve(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'whisklens')

/** What the user added is kept here. */
export const dataFolder = (): string =>
  resolve(process.env.XDG_DATA_HOME || join(homedir(), '.local', 'share'), 'whisklens')
