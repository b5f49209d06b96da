import { homedir } from 'node:os'
import { join } from 'node:path'

/** Where `whisklens doctor --install-native` puts what it makes. */
export const nativeFolder = (): string =>
  process.env.WHISKLENS_NATIVE ||
  join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'whisklens', 'native')

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
