import { join } from 'node:path'
import { cacheFolder } from '../../paths'

/** Folder of `whisklens doctor --install-tfjs-node`. */
export const tfjsNodeFolder = (): string =>
  process.env.WHISKLENS_TFJS_NODE || join(cacheFolder(), 'tfjs-node')
