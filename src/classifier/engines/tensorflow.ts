import { join } from 'node:path'
import { cacheFolder } from '../../paths'

/** Where `whisklens doctor --install-tfjs-node` puts what it makes. */
export const tfjsNodeFolder = (): string =>
  process.env.WHISKLENS_TFJS_NODE || join(cacheFolder(), 'tfjs-node')
