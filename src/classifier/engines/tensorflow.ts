import { join } from 'node:path'
import { cacheFolder } from '../../paths'

/** Where `whisklens doctor --install-tfjs-node` puts what it makes. */
export const tfjsNodeFolder = (): string =>
  process.env.WHISKLENS_TFJS_NODE || join(cacheFolder(), 'tfjs-node')

/**
 * Has TensorFlow use one thread, since parallel work is done by more processes or workers, and print no notes. It reads
 * this from the environment of the process, of which a worker thread may have but a copy: there it is called in the main
 * thread, too.
 */
export function setTensorFlowEnvironment(): void {
  process.env.TF_NUM_INTRAOP_THREADS ??= '1'
  process.env.TF_NUM_INTEROP_THREADS ??= '1'
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2'
}
